// The official form beside the grid: it follows the pupil and what was saved. Never leaves the page: a needed second factor is offered here.
import htmx from "htmx.org";
import { stepUp } from "../shell/step-up";

const PAUSE_MS = 300;

export class Preview {
  private pupil = "";
  private timer: number | undefined;
  private readonly body: HTMLElement;

  constructor(private readonly pane: HTMLElement) {
    this.body = pane.querySelector<HTMLElement>("[data-preview-body]")!;
    document.addEventListener("htmx:beforeOnLoad", (event) => {
      const { xhr, target } = (event as CustomEvent<{ xhr: XMLHttpRequest; target: HTMLElement }>).detail;
      if (target !== this.body || xhr.status !== 401) return;
      event.preventDefault();
      this.offerStepUp();
    });
    const toggle = document.querySelector<HTMLButtonElement>("[data-preview-toggle]");
    toggle?.addEventListener("click", () => {
      const open = pane.classList.toggle("is-open");
      toggle.setAttribute("aria-expanded", String(open));
      this.refresh();
      if (open) pane.scrollIntoView({ block: "start" });
    });
  }

  show(pupil: string, name: string): void {
    if (pupil === this.pupil) return;
    this.pupil = pupil;
    this.pane.querySelector("[data-preview-name]")!.textContent = name;
    this.refresh();
  }

  refresh(): void {
    clearTimeout(this.timer);
    if (this.pupil === "" || this.pane.offsetParent === null) return;
    this.timer = window.setTimeout(() => {
      const url = `${this.pane.dataset["preview"]}&pupil=${encodeURIComponent(this.pupil)}`;
      void htmx.ajax("get", url, { target: this.body, swap: "innerHTML", source: this.body }).catch(() => undefined);
    }, PAUSE_MS);
  }

  private offerStepUp(): void {
    const line = document.createElement("p");
    line.textContent = "この様式を見るには、あらためて本人確認が必要です。";
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-secondary", textContent: "本人確認をする" });
    button.addEventListener("click", async () => {
      if (await stepUp("様式を見るには二要素認証が必要です。")) this.refresh();
    });
    this.body.replaceChildren(line, button);
  }
}
