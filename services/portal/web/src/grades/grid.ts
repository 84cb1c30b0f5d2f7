// The grid: one cell has the focus (roving tabindex), arrows and Enter move it, keys fill it, a block may be selected.
// Closed lists: the <td> itself has the focus. Text: the <textarea> in it, so that a composition has a place to begin.
import type { Cell, Change, Column } from "./sheet";
import { choiceOf, countCharacters } from "./sheet";
import { readTsv, writeTsv } from "./tsv";

export interface GridEvents {
  /** Values to set, as one step of undo. */
  change(changes: Change[]): void;
  undo(): void;
  redo(): void;
  moved(cell: Cell, selected: number): void;
  say(message: string): void;
  takeMine(cell: Cell): void;
  takeTheirs(cell: Cell): void;
}

export class Grid {
  active: Cell;
  private anchor: Cell;
  private editing = false;
  private composing = false;
  private before = "";
  private leaving = false;
  private dragging = false;
  readonly: boolean;

  constructor(
    private readonly table: HTMLTableElement,
    readonly cells: Cell[][],
    private readonly events: GridEvents,
    readonly_: boolean,
  ) {
    this.readonly = readonly_;
    this.active = this.anchor = cells[0]![0]!;
    table.setAttribute("role", "grid");
    table.setAttribute("aria-multiselectable", "true");
    for (const cell of cells.flat()) this.build(cell);
    this.setReadonly(readonly_);
    this.markActive();
    table.addEventListener("focusin", (event) => this.focused(event));
    table.addEventListener("keydown", (event) => this.key(event));
    table.addEventListener("mousedown", (event) => this.pressed(event));
    table.addEventListener("mouseover", (event) => this.dragged(event));
    document.addEventListener("mouseup", () => (this.dragging = false));
    for (const kind of ["copy", "cut", "paste"] as const) document.addEventListener(kind, (event) => this.clipboard(kind, event));
  }

  get column(): Column {
    return this.active.column;
  }

  setReadonly(readonly: boolean): void {
    this.readonly = readonly;
    this.table.setAttribute("aria-readonly", String(readonly));
    for (const area of this.table.querySelectorAll("textarea")) area.readOnly = readonly;
  }

  private build(cell: Cell): void {
    const { td, column } = cell;
    td.setAttribute("role", "gridcell");
    if (!cell.applies) {
      td.tabIndex = -1;
      td.setAttribute("aria-disabled", "true");
      return;
    }
    td.replaceChildren();
    if (column.allowed.length > 0) {
      td.tabIndex = -1;
      td.append(Object.assign(document.createElement("span"), { className: "mark-value" }));
    } else {
      const area = document.createElement("textarea");
      area.className = "mark-text";
      area.rows = 1;
      area.tabIndex = -1;
      area.setAttribute("aria-label", `${cell.name} ${column.label}`);
      area.addEventListener("compositionstart", () => this.beginEdit(cell));
      area.addEventListener("compositionend", () => {
        this.composing = false;
        this.typed(cell);
      });
      area.addEventListener("input", (event) => {
        this.beginEdit(cell);
        this.composing = (event as InputEvent).isComposing;
        if (!this.composing) this.typed(cell);
      });
      area.addEventListener("blur", () => this.endEdit());
      td.append(area);
    }
    this.show(cell);
  }

  /** Brings the page in line with the value and state of `cell`. */
  show(cell: Cell): void {
    if (!cell.applies) return;
    const { td, column } = cell;
    const area = this.area(cell);
    if (area) {
      if (!(this.editing && cell === this.active) && area.value !== cell.value) area.value = cell.value;
      const over = countCharacters(cell.value) > column.most;
      area.setAttribute("aria-invalid", String(cell.state === "invalid" || over));
    } else {
      td.querySelector(".mark-value")!.textContent = cell.value;
      td.setAttribute("aria-invalid", String(cell.state === "invalid"));
    }
    td.dataset["state"] = cell.state;
    const described = area ?? td;
    const id = `note-${cell.row}-${cell.col}`;
    document.getElementById(id)?.remove();
    described.removeAttribute("aria-describedby");
    if (cell.message) {
      const note = this.note(cell, id);
      this.notes(cell).append(note);
      described.setAttribute("aria-describedby", id);
    }
    const place = td.parentElement!.nextElementSibling;
    if (place?.classList.contains("mark-notes") && place.querySelector(".mark-note") === null) place.remove();
  }

