// Finding a pupil by keyboard: "/" goes to the search field, arrows walk through what was found. Works without this script.
const field = document.querySelector<HTMLInputElement>("#f-q");

function links(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("#results tbody th a")];
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && field && !typing(event.target)) {
    event.preventDefault();
    field.focus();
    field.select();
    return;
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = links();
  const place = all.findIndex((link) => link === document.activeElement);
  if (place < 0 && document.activeElement !== field) return;
  if (place < 0 && event.key === "ArrowUp") return;
  event.preventDefault();
  if (place === 0 && event.key === "ArrowUp") field?.focus();
  else all[place + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
});

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-check-all]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const boxes = [...document.querySelectorAll<HTMLInputElement>(`input[name="${button.dataset.checkAll}"]`)];
    const on = boxes.some((box) => !box.checked);
    for (const box of boxes) box.checked = on;
  });
}
