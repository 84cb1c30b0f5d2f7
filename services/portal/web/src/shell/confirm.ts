// Questions before something that cannot be taken back, as a native <dialog>.
//   <form data-confirm="学期を締めます。よろしいですか。" data-confirm-button="締める">   or  hx-confirm="…"
//   <button data-dialog-open="id-of-dialog">  opens a <dialog> of the page; <button data-dialog-close> closes it

interface Question {
  title: string;
  text: string;
  confirm: string;
  danger?: boolean;
  onConfirm?: () => void;
  /** Keep the dialog after confirming, until `closeWhen` resolves or the person cancels. */
  stayOpen?: boolean;
  closeWhen?: Promise<unknown>;
}

export function ask(question: Question): Promise<boolean> {
  const template = document.getElementById("confirm-template") as HTMLTemplateElement;
  const dialog = template.content.firstElementChild!.cloneNode(true) as HTMLDialogElement;
  const part = (name: string) => dialog.querySelector<HTMLElement>(`[data-part="${name}"]`)!;
  part("title").textContent = question.title;
  part("text").textContent = question.text;
  const confirm = part("confirm");
  confirm.textContent = question.confirm;
  confirm.classList.toggle("button-danger", question.danger ?? false);
  document.body.append(dialog);
  return new Promise((resolve) => {
    const finish = (answer: boolean) => {
      if (!dialog.isConnected) return;
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    confirm.addEventListener("click", () => {
      question.onConfirm?.();
      if (!question.stayOpen) finish(true);
    });
    part("cancel").addEventListener("click", () => finish(false));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(false);
    });
    void question.closeWhen?.then(() => finish(true));
    dialog.showModal();
  });
}

document.addEventListener("htmx:confirm", (event) => {
  const { detail } = event as CustomEvent<{ question: string | null; issueRequest: (skip: boolean) => void; elt: HTMLElement }>;
  if (!detail.question) return;
  event.preventDefault();
  const { confirmTitle, confirmButton, confirmDanger } = detail.elt.dataset;
  void ask({
    title: confirmTitle ?? "確認",
    text: detail.question,
    confirm: confirmButton ?? "実行する",
    danger: confirmDanger !== undefined,
  }).then((yes) => yes && detail.issueRequest(true));
});

const confirmed = new WeakSet<HTMLFormElement>();
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target as HTMLFormElement;
    const button = event.submitter as HTMLButtonElement | null;
    const text = button?.dataset["confirm"] ?? form.dataset["confirm"];
    if (!text || confirmed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const data = { ...form.dataset, ...button?.dataset };
    void ask({
      title: data["confirmTitle"] ?? "確認",
      text,
      confirm: data["confirmButton"] ?? button?.textContent?.trim() ?? "実行する",
      danger: data["confirmDanger"] !== undefined,
    }).then((yes) => {
      if (!yes) return;
      confirmed.add(form);
      form.requestSubmit(button);
    });
  },
  true,
);

document.addEventListener("click", (event) => {
  const target = event.target as Element;
  const opener = target.closest<HTMLElement>("[data-dialog-open]");
  if (opener) {
    (document.getElementById(opener.dataset["dialogOpen"]!) as HTMLDialogElement | null)?.showModal();
    return;
  }
  target.closest("[data-dialog-close]")?.closest("dialog")?.close();
});
