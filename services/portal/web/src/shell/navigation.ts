// The side navigation on narrow screens, and the list of keys.
const toggle = document.querySelector<HTMLButtonElement>("[data-nav-toggle]");
const nav = document.getElementById("site-nav");

function show(open: boolean): void {
  toggle?.setAttribute("aria-expanded", String(open));
  nav?.classList.toggle("is-open", open);
}
toggle?.addEventListener("click", () => show(toggle.getAttribute("aria-expanded") !== "true"));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && toggle?.getAttribute("aria-expanded") === "true") {
    show(false);
    toggle.focus();
  }
  if (event.key !== "?" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.isContentEditable || target.matches("input, textarea, select")) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  (document.getElementById("key-help") as HTMLDialogElement | null)?.showModal();
});
