// Dropping a file on the form, and a bar while it travels. Without this script the form works as it is.
export {};

const CHECKING = "届きました。内容を確認しています。";

function show(form: HTMLFormElement, words: string, percent: number | null): void {
  const box = form.querySelector<HTMLElement>("[data-upload-progress]");
  const status = form.querySelector<HTMLElement>("[data-upload-status]");
  const bar = form.querySelector("progress");
  if (!box || !status || !bar) return;
  box.hidden = false;
  if (status.textContent !== words) status.textContent = words;
  if (percent === null) bar.removeAttribute("value");
  else bar.value = percent;
}

function refused(form: HTMLFormElement, words: string): void {
  const box = form.querySelector<HTMLElement>("[data-upload-progress]");
  if (box) box.hidden = true;
  const input = form.querySelector<HTMLInputElement>('input[type="file"]');
  let told = form.querySelector<HTMLElement>("[data-upload-refused]");
  if (!told) {
    told = document.createElement("p");
    told.className = "error";
    told.dataset["uploadRefused"] = "";
    told.setAttribute("role", "alert");
    input?.before(told);
  }
  told.textContent = words;
  input?.focus();
}

function send(form: HTMLFormElement): void {
  const button = form.querySelector<HTMLButtonElement>("button");
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  request.setRequestHeader("X-CSRF-Token", token);
  form.querySelector("[data-upload-refused]")?.remove();
  if (button) button.disabled = true;
  show(form, "送っています。", 0);
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) show(form, "送っています。", Math.round((event.loaded / event.total) * 100));
  });
  request.upload.addEventListener("load", () => show(form, CHECKING, null));
  request.addEventListener("loadend", () => {
    if (button) button.disabled = false;
    let answer: { location?: string; message?: string } = {};
    try {
      answer = JSON.parse(request.responseText) as typeof answer;
    } catch {
      // not JSON: the connection broke, or something in between answered
    }
    if (request.status === 200 && answer.location) {
      window.location.assign(answer.location);
      return;
    }
    refused(form, answer.message ?? "送れませんでした。接続を確かめて、もう一度送ってください。名簿は変わっていません。");
  });
  request.send(new FormData(form));
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-upload]")) {
  const drop = form.querySelector<HTMLElement>("[data-drop]");
  const input = form.querySelector<HTMLInputElement>('input[type="file"]');
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  for (const name of ["dragenter", "dragover"]) {
    drop?.addEventListener(name, (event) => {
      event.preventDefault();
      drop.dataset["over"] = "";
    });
  }
  for (const name of ["dragleave", "drop"]) drop?.addEventListener(name, () => delete drop.dataset["over"]);
  drop?.addEventListener("drop", (event) => {
    event.preventDefault();
    const files = event.dataTransfer?.files;
    if (input && files?.length) input.files = files;
  });
}
