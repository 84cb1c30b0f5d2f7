// Buttons that copy a text of the page: <button data-copy="id of the text" hidden>. Without a clipboard they stay hidden.
import { toast } from "./toasts";

if (navigator.clipboard) {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset["copy"] ?? "")?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        toast("コピーしました。");
      } catch {
        toast("コピーできませんでした。文字を選んでコピーしてください。", "error");
      }
    });
  }
}
