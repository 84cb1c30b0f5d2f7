// The board as it stands in the page: cards, columns, what is selected, and the balance told above each column.

export interface Wish {
  first: string;
  second: string;
  kind: string;
}

export const board = document.getElementById("board")!;
const cards = new Map<string, HTMLElement>();
for (const card of board.querySelectorAll<HTMLElement>("[data-pupil]")) cards.set(card.dataset["pupil"]!, card);

export const columns = [...board.querySelectorAll<HTMLElement>("[data-column]")];
export let wishes = JSON.parse(board.dataset["pairs"] ?? "[]") as Wish[];

export function cardOf(pupil: string): HTMLElement | undefined {
  return cards.get(pupil);
}

export function columnOf(card: HTMLElement): HTMLElement {
  return card.closest<HTMLElement>("[data-column]")!;
}

export function classOf(card: HTMLElement): string {
  return columnOf(card).dataset["column"]!;
}

export function columnNamed(classId: string): HTMLElement | undefined {
  return columns.find((column) => column.dataset["column"] === classId);
}

export function nameOf(column: HTMLElement): string {
  return column.querySelector("[data-name]")?.textContent ?? "";
}

export function cardsIn(column: HTMLElement): HTMLElement[] {
  return [...column.querySelectorAll<HTMLElement>("[data-pupil]")];
}

export function selected(): HTMLElement[] {
  return [...board.querySelectorAll<HTMLElement>('[data-pupil][aria-selected="true"]')];
}

export function select(card: HTMLElement, on: boolean): void {
  card.setAttribute("aria-selected", String(on));
  refreshTools();
}

export function clearSelection(): void {
  for (const card of selected()) card.setAttribute("aria-selected", "false");
  refreshTools();
}

/** One card of the board takes Tab; the arrows go on from there. */
export function focusCard(card: HTMLElement): void {
  for (const other of board.querySelectorAll<HTMLElement>('[data-pupil][tabindex="0"]')) other.tabIndex = -1;
  card.tabIndex = 0;
  card.focus();
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Puts a card into a column at its place in 五十音 order. */
export function put(card: HTMLElement, column: HTMLElement): void {
  const order = Number(card.dataset["order"]);
  const list = column.querySelector("ul")!;
  const next = cardsIn(column).find((other) => other !== card && Number(other.dataset["order"]) > order);
  const focused = document.activeElement === card;
  list.insertBefore(card, next ?? null);
  if (focused) card.focus();
}

export function part(card: HTMLElement, name: string, text: string, shown: boolean): void {
  const place = card.querySelector<HTMLElement>(`[data-part="${name}"]`);
  if (!place) return;
  place.textContent = text;
  place.hidden = !shown;
}

export function setWish(wish: Wish): void {
  const pair = new Set([wish.first, wish.second]);
  wishes = wishes.filter((other) => !(pair.has(other.first) && pair.has(other.second)));
  if (wish.kind) wishes.push(wish);
}

function kept(wish: Wish): boolean | null {
  const one = cards.get(wish.first);
  const other = cards.get(wish.second);
  if (!one || !other || !classOf(one) || !classOf(other)) return null;
  return (classOf(one) === classOf(other)) === (wish.kind === "together");
}

function tellBalance(column: HTMLElement): void {
  const here = cardsIn(column);
  const count = (sex: string) => here.filter((card) => card.dataset["sex"] === sex).length;
  const care = here.filter((card) => card.dataset["care"]).length;
  const bands = here.map((card) => Number(card.dataset["band"])).filter(Boolean);
  const words = [`${here.length}人`];
  if (count("男") + count("女")) words.push(`男${count("男")}・女${count("女")}`);
  if (care) words.push(`配慮${care}`);
  if (bands.length) words.push(`段階の平均${(bands.reduce((sum, band) => sum + band, 0) / bands.length).toFixed(1)}`);
  column.querySelector("[data-balance]")!.textContent = words.join("　");
}

export function refreshBoard(): void {
  columns.forEach(tellBalance);
  const places = columns.filter((column) => "even" in column.dataset).map((column) => cardsIn(column).length);
  const uneven = places.length > 1 && Math.max(...places) - Math.min(...places) > 1;
  board.querySelector<HTMLElement>("[data-uneven]")!.hidden = !uneven;
  for (const card of cards.values()) part(card, "wish", "", false);
  const list = board.querySelector<HTMLElement>("[data-wishes]")!;
  list.hidden = wishes.length === 0;
  list.querySelector("ul")!.replaceChildren(
    ...wishes.map((wish) => {
      const [one, other] = [cards.get(wish.first), cards.get(wish.second)];
      const fulfilled = kept(wish);
      const item = document.createElement("li");
      const what = wish.kind === "apart" ? "分けたい" : "一緒にしたい";
      const state = fulfilled === null ? "まだ学級なし" : fulfilled ? "希望どおり" : "希望どおりでない";
      item.textContent = `${one?.dataset["name"] ?? ""}と${other?.dataset["name"] ?? ""}（${what}）：${state}`;
      item.classList.toggle("board-broken", fulfilled === false);
      for (const card of [one, other]) if (card && fulfilled === false) part(card, "wish", `希望：${what}`, true);
      return item;
    }),
  );
  refreshTools();
}

export function refreshTools(): void {
  const chosen = selected();
  const editable = "editable" in board.dataset;
  for (const button of board.querySelectorAll<HTMLButtonElement>("[data-here]")) {
    button.disabled = !editable || chosen.length === 0;
  }
  for (const button of board.querySelectorAll<HTMLButtonElement>("[data-wish]")) {
    button.disabled = !editable || chosen.length !== 2;
  }
  board.querySelector<HTMLButtonElement>("[data-detail]")!.disabled = !editable || chosen.length !== 1;
}
