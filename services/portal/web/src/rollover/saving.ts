// Every gesture is saved at once, one after the other; a lost connection waits, a lost race is told at the card.
import { Away, Refusal, callJson } from "../shell/http";
import { setOffline } from "../shell/offline";
import { toast } from "../shell/toasts";
import { board, cardOf, classOf, columnNamed, nameOf, part, put, refreshBoard } from "./cards";

export interface Place {
  pupil: string;
  to: string;
  version: number;
  who: string;
  lost: boolean;
}

export interface Step {
  pupil: string;
  from: string;
  to: string;
}

const RETRY_MS = 3_000;
const POLL_MS = 5_000;
const url = board.dataset["url"]!;
const status = board.querySelector<HTMLElement>("[data-status]")!;
const spoken = board.querySelector<HTMLElement>("[data-say]")!;
let revision = Number(board.dataset["revision"]);
let waiting = 0;
let line: Promise<unknown> = Promise.resolve();

export function say(words: string): void {
  spoken.textContent = "";
  requestAnimationFrame(() => (spoken.textContent = words));
}

function tell(words: string): void {
  if (status.textContent !== words) status.textContent = words;
}

/** Asks in turn; waits for a lost connection instead of losing the work. */
export function inTurn<T>(ask: () => Promise<T>): Promise<T> {
  waiting += 1;
  tell("保存しています…");
  const answer = line.then(async () => {
    for (;;) {
      try {
        const done = await ask();
        setOffline(false);
        return done;
      } catch (error) {
        if (!(error instanceof Away)) throw error;
        setOffline(true);
        tell("つながったら保存します…");
        await new Promise((again) => setTimeout(again, RETRY_MS));
      }
    }
  });
  line = answer.then(
    () => settle(true),
    () => settle(false),
  );
  return answer;
}

function settle(saved: boolean): void {
  waiting -= 1;
  if (waiting === 0) tell(saved ? "保存しました" : "保存できていない変更があります");
}

/** Cards where the server has them. Tells what others did; returns the pupils whose move was lost. */
export function takeIn(places: Place[]): Set<string> {
  const lost = new Set<string>();
  for (const place of places) {
    const card = cardOf(place.pupil);
    const column = columnNamed(place.to);
    if (!card || !column) continue;
    if (Number(card.dataset["version"]) > place.version) continue;
    const moved = classOf(card) !== place.to;
    card.dataset["version"] = String(place.version);
    if (moved) {
      put(card, column);
      card.dataset["number"] = "0";
      part(card, "number", "", false);
    }
    // Sent twice over a bad line, the first time arrived: the card is where it was meant to go.
    const beaten = place.lost && moved;
    if (beaten) lost.add(place.pupil);
    if (beaten || (moved && place.who)) {
      const words = `${place.who || "ほかの人"}が${nameOf(column)}に移しました`;
      part(card, "news", words, true);
      card.classList.add("board-changed");
      say(`${card.dataset["name"]}：${words}。`);
    }
  }
  refreshBoard();
  return lost;
}

export function clearNews(card: HTMLElement): void {
  part(card, "news", "", false);
  card.classList.remove("board-changed");
}

/** Saves steps already shown on the board; answers with those that were not lost. */
export async function save(steps: Step[]): Promise<Step[]> {
  try {
    const answer = await inTurn(() =>
      callJson<{ places: Place[] }>(`${url}/moves`, {
        method: "POST",
        body: {
          moves: steps.map(({ pupil, to }) => ({ pupil, to, version: Number(cardOf(pupil)?.dataset["version"]) })),
        },
      }),
    );
    const lost = takeIn(answer.places);
    if (lost.size) toast(`${lost.size}人は、先にほかの人が動かしていました。カードに書いてあります。`, "error");
    return steps.filter((step) => !lost.has(step.pupil));
  } catch (error) {
    for (const { pupil, from } of steps) {
      const card = cardOf(pupil);
      const column = columnNamed(from);
      if (card && column) put(card, column);
    }
    refreshBoard();
    toast(error instanceof Refusal ? error.message : "保存できませんでした。画面を開き直してください。", "error");
    return [];
  }
}

export async function propose(carry: boolean): Promise<Step[]> {
  const before = new Map<string, string>();
  try {
    const answer = await inTurn(() =>
      callJson<{ places: Place[] }>(`${url}/propose`, { method: "POST", body: { carry }, timeoutMs: 30_000 }),
    );
    for (const place of answer.places) before.set(place.pupil, classOf(cardOf(place.pupil)!));
    takeIn(answer.places);
    const steps = answer.places.map(({ pupil, to }) => ({ pupil, from: before.get(pupil) ?? "", to }));
    const words = steps.length ? `${steps.length}人を学級に分けました。` : "分ける人がいません。";
    toast(words);
    say(words);
    return steps;
  } catch (error) {
    toast(error instanceof Refusal ? error.message : "分けられませんでした。", "error");
    return [];
  }
}

/** What others did, every few seconds while the page is looked at and nothing of ours is on its way. */
export function watchOthers(): void {
  let stopped = false;
  const look = async (): Promise<void> => {
    if (!stopped && waiting === 0 && document.visibilityState === "visible") {
      try {
        const found = await callJson<{ revision: number; places: Place[] }>(`${url}/moves?after=${revision}`);
        if (waiting === 0) {
          revision = found.revision;
          if (found.places.some((place) => !cardOf(place.pupil) || !columnNamed(place.to))) {
            stopped = true;
            toast("ほかの人が学級や人数を変えました。画面を開き直してください。", "error");
          }
          if (found.places.length) takeIn(found.places);
        }
        setOffline(false);
      } catch (error) {
        if (error instanceof Away) setOffline(true);
        else if (error instanceof Refusal) {
          stopped = true;
          toast(error.message, "error");
        } else throw error;
      }
    }
    if (!stopped) setTimeout(() => void look(), POLL_MS);
  };
  setTimeout(() => void look(), POLL_MS);
}
