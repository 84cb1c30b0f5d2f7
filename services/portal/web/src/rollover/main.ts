// クラス替え: by mouse (drag, or choose and press), by touch, and by keyboard alone; several cards at once; undo and redo.
import { Refusal, callJson } from "../shell/http";
import { toast } from "../shell/toasts";
import {
  board, cardOf, cardsIn, classOf, clearSelection, columnNamed, columnOf, columns, focusCard, nameOf, part, put,
  refreshBoard, select, selected, setWish,
} from "./cards";
import { type Step, clearNews, inTurn, propose, save, say, watchOthers } from "./saving";

const editable = "editable" in board.dataset;
const done: Step[][] = [];
const undone: Step[][] = [];
const tool = (name: string) => board.querySelector<HTMLButtonElement>(`[data-${name}]`)!;

function refreshHistory(): void {
  tool("undo").disabled = done.length === 0;
  tool("redo").disabled = undone.length === 0;
}

async function carryOut(steps: Step[]): Promise<Step[]> {
  for (const { pupil, to } of steps) {
    const card = cardOf(pupil);
    const column = columnNamed(to);
    if (!card || !column) continue;
    clearNews(card);
    card.dataset["number"] = "0";
    part(card, "number", "", false);
    put(card, column);
  }
  refreshBoard();
  return save(steps);
}

async function move(cards: HTMLElement[], column: HTMLElement): Promise<void> {
  const to = column.dataset["column"]!;
  const steps = cards
    .map((card) => ({ pupil: card.dataset["pupil"]!, from: classOf(card), to }))
    .filter((step) => step.from !== to);
  if (!editable || !steps.length) return;
  const who = steps.length === 1 ? cardOf(steps[0]!.pupil)!.dataset["name"]! : `${steps.length}人`;
  clearSelection();
  const saving = carryOut(steps);
  say(`${who}を${nameOf(column)}に移しました。${column.querySelector("[data-balance]")!.textContent}`);
  const kept = await saving;
  if (kept.length) {
    done.push(kept);
    undone.length = 0;
    refreshHistory();
  }
}

async function goBack(from: Step[][], onto: Step[][], words: string): Promise<void> {
  const steps = from.pop();
  refreshHistory();
  if (!steps) return;
  const kept = await carryOut(steps.map(({ pupil, from: to, to: was }) => ({ pupil, from: was, to })));
  if (kept.length) onto.push(kept);
  say(`${words}（${kept.length}人）。`);
  refreshHistory();
}

const undo = () => goBack(done, undone, "元に戻しました");
const redo = () => goBack(undone, done, "やり直しました");

function meant(card: HTMLElement): HTMLElement[] {
  return card.getAttribute("aria-selected") === "true" ? selected() : [card];
}

function toggle(card: HTMLElement): void {
  const on = card.getAttribute("aria-selected") !== "true";
  select(card, on);
  clearNews(card);
  say(`${card.dataset["name"]}${on ? "を選びました" : "を外しました"}。${selected().length}人を選んでいます。`);
}

function beside(card: HTMLElement, key: string): HTMLElement | undefined {
  const column = columnOf(card);
  const here = cardsIn(column);
  const place = here.indexOf(card);
  if (key === "ArrowUp" || key === "ArrowDown") return here[place + (key === "ArrowUp" ? -1 : 1)];
  const by = key === "ArrowLeft" ? -1 : 1;
  for (let next = columns.indexOf(column) + by; columns[next]; next += by) {
    const there = cardsIn(columns[next]!);
    if (there.length) return there[Math.min(place, there.length - 1)];
  }
  return undefined;
}

function onKey(event: KeyboardEvent): void {
  if (event.isComposing || event.keyCode === 229) return;
  const key = event.key;
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    const wanted = key.toLowerCase() === "z" && !event.shiftKey ? undo : "yz".includes(key.toLowerCase()) ? redo : null;
    if (wanted) {
      event.preventDefault();
      void wanted();
    }
    return;
  }
  const card = (event.target as HTMLElement).closest<HTMLElement>("[data-pupil]");
  if (!card || event.altKey) return;
  const column = columns.indexOf(columnOf(card));
  if (event.shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) {
    event.preventDefault();
    const next = columns[column + (key === "ArrowLeft" ? -1 : 1)];
    if (next) void move(meant(card), next);
  } else if (key.startsWith("Arrow")) {
    event.preventDefault();
    const next = beside(card, key);
    if (next) focusCard(next);
  } else if (key === " ") {
    event.preventDefault();
    if (editable) toggle(card);
  } else if (key === "Escape") {
    clearSelection();
    say("選択を外しました。");
  } else if (key === "Enter") {
    event.preventDefault();
    openDetail(card);
  } else if (/^[0-9]$/.test(key)) {
    event.preventDefault();
    const to = columns[Number(key)];
    if (to) void move(meant(card), to);
    else say(`${key}番の学級はありません。`);
  }
}

// --- dragging ------------------------------------------------------------------------------------

let dragged: HTMLElement[] = [];

