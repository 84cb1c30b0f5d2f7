// Short messages at the edge of the page. Success leaves by itself; a refusal stays until it is closed.
const SHOWN_MS = 6_000;

export function toast(message: string, kind: "success" | "error" = "success"): void {
  const place = document.getElementById("toasts");
  if (!place) return;
  const item = document.createElement("div");
  item.className = `toast toast-${kind}`;
  item.setAttribute("role", kind === "error" ? "alert" : "status");
  const text = document.createElement("p");
  text.textContent = message;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.dataset["toastClose"] = "";
  close.setAttribute("aria-label", "この知らせを閉じる");
  close.textContent = "×";
  item.append(text, close);
  place.append(item);
  if (kind === "success") leave(item);
}

function leave(item: HTMLElement): void {
  setTimeout(() => item.remove(), SHOWN_MS);
}

export function watchToasts(): void {
  document.addEventListener("komu:toast", (event) => toast((event as CustomEvent<{ message: string }>).detail.message));
  document.addEventListener("click", (event) => {
    (event.target as Element).closest("[data-toast-close]")?.closest(".toast")?.remove();
  });
  for (const item of document.querySelectorAll<HTMLElement>("#toasts .toast-success")) leave(item);
}
