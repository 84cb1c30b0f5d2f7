// Unsaved input survives a reload, a closed tab, an ended session and a lost connection, and nobody else can read it: it lies in the
// browser's storage, sealed with a key of the person that only pages served to that person carry (docs/adr/0012).

const PREFIX = "komu.kept:";

function secret(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="komu-keep-key"]')?.content ?? "";
}

async function key(): Promise<CryptoKey> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret()));
  return crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
}

const bytes = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const text = (data: Uint8Array) => btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));

let line: Promise<void> = Promise.resolve();

/** Keeps `value` for `place` (an address); null = forget. One after another, so that the last word stays. */
export function keep(place: string, value: unknown): Promise<void> {
  if (value === null) localStorage.removeItem(PREFIX + place);
  line = line.then(async () => {
    if (value === null) {
      localStorage.removeItem(PREFIX + place);
      return;
    }
    if (!secret()) return;
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), new TextEncoder().encode(JSON.stringify(value)));
    localStorage.setItem(PREFIX + place, `${text(iv)}.${text(new Uint8Array(sealed))}`);
  }).catch(() => undefined);
  return line;
}

async function opened(name: string): Promise<unknown> {
  const [iv, sealed] = (localStorage.getItem(name) ?? "").split(".");
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(iv!) }, await key(), bytes(sealed!));
  return JSON.parse(new TextDecoder().decode(plain));
}

/** What this person left at `place`, or null. */
export async function keptAt<T>(place: string): Promise<T | null> {
  return (await opened(PREFIX + place).catch(() => null)) as T | null;
}

function places(): string[] {
  return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
}

/** Removes what somebody else left behind in this browser: what this person's key does not open. */
export async function removeStrangers(): Promise<void> {
  if (!secret()) return;
  for (const name of places()) await opened(name).catch(() => localStorage.removeItem(name));
}

/** Signing out on purpose leaves nothing. */
export function forgetAll(): void {
  for (const name of places()) localStorage.removeItem(name);
}