function watchDragging(): void {
  board.addEventListener("dragstart", (event) => {
    const card = (event.target as HTMLElement).closest<HTMLElement>("[data-pupil]");
    if (!card || !event.dataTransfer) return;
    dragged = meant(card);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.map((each) => each.dataset["name"]).join("、"));
    for (const each of dragged) each.classList.add("board-dragged");
  });
  board.addEventListener("dragend", () => {
    for (const each of dragged) each.classList.remove("board-dragged");
    dragged = [];
    for (const column of columns) column.classList.remove("board-target");
  });
  for (const column of columns) {
    column.addEventListener("dragover", (event) => {
      if (!dragged.length) return;
      event.preventDefault();
      for (const other of columns) other.classList.toggle("board-target", other === column);
    });
    column.addEventListener("drop", (event) => {
      event.preventDefault();
      void move(dragged, column);
    });
  }
}

// --- one card, and wishes of two -----------------------------------------------------------------

const dialog = document.getElementById("card-dialog") as HTMLDialogElement;
const form = document.getElementById("card-form") as HTMLFormElement;
let shown: HTMLElement | null = null;

function openDetail(card: HTMLElement): void {
  if (!editable) return;
  shown = card;
  form.querySelector('[data-part="who"]')!.textContent = card.dataset["name"]!;
  form.querySelector<HTMLElement>('[data-part="error"]')!.hidden = true;
  for (const name of ["care", "band", "number"]) {
    const field = form.elements.namedItem(name) as HTMLInputElement;
    field.value = name === "number" && card.dataset[name] === "0" ? "" : (card.dataset[name] ?? "");
  }
  const outcome = form.elements.namedItem("outcome") as HTMLSelectElement;
  outcome.value = "";
  outcome.disabled = card.dataset["outcome"] === "enters";
  dialog.showModal();
}

async function saveDetail(event: SubmitEvent): Promise<void> {
  event.preventDefault();
  const card = shown;
  if (!card) return;
  const value = (name: string) => (form.elements.namedItem(name) as HTMLInputElement).value;
  const body = {
    version: Number(card.dataset["version"]), care: value("care"), band: Number(value("band")),
    number: Number(value("number")), outcome: value("outcome"),
  };
  try {
    const saved = await inTurn(() =>
      callJson<{ version: number; care: string; band: number; number: number; school_grade: string }>(
        `${board.dataset["planUrl"]}/pupils/${card.dataset["pupil"]}`,
        { method: "POST", body },
      ),
    );
    for (const name of ["version", "care", "band", "number"] as const) card.dataset[name] = String(saved[name]);
    part(card, "care", "配慮", saved.care !== "");
    card.querySelector<HTMLElement>('[data-part="care"]')!.title = saved.care;
    part(card, "band", `段階${saved.band}`, saved.band > 0);
    part(card, "number", `${saved.number}番`, saved.number > 0);
    dialog.close();
    if (saved.school_grade !== board.dataset["schoolGrade"]) location.reload();
    refreshBoard();
    focusCard(card);
  } catch (error) {
    const place = form.querySelector<HTMLElement>('[data-part="error"]')!;
    place.textContent = error instanceof Refusal ? error.message : "保存できませんでした。";
    place.hidden = false;
  }
}

async function wish(kind: string): Promise<void> {
  const [first, second] = selected().map((card) => card.dataset["pupil"]!);
  if (!first || !second) return;
  try {
    const body = { first, second, kind };
    await inTurn(() => callJson(`${board.dataset["planUrl"]}/pairs`, { method: "POST", body }));
    setWish(body);
    clearSelection();
    refreshBoard();
    say(kind ? "二人の希望を入れました。" : "二人の希望を外しました。");
  } catch (error) {
    toast(error instanceof Refusal ? error.message : "保存できませんでした。", "error");
  }
}

async function place(carry: boolean): Promise<void> {
  const steps = await propose(carry);
  if (steps.length) done.push(steps);
  refreshHistory();
}

board.addEventListener("keydown", onKey);
board.addEventListener("click", (event) => {
  const target = event.target as HTMLElement;
  const card = target.closest<HTMLElement>("[data-pupil]");
  if (card) {
    focusCard(card);
    if (editable) toggle(card);
  }
  const here = target.closest<HTMLElement>("[data-here]");
  if (here) void move(selected(), here.closest<HTMLElement>("[data-column]")!);
  const button = target.closest<HTMLElement>("[data-wish]");
  if (button) void wish(button.dataset["wish"]!);
});
board.addEventListener("dblclick", (event) => {
  const card = (event.target as HTMLElement).closest<HTMLElement>("[data-pupil]");
  if (card) openDetail(card);
});
tool("undo").addEventListener("click", () => void undo());
tool("redo").addEventListener("click", () => void redo());
tool("propose").addEventListener("click", () => void place(false));
tool("carry").addEventListener("click", () => void place(true));
tool("detail").addEventListener("click", () => selected()[0] && openDetail(selected()[0]!));
form.addEventListener("submit", (event) => void saveDetail(event));
if (editable) watchDragging();
const first = board.querySelector<HTMLElement>("[data-pupil]");
if (first) first.tabIndex = 0;
refreshBoard();
watchOthers();
