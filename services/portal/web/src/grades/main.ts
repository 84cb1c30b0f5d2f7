// The mark grid of one sheet. Without this script the page is a form with a save button.
import { csrfToken } from "../shell/http";
import { keptAt } from "../shell/kept";
import { toast } from "../shell/toasts";
import { Grid } from "./grid";
import { Preview } from "./preview";
import type { KeptEdit, Status } from "./saver";
import { Saver } from "./saver";
import type { Cell, Change } from "./sheet";
import { countCharacters, readSheet } from "./sheet";

interface Step {
  cell: Cell;
  before: string;
  after: string;
}

const form = document.querySelector<HTMLFormElement>("[data-sheet]");
const table = form?.querySelector("table");
if (form && table && table.tBodies[0]!.rows.length > 0) begin(form, table);

function begin(form: HTMLFormElement, table: HTMLTableElement): void {
  const url = form.dataset["sheet"]!;
  const part = (name: string) => form.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
  const undone: Step[][] = [];
  const done: Step[][] = [];
  let typing: Step | null = null;
  let last: Cell | null = null;
  let shown = "";

  const cells = readSheet(table);
  const pane = document.querySelector<HTMLElement>("[data-preview]");
  const preview = pane ? new Preview(pane) : null;
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const plain of form.querySelectorAll<HTMLElement>("[data-plain]")) plain.hidden = true;
  for (const live of form.querySelectorAll<HTMLElement>("[data-live]")) live.hidden = false;

  const saver = new Saver(
    url,
    (cell) => grid.show(cell),
    tell,
    (message) => {
      grid.setReadonly(true);
      part("locked").textContent = message;
      part("locked").hidden = false;
    },
    () => preview?.refresh(),
  );
  const grid = new Grid(
    table,
    cells,
    {
      change: apply,
      undo: () => step(done, undone, "before"),
      redo: () => step(undone, done, "after"),
      moved: follow,
      say,
      takeMine: (cell) => {
        if (cell.theirs) cell.version = cell.theirs.version;
        saver.put(cell);
      },
      takeTheirs: (cell) => {
        if (!cell.theirs) return;
        cell.value = cell.theirs.value;
        cell.version = cell.theirs.version;
        cell.theirs = null;
        cell.state = "clean";
        cell.message = "";
        saver.drop(cell);
        grid.show(cell);
      },
    },
    form.dataset["readonly"] !== undefined,
  );

  function put(cell: Cell, value: string): void {
    cell.value = value;
    // A conflict stays a conflict until a side is chosen; typing on means one's own.
    if (cell.theirs) cell.version = cell.theirs.version;
    saver.put(cell);
  }

  /** Typing on in one text is one step of undo; everything else is a step of its own. */
  function apply(changes: Change[]): void {
    const single = changes.length === 1 && changes[0]!.cell.column.allowed.length === 0 ? changes[0]! : null;
    if (single && typing?.cell === single.cell && document.activeElement === single.cell.td.querySelector("textarea")) {
      typing.after = single.value;
    } else {
      const steps = changes.map(({ cell, value }) => ({ cell, before: cell.value, after: value }));
      done.push(steps);
      typing = single ? steps[0]! : null;
    }
    undone.length = 0;
    for (const { cell, value } of changes) put(cell, value);
    buttons();
  }

  function step(from: Step[][], to: Step[][], side: "before" | "after"): void {
    const steps = from.pop();
    if (!steps || grid.readonly) return;
    to.push(steps);
    typing = null;
    for (const each of steps) put(each.cell, each[side]);
    grid.focus(steps[0]!.cell);
    say(side === "before" ? "元に戻しました。" : "やり直しました。");
    buttons();
  }

  function buttons(): void {
    (part("undo") as HTMLButtonElement).disabled = done.length === 0 || grid.readonly;
    (part("redo") as HTMLButtonElement).disabled = undone.length === 0 || grid.readonly;
  }

  function say(message: string): void {
    part("told").textContent = message;
  }

  function follow(cell: Cell, selected: number): void {
    if (last !== cell && typing?.cell !== cell) typing = null;
    last = cell;
    const place = `${cell.name}　${cell.column.label}`;
    part("place").textContent = selected > 1 ? `${selected}か所を選択中` : place;
    const length = countCharacters(cell.value);
    part("count").textContent = cell.column.most > 0 ? `${length}字／${cell.column.most}字まで` : "";
    part("count").classList.toggle("is-over", cell.column.most > 0 && length > cell.column.most);
    choices(cell);
    history(cell);
    preview?.show(cell.pupil, cell.name);
  }

  function choices(cell: Cell): void {
    const wanted = form.dataset["readonly"] === undefined ? cell.column.key : "";
    if (wanted === shown) return;
    shown = wanted;
    const values = cell.column.allowed.length > 0 && wanted !== "" ? [...cell.column.allowed, ""] : [];
    part("choices").replaceChildren(
      ...values.map((value) => {
        const button = Object.assign(document.createElement("button"), {
          type: "button",
          className: "button button-secondary mark-choice",
          textContent: value === "" ? "消す" : value,
        });
        button.addEventListener("mousedown", (event) => event.preventDefault());
        button.addEventListener("click", () => grid.choose(value));
        return button;
      }),
    );
  }

  function history(cell: Cell): void {
    const query = new URLSearchParams({ pupil: cell.pupil, column: cell.column.key });
    (part("history") as HTMLAnchorElement).href = `${form.dataset["history"]}?${query}`;
  }

  function tell(status: Status): void {
    const words = {
      saved: "保存済み",
      waiting: `未保存 ${status.open}件`,
      saving: `保存中（${status.open}件）`,
      away: `接続が切れています — 再接続後に保存します（未保存 ${status.open}件）`,
    };
    const place = part("status");
    place.dataset["kind"] = status.kind;
    place.textContent = status.kind === "blocked" ? `未保存 ${status.open}件：${status.message}` : words[status.kind];
    const again = part("again") as HTMLButtonElement;
    again.hidden = status.kind !== "blocked";
    if (status.kind === "blocked") again.onclick = () => void (status.signIn ? signInAgain() : saver.now());
  }

  /** A new session has a new secret: it is read from a fresh copy of this page, the typed values stay in this one. */
  async function signInAgain(): Promise<void> {
    const page = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    const fresh = page?.ok ? new DOMParser().parseFromString(await page.text(), "text/html") : null;
    const secret = fresh?.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
    if (!secret || secret === csrfToken() || fresh?.querySelector<HTMLElement>("[data-sheet]")?.dataset["person"] !== form.dataset["person"]) {
      window.open("/sign-in?return=/step-up/done", "komu-step-up", "popup,width=520,height=720");
      say("新しい窓でサインインしてから、もう一度「保存し直す」を押してください。");
      return;
    }
    document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')!.content = secret;
    saver.now();
  }

  part("undo").addEventListener("click", () => step(done, undone, "before"));
  part("redo").addEventListener("click", () => step(undone, done, "after"));
  part("again").hidden = true;
  buttons();
  void restore();

  /** What an earlier visit of this person could not save is typed again, on the version it was typed on. */
  async function restore(): Promise<void> {
    const edits = (await keptAt<KeptEdit[]>(url)) ?? [];
    const known = new Map(cells.flat().map((cell) => [`${cell.pupil} ${cell.column.key}`, cell]));
    let count = 0;
    for (const edit of grid.readonly ? [] : edits) {
      const cell = known.get(`${edit.pupil} ${edit.column}`);
      if (!cell?.applies || cell.value === edit.value) continue;
      cell.value = edit.value;
      cell.version = edit.version;
      saver.put(cell);
      count++;
    }
    if (count > 0) toast(`前に保存できなかった${count}件を戻しました。今から保存します。`);
    else saver.keepAll();
    form.dataset["ready"] = "";
  }

}