  /** The line under a pupil's line, for what there is to say about its cells. */
  private notes(cell: Cell): HTMLElement {
    const tr = cell.td.parentElement as HTMLTableRowElement;
    const next = tr.nextElementSibling;
    if (next?.classList.contains("mark-notes")) return next.querySelector("td")!;
    const line = document.createElement("tr");
    line.className = "mark-notes";
    line.insertCell().colSpan = tr.cells.length;
    tr.after(line);
    return line.cells[0]!;
  }

  private note(cell: Cell, id: string): HTMLElement {
    const note = document.createElement("div");
    note.className = "mark-note";
    note.id = id;
    const line = (text: string) => note.append(Object.assign(document.createElement("p"), { textContent: text }));
    line(`${cell.name} ${cell.column.label}：${cell.message}`);
    if (cell.state !== "conflict" || !cell.theirs) return note;
    const { value, who, at } = cell.theirs;
    line(`自分の値：${cell.value || "（空欄）"}`);
    line(`${who || "ほかの人"}の値${at ? `（${at}）` : ""}：${value || "（空欄）"}`);
    const choose = (text: string, act: () => void) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text, className: "button button-secondary button-small" });
      button.addEventListener("click", () => {
        act();
        this.focus(cell);
      });
      note.append(button);
    };
    choose("自分の値にする", () => this.events.takeMine(cell));
    choose("相手の値にする", () => this.events.takeTheirs(cell));
    return note;
  }

  private area(cell: Cell): HTMLTextAreaElement | null {
    return cell.td.querySelector("textarea");
  }

  private at(row: number, col: number): Cell {
    const clamp = (value: number, most: number) => Math.max(0, Math.min(most, value));
    return this.cells[clamp(row, this.cells.length - 1)]![clamp(col, this.cells[0]!.length - 1)]!;
  }

  private cellOf(target: EventTarget | null): Cell | null {
    const td = (target as Element | null)?.closest?.("td");
    return td ? (this.cells.flat().find((cell) => cell.td === td) ?? null) : null;
  }

  // --- focus and selection

  focus(cell: Cell, extend = false): void {
    this.endEdit();
    this.active = cell;
    if (!extend) this.anchor = cell;
    this.markActive();
    const place = this.area(cell) ?? cell.td;
    place.focus({ preventScroll: true });
    cell.td.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private focused(event: FocusEvent): void {
    const cell = this.cellOf(event.target);
    if (!cell) return;
    this.leaving = false;
    if (cell !== this.active) {
      this.active = this.anchor = cell;
      this.markActive();
    }
    const area = this.area(cell);
    if (area && !this.editing) area.setSelectionRange(area.value.length, area.value.length);
    this.events.moved(this.active, this.selection().length);
  }

  private markActive(): void {
    const selected = new Set(this.selection());
    for (const cell of this.cells.flat()) {
      (this.area(cell) ?? cell.td).tabIndex = cell === this.active ? 0 : -1;
      cell.td.setAttribute("aria-selected", String(selected.has(cell)));
      cell.td.classList.toggle("is-selected", selected.size > 1 && selected.has(cell));
    }
    this.events.moved(this.active, selected.size);
  }

  private corners(): { top: number; left: number; bottom: number; right: number } {
    const { active: a, anchor: b } = this;
    return {
      top: Math.min(a.row, b.row),
      bottom: Math.max(a.row, b.row),
      left: Math.min(a.col, b.col),
      right: Math.max(a.col, b.col),
    };
  }

  selection(): Cell[] {
    const { top, bottom, left, right } = this.corners();
    return this.cells.slice(top, bottom + 1).flatMap((row) => row.slice(left, right + 1));
  }

  private pressed(event: MouseEvent): void {
    const cell = this.cellOf(event.target);
    if (!cell || event.button !== 0) return;
    if (event.shiftKey) {
      event.preventDefault();
      this.focus(cell, true);
      return;
    }
    this.dragging = true;
    if (this.area(cell)) {
      if (cell !== this.active) this.focus(cell);
      else this.beginEdit(cell);
    } else {
      event.preventDefault();
      this.focus(cell);
    }
  }

  private dragged(event: MouseEvent): void {
    const cell = this.dragging && event.buttons === 1 ? this.cellOf(event.target) : null;
    if (!cell || cell === this.active) return;
    this.endEdit();
    this.active = cell;
    this.markActive();
  }

  // --- keys

  private key(event: KeyboardEvent): void {
    // While a composition runs every key belongs to it: Enter confirms the text, it moves and submits nothing.
    if (event.isComposing || event.keyCode === 229) return;
    if (!this.cellOf(event.target)) return;
    if (this.editing ? this.keyInText(event) : this.keyInGrid(event)) event.preventDefault();
  }

  /** In the text of a cell: true when the key was ours. */
  private keyInText(event: KeyboardEvent): boolean {
    switch (event.key) {
      case "Enter":
        if (event.shiftKey || event.altKey) {
          if (event.altKey) this.insert("\n");
          return event.altKey;
        }
        this.move(1, 0);
        return true;
      case "Tab":
        return this.tab(event.shiftKey);
      case "Escape":
        this.cancelEdit();
        return true;
      default:
        return false;
    }
  }

  private keyInGrid(event: KeyboardEvent): boolean {
    const command = event.ctrlKey || event.metaKey;
    const move = MOVES[event.key];
    if (move) {
      const far = command ? 10_000 : 1;
      this.move(move[0] * far, move[1] * far, event.shiftKey);
      return true;
    }
    if (command) return this.command(event);
    switch (event.key) {
      case "Enter":
        if (this.active.theirs) document.getElementById(`note-${this.active.row}-${this.active.col}`)!.querySelector("button")!.focus();
        else if (this.area(this.active) && !this.readonly && !event.shiftKey) this.beginEdit(this.active);
        else this.move(event.shiftKey ? -1 : 1, 0);
        return true;
      case "F2":
        if (this.area(this.active)) this.beginEdit(this.active);
        return true;
      case "Tab":
        return this.tab(event.shiftKey);
      case "Escape":
        this.anchor = this.active;
        this.markActive();
        this.leaving = true;
        this.events.say("もう一度 Tab を押すと表の外へ出ます。");
        return true;
      case "Home":
      case "End":
        this.focus(this.at(this.active.row, event.key === "Home" ? 0 : 10_000), event.shiftKey);
        return true;
      case "PageUp":
      case "PageDown":
        this.move(event.key === "PageUp" ? -10 : 10, 0, event.shiftKey);
        return true;
      case "Delete":
      case "Backspace":
        this.fill(() => "");
        return true;
      default:
        return this.typeChoice(event);
    }
  }

  private command(event: KeyboardEvent): boolean {
    const letter = event.key.toLowerCase();
    if (letter === "z" && !event.shiftKey) this.events.undo();
    else if (letter === "y" || letter === "z") this.events.redo();
    else if (letter === "a") {
      this.anchor = this.at(0, 0);
      this.active = this.at(10_000, 10_000);
      this.markActive();
    } else return false;
    return true;
  }

  private typeChoice(event: KeyboardEvent): boolean {
    if (this.column.allowed.length === 0 || event.altKey) return false;
    const typed = event.key.length === 1 ? event.key : (/^(?:Key|Digit|Numpad)(.)$/.exec(event.code)?.[1] ?? "");
    if (typed === "" || this.readonly) return false;
    if (typed === " ") this.choose(this.column.allowed.length === 1 && this.active.value === "" ? this.column.allowed[0]! : "");
    else this.choose(typed);
    return true;
  }

  /** A value of the closed list, typed or tapped: fills what is selected, or the cell and moves down. */
  choose(typed: string): void {
    const value = choiceOf(this.column, typed);
    if (value === null) {
      this.events.say(`「${typed}」は${this.column.label}に入れられません。${this.column.allowed.join("・")}か空欄です。`);
      return;
    }
    const many = this.selection().length > 1;
    if (!many && !this.active.applies) this.events.say(`${this.active.name}の学年には、${this.column.label}の欄がありません。`);
    this.fill((cell) => (cell.column.allowed.length > 0 ? choiceOf(cell.column, typed) : null));
    if (!many && value !== "") this.move(1, 0);
  }

  private fill(value: (cell: Cell) => string | null): void {
    if (this.readonly) return;
    const changes = this.selection().flatMap((cell) => {
      const next = cell.applies ? value(cell) : null;
      return next === null || next === cell.value ? [] : [{ cell, value: next }];
    });
    if (changes.length > 0) this.events.change(changes);
  }

  private move(rows: number, cols: number, extend = false): void {
    this.focus(this.at(this.active.row + rows, this.active.col + cols), extend);
  }

  /** The next cell in reading order; past the ends, and after Esc, out of the grid. */
  private tab(back: boolean): boolean {
    const width = this.cells[0]!.length;
    const place = this.active.row * width + this.active.col + (back ? -1 : 1);
    if (this.leaving || place < 0 || place >= width * this.cells.length) {
      this.endEdit();
      return false;
    }
    this.focus(this.at(Math.floor(place / width), place % width));
    return true;
  }

  // --- text

  private beginEdit(cell: Cell): void {
    if (this.editing || this.readonly || !this.area(cell)) return;
    this.editing = true;
    this.before = cell.value;
    this.anchor = this.active = cell;
    cell.td.classList.add("is-editing");
  }

  private typed(cell: Cell): void {
    const area = this.area(cell)!;
    if (area.value === cell.value) return;
    // Undo takes the whole edit back at its end; until then the text field has its own.
    this.events.change([{ cell, value: area.value }]);
    this.events.moved(cell, 1);
  }

  private endEdit(): void {
    if (!this.editing) return;
    const cell = this.active;
    this.editing = this.composing = false;
    cell.td.classList.remove("is-editing");
    this.show(cell);
  }

  private cancelEdit(): void {
    const cell = this.active;
    const area = this.area(cell)!;
    area.value = this.before;
    if (cell.value !== this.before) this.events.change([{ cell, value: this.before }]);
    this.endEdit();
  }

  private insert(text: string): void {
    const area = this.area(this.active)!;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    this.typed(this.active);
  }

  // --- clipboard

  private clipboard(kind: "copy" | "cut" | "paste", event: ClipboardEvent): void {
    if (!this.table.contains(document.activeElement) || this.editing || !event.clipboardData) return;
    event.preventDefault();
    if (kind === "paste") {
      if (!this.readonly) this.paste(event.clipboardData.getData("text/plain"));
      return;
    }
    const { top, bottom, left, right } = this.corners();
    const rows = this.cells.slice(top, bottom + 1).map((row) => row.slice(left, right + 1).map((cell) => cell.value));
    event.clipboardData.setData("text/plain", writeTsv(rows));
    if (kind === "cut") this.fill(() => "");
    this.events.say(`${rows.length}行${rows[0]!.length}列を写しました。`);
  }

  private paste(text: string): void {
    const block = readTsv(text);
    const first = block[0];
    if (!first) return;
    const { top, left } = this.corners();
    if (block.length === 1 && first.length === 1 && this.selection().length > 1) {
      this.fill(() => first[0]!);
      return;
    }
    const changes: Change[] = [];
    let outside = 0;
    block.forEach((line, down) =>
      line.forEach((value, across) => {
        const cell = this.cells[top + down]?.[left + across];
        if (!cell || (!cell.applies && value.trim() !== "" && value.trim() !== "―")) outside++;
        else if (!cell.applies) return;
        else {
          const known = cell.column.allowed.length > 0 ? (choiceOf(cell.column, value) ?? value) : value;
          if (known !== cell.value) changes.push({ cell, value: known });
        }
      }),
    );
    if (changes.length > 0) this.events.change(changes);
    this.anchor = this.at(top, left);
    this.active = this.at(top + block.length - 1, left + Math.max(...block.map((line) => line.length)) - 1);
    this.markActive();
    const told = `${changes.length}か所に貼り付けました。`;
    this.events.say(outside > 0 ? `${told}表の外とその学年にない${outside}か所は貼り付けていません。` : told);
  }
}

const MOVES: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};
