// The sheet as values: pupils × columns, what stands on the server and what was typed here.

export interface Column {
  key: string;
  label: string;
  /** Closed list; empty = text. */
  allowed: string[];
  /** Longest text, in characters as people count them. */
  most: number;
}

/** clean: as on the server · dirty: to be saved · the others wait for the person. */
export type State = "clean" | "dirty" | "invalid" | "conflict" | "locked";

export interface Theirs {
  value: string;
  version: number;
  who: string;
  at: string;
}

export interface Cell {
  td: HTMLTableCellElement;
  row: number;
  col: number;
  pupil: string;
  name: string;
  column: Column;
  /** Whether the pupil's 学年 has this column; in a class of several 学年 not every one has. */
  applies: boolean;
  value: string;
  version: number;
  state: State;
  message: string;
  theirs: Theirs | null;
}

export interface Change {
  cell: Cell;
  value: string;
}

const CIRCLES = new Set(["○", "〇", "◯", "⭕", "O", "0"]);

/** The value of a closed list that was meant, or null. The server decides; this is for the key that was just pressed. */
export function choiceOf(column: Column, typed: string): string | null {
  const value = typed.normalize("NFKC").replace("\ufe0f", "").trim().toUpperCase();
  if (value === "") return "";
  if (column.allowed.length === 1 && column.allowed[0] === "○" && CIRCLES.has(value)) return "○";
  return column.allowed.includes(value) ? value : null;
}

/** Characters as people count them: no line ends; a base with its variation selector or 濁点 is one. */
export function countCharacters(text: string): number {
  return [...text.replace(/[\n\r]/g, "").replace(/[\ufe00-\ufe0f\u3099\u309a]|[\u{e0100}-\u{e01ef}]/gu, "")].length;
}

export function readSheet(table: HTMLTableElement): Cell[][] {
  const columns: Column[] = [...table.tHead!.rows[0]!.cells].slice(2).map((th) => ({
    key: th.dataset["column"]!,
    label: th.dataset["label"]!,
    allowed: (th.dataset["allowed"] ?? "").split(" ").filter(Boolean),
    most: Number(th.dataset["most"] ?? 0),
  }));
  return [...table.tBodies[0]!.rows].map((tr, row) =>
    [...tr.cells].slice(2).map((td, col) => ({
      td,
      row,
      col,
      pupil: tr.dataset["pupil"]!,
      name: tr.dataset["name"]!,
      column: columns[col]!,
      applies: td.dataset["none"] === undefined,
      value: td.dataset["none"] === undefined ? valueOf(td) : "",
      version: Number(td.dataset["version"] ?? 0),
      state: "clean" as State,
      message: "",
      theirs: null,
    })),
  );
}

function valueOf(td: HTMLTableCellElement): string {
  const input = td.querySelector<HTMLSelectElement | HTMLTextAreaElement>("select, textarea");
  return input ? input.value : (td.textContent ?? "").trim();
}
