// Taking the roll by keyboard, and never losing it to a lost connection. Without this script the form works as it is.
import { setOffline } from "../shell/offline";

const form = document.querySelector<HTMLFormElement>("form[data-roll]");
const RETRY_MS = 3000;

function rows(): HTMLFieldSetElement[] {
  return [...(form?.querySelectorAll<HTMLFieldSetElement>("fieldset[data-row]") ?? [])];
}

function radios(row: HTMLFieldSetElement): HTMLInputElement[] {
  return [...row.querySelectorAll<HTMLInputElement>('input[type="radio"]')];
}

function chosen(row: HTMLFieldSetElement): HTMLInputElement | undefined {
  return radios(row).find((radio) => radio.checked);
}

function choose(row: HTMLFieldSetElement, radio: HTMLInputElement | undefined): void {
  if (!radio) return;
  radio.checked = true;
  radio.focus();
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}

function step(row: HTMLFieldSetElement, by: number): void {
  const all = rows();
  const next = all[all.indexOf(row) + by];
  if (!next) return;
  chosen(next)?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function count(): void {
  const place = form?.querySelector("[data-count]");
  if (!place) return;
  const tally = new Map<string, number>();
  for (const row of rows()) {
    const radio = chosen(row);
    if (!radio?.value) continue;
    const label = radio.parentElement?.title ?? "";
    tally.set(label, (tally.get(label) ?? 0) + 1);
  }
  const exceptions = [...tally].map(([label, number]) => `${label} ${number}`).join("・");
  place.textContent = exceptions ? `出席以外：${exceptions}` : "全員出席";
}

function onKey(event: KeyboardEvent): void {
  if (event.isComposing || event.keyCode === 229) return;
  const target = event.target as HTMLElement;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    form?.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const row = target.closest<HTMLFieldSetElement>("fieldset[data-row]");
  if (!row) return;
  const typing = target instanceof HTMLInputElement && target.type !== "radio";
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    if (typing && target.getAttribute("list")) return;
    event.preventDefault();
    step(row, event.key === "ArrowUp" ? -1 : 1);
  } else if (typing) {
    // Enter in a reason goes on to the next child instead of sending the sheet.
    if (event.key === "Enter") {
      event.preventDefault();
      step(row, 1);
    }
  } else if (event.key === "0" || event.key === " " || event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    choose(row, radios(row)[0]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    step(row, 1);
  } else {
    const wanted = radios(row).find((radio) => radio.dataset["key"] === event.key.toLowerCase());
    if (wanted) {
      event.preventDefault();
      choose(row, wanted);
    }
  }
}

// The sheet is sent only when the other side answers; until then it stays on the page and is tried again.
async function reachable(): Promise<boolean> {
  try {
    await fetch("/health/live", { method: "GET", cache: "no-store", redirect: "manual" });
    return true;
  } catch {
    return false;
  }
}

let waiting = false;
let ready = false;

async function send(event: SubmitEvent): Promise<void> {
  if (ready || !form) return;
  event.preventDefault();
  if (waiting) return;
  waiting = true;
  const button = form.querySelector<HTMLButtonElement>("[data-save]");
  const label = button?.textContent ?? "";
  while (!(await reachable())) {
    setOffline(true);
    if (button) button.textContent = "つながったら保存します…";
    await new Promise((again) => setTimeout(again, RETRY_MS));
  }
  setOffline(false);
  if (button) button.textContent = label;
  ready = true;
  form.requestSubmit();
}

if (form) {
  form.addEventListener("keydown", onKey);
  form.addEventListener("change", count);
  form.addEventListener("submit", (event) => void send(event));
  count();
}

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
