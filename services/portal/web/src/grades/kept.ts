// Unsaved values survive a reload, a closed tab and a lost connection, and nobody else can read them: they lie in the browser's
// storage under a key that lives as long as the session (made from its CSRF secret). Saved, they are removed; signed out, unreadable.
import { csrfToken } from "../shell/http";

const PREFIX = "komu.marks:";

export interface KeptEdit {
  pupil: string;
  column: string;
  value: string;
  version: number;
}

async function key(): Promise<CryptoKey> {
  const secret = new TextEncoder().encode(`komu.marks\n${csrfToken()}`);
  return crypto.subtle.importKey("raw", await crypto.subtle.digest("SHA-256", secret), "AES-GCM", false, ["encrypt", "decrypt"]);
}

const bytes = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const text = (data: Uint8Array) => btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));

let line: Promise<void> = Promise.resolve();

/** Keeps these edits for `sheet` (its address); none = forget. One after another, so that the last word stays. */
export function keep(sheet: string, edits: KeptEdit[]): Promise<void> {
  if (edits.length === 0) localStorage.removeItem(PREFIX + sheet);
  line = line.then(async () => {
    if (edits.length === 0) {
      localStorage.removeItem(PREFIX + sheet);
      return;
    }
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), new TextEncoder().encode(JSON.stringify(edits)));
    localStorage.setItem(PREFIX + sheet, `${text(iv)}.${text(new Uint8Array(sealed))}`);
  }).catch(() => undefined);
  return line;
}

/** What was kept for `sheet` in this session. Whatever another session left behind is removed, for every sheet. */
export async function takeOut(sheet: string): Promise<KeptEdit[]> {
  let mine: KeptEdit[] = [];
  for (const name of Object.keys(localStorage).filter((each) => each.startsWith(PREFIX))) {
    const [iv, sealed] = (localStorage.getItem(name) ?? "").split(".");
    try {
      const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv!) }, await key(), bytes(sealed!));
      if (name === PREFIX + sheet) mine = JSON.parse(new TextDecoder().decode(opened)) as KeptEdit[];
    } catch {
      localStorage.removeItem(name);
    }
  }
  return mine;
}
