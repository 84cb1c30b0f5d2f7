// What is typed into <form data-keep> is not lost to a closed tab, an ended session or a second factor asked for in the middle: the
// fields that differ from the page are kept (kept.ts) and put back, with a sentence, when the same person opens the page again.
import { forgetAll, keep, keptAt, removeStrangers } from "./kept";

type Values = string[];
/** One field: what was typed, and what the page said when it was typed. */
interface Typed {
  typed: Values;
  base: Values;
}
type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const SENT = "komu.sent";
const LEFT_OUT = new Set(["hidden", "password", "file", "submit", "button", "reset", "image"]);
const changed = new Set<HTMLFormElement>();
const kept = new WeakMap<HTMLFormElement, Map<string, Typed>>();

function place(form: HTMLFormElement): string {
  const { pathname, search } = new URL(form.getAttribute("action") || location.href, location.href);
  return pathname + search;
}

function fieldsOf(form: HTMLFormElement): Map<string, Field[]> {
  const fields = new Map<string, Field[]>();
  for (const element of form.elements) {
    const field = element as Field;
    if (!field.name || !field.matches("input, textarea, select") || LEFT_OUT.has(field.type) || field.matches(":disabled")) continue;
    fields.set(field.name, [...(fields.get(field.name) ?? []), field]);
  }
  return fields;
}

/** The values a field of this name has, or had when the page came. */
function valuesOf(fields: Field[], when: "now" | "first"): Values {
  return fields.flatMap((field) => {
    if (field instanceof HTMLSelectElement) {
      const options = [...field.options];
      if (when === "now") return options.filter((option) => option.selected).map((option) => option.value);
      const first = options.filter((option) => option.defaultSelected);
      return (first.length > 0 || field.multiple ? first : options.slice(0, 1)).map((option) => option.value);
    }
    if (field.type === "radio" || field.type === "checkbox") {
      const { checked, defaultChecked } = field as HTMLInputElement;
      return (when === "now" ? checked : defaultChecked) ? [field.value] : [];
    }
    return [when === "now" ? field.value : field.defaultValue];
  });
}

function put(fields: Field[], values: Values): void {
  fields.forEach((field, at) => {
    if (field instanceof HTMLSelectElement) for (const option of field.options) option.selected = values.includes(option.value);
    else if (field.type === "radio" || field.type === "checkbox") (field as HTMLInputElement).checked = values.includes(field.value);
    else field.value = values[at] ?? "";
  });
}

const same = (one: Values, other: Values) => one.length === other.length && one.every((value, at) => value === other[at]);

function note(form: HTMLFormElement): void {
  const known = kept.get(form) ?? new Map<string, Typed>();
  for (const [name, fields] of fieldsOf(form)) {
    const typed = valuesOf(fields, "now");
    const base = known.get(name)?.base ?? valuesOf(fields, "first");
    if (same(typed, base)) known.delete(name);
    else known.set(name, { typed, base });
  }
  kept.set(form, known);
  if (known.size > 0) changed.add(form);
  else changed.delete(form);
  void keep(place(form), known.size > 0 ? [...known] : null);
}

function labelOf(field: Field): string {
  const label = field.closest("fieldset")?.querySelector("legend") ?? (field.labels?.[0] as HTMLElement | undefined);
  return (label?.innerText ?? field.name).replace(/\s+/g, " ").trim();
}

function tell(form: HTMLFormElement, overtaken: string[]): void {
  const box = Object.assign(document.createElement("div"), { className: `notice notice-${overtaken.length > 0 ? "warning" : "info"}` });
  box.setAttribute("role", "status");
  box.dataset["restored"] = "";
  const lines = ["保存していなかった入力を戻しました。確かめてから保存してください。"];
  if (overtaken.length > 0) {
    const shown = overtaken.slice(0, 5).join("、") + (overtaken.length > 5 ? `、ほか${overtaken.length - 5}か所` : "");
    lines.push(`入力した後に、ほかの人が同じところを保存しています：${shown}。このまま保存すると、あなたの入力に変わります。`);
  }
  for (const [at, line] of lines.entries()) {
    box.append(Object.assign(document.createElement("p"), { textContent: line, className: at === 0 ? "notice-title" : "" }));
  }
  const drop = Object.assign(document.createElement("button"), {
    type: "button",
    className: "button button-secondary button-small",
    textContent: "戻した入力を捨てる",
  });
  drop.addEventListener("click", () => {
    form.reset();
    kept.delete(form);
    note(form);
    box.remove();
    form.dispatchEvent(new Event("change", { bubbles: true }));
  });
  box.append(drop);
  form.before(box);
}

async function restore(form: HTMLFormElement): Promise<void> {
  const known = new Map((await keptAt<[string, Typed][]>(place(form))) ?? []);
  // The form came back with what is wrong, or with what somebody else saved: it shows what was typed, and is not saved yet.
  if (form.dataset["keep"] === "unsaved" || document.querySelector("[data-error-summary]")) {
    kept.set(form, known);
    note(form);
    return;
  }
  const overtaken = new Set<string>();
  let restored = false;
  for (const [name, fields] of fieldsOf(form)) {
    const { typed, base } = known.get(name) ?? {};
    const first = valuesOf(fields, "first");
    if (!typed || !base || same(typed, first)) continue;
    if (!same(base, first)) overtaken.add(labelOf(fields[0]!));
    put(fields, typed);
    restored = true;
  }
  note(form);
  if (!restored) return;
  tell(form, [...overtaken]);
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("input", (event) => {
  const form = (event.target as Element).closest<HTMLFormElement>("form[data-keep]");
  if (form?.dataset["ready"] !== undefined) note(form);
});
document.addEventListener("change", (event) => {
  const form = (event.target as Element).closest<HTMLFormElement>("form[data-keep]");
  if (form?.dataset["ready"] !== undefined && event.target !== form) note(form);
});
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (event.defaultPrevented) return;
  changed.delete(form);
  if (form.matches('[action="/sign-out"]')) forgetAll();
  else if (form.matches("[data-keep]")) sessionStorage.setItem(SENT, place(form));
});
window.addEventListener("beforeunload", (event) => {
  for (const form of changed) if (!form.isConnected) changed.delete(form);
  if (changed.size) event.preventDefault();
});

/** Saved, says the page that follows: what was kept for the form sent from this tab is forgotten. Anything else leaves it. */
function forgetSaved(): void {
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  if (sent && document.querySelector("#toasts .toast-success")) void keep(sent, null);
}

async function begin(): Promise<void> {
  forgetSaved();
  await removeStrangers();
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-keep]")) {
    await restore(form);
    form.dataset["ready"] = "";
  }
}
void begin();
