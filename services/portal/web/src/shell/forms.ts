// Forms: Enter inside a composition never submits, a second click does not submit twice. What is not saved yet: unsaved.ts.

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) {
      if (event.target instanceof HTMLInputElement) event.preventDefault();
    }
  },
  true,
);

const sending = new WeakSet<HTMLFormElement>();
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (event.defaultPrevented || form.method === "dialog" || form.method === "get") return;
  if (sending.has(form)) {
    event.preventDefault();
    return;
  }
  sending.add(form);
  form.dataset["sending"] = "";
});
// Back from the browser's page store: the form may be sent again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// The summary of errors is read out first.
document.querySelector<HTMLElement>("[data-error-summary]")?.focus();
document.addEventListener("htmx:afterSettle", (event) => {
  (event.target as Element).querySelector<HTMLElement>("[data-error-summary]")?.focus();
});

// A file that the server would refuse for its size is told before it is sent: <input type="file" data-max-bytes="…">
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.dataset["maxBytes"]) return;
  const limit = Number(input.dataset["maxBytes"]);
  const tooLarge = [...(input.files ?? [])].find((file) => file.size > limit);
  input.setCustomValidity(tooLarge ? `${tooLarge.name} は大きすぎます（上限 ${Math.floor(limit / 1048576)} MB）。` : "");
  input.reportValidity();
});
