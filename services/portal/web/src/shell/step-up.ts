// The second factor in a window of its own, so that the page that needs it keeps its unsaved work.
import { ask } from "./confirm";

const CHANNEL = "komu-step-up";
let running: Promise<boolean> | null = null;

/** Resolves true once the person has passed the second factor, false if they close the question. One at a time. */
export function stepUp(why: string): Promise<boolean> {
  running ??= run(why).finally(() => {
    running = null;
  });
  return running;
}

async function run(why: string): Promise<boolean> {
  const done = new Promise<boolean>((resolve) => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = () => {
      channel.close();
      resolve(true);
    };
  });
  const asked = ask({
    title: "本人確認",
    text: `${why}入力した内容はこの画面に残っています。新しい窓でワンタイムコードを入力してください。`,
    confirm: "本人確認の窓を開く",
    // Opened inside the click, or the browser would block it.
    onConfirm: () => window.open("/step-up?return=/step-up/done", "komu-step-up", "popup,width=520,height=720"),
    stayOpen: true,
    closeWhen: done,
  });
  return asked;
}

/** Called on the page at the end of the step-up window. */
export function announceStepUp(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage("done");
  channel.close();
  window.close();
}

if (document.querySelector("[data-step-up-done]")) announceStepUp();
