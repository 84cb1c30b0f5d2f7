// Saved as you go: edits wait a moment, travel together, and are sent again until there is an answer.
import { Away, Refusal, callJson } from "../shell/http";
import { keep } from "../shell/kept";
import { setOffline } from "../shell/offline";
import type { Cell } from "./sheet";

const PAUSE_MS = 600;
const MOST = 500;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** An edit as it waits in the browser for the next visit. */
export interface KeptEdit {
  pupil: string;
  column: string;
  value: string;
  version: number;
}
interface Sent {
  cell: Cell;
  value: string;
  version: number;
}
interface Batch {
  key: string;
  edits: Sent[];
}
interface Result {
  outcome: "saved" | "invalid" | "conflict" | "locked";
  value: string;
  version: number;
  who: string;
  at: string;
  message: string;
}
export type Status =
  | { kind: "saved" | "waiting" | "saving" | "away"; open: number }
  | { kind: "blocked"; open: number; message: string; signIn: boolean };

export class Saver {
  private readonly dirty = new Set<Cell>();
  /** Answered with a no: they wait for the person. */
  private readonly stuck = new Set<Cell>();
  private batch: Batch | null = null;
  private timer: number | undefined;
  private failures = 0;
  private running = false;
  private blocked: { message: string; signIn: boolean } | null = null;

  constructor(
    private readonly url: string,
    private readonly changed: (cell: Cell) => void,
    private readonly tell: (status: Status) => void,
    private readonly locked: (message: string) => void,
    private readonly saved: () => void,
  ) {
    window.addEventListener("online", () => this.now());
    window.addEventListener("beforeunload", (event) => {
      if (this.open > 0) event.preventDefault();
    });
  }

  /** Edits not yet on the server, whatever they wait for. */
  get open(): number {
    return this.cells().size;
  }

  private cells(): Set<Cell> {
    return new Set([...(this.batch?.edits.map((sent) => sent.cell) ?? []), ...this.dirty, ...this.stuck]);
  }

  put(cell: Cell): void {
    cell.state = "dirty";
    cell.message = "";
    cell.theirs = null;
    this.stuck.delete(cell);
    this.dirty.add(cell);
    this.changed(cell);
    this.keepAll();
    this.report();
    if (!this.blocked) this.later(PAUSE_MS);
  }

  /** The cell is to be forgotten here: the other person's value was taken, or the old one is back. */
  drop(cell: Cell): void {
    this.dirty.delete(cell);
    this.stuck.delete(cell);
    this.keepAll();
    this.report();
  }

  /** Try at once: the connection is back, the person has signed in again, or asked for it. */
  now(): void {
    this.blocked = null;
    this.failures = 0;
    void this.run();
  }

  keepAll(): void {
    const edits: KeptEdit[] = [...this.cells()].map((cell) => ({
      pupil: cell.pupil,
      column: cell.column.key,
      value: cell.value,
      version: cell.version,
    }));
    void keep(this.url, edits.length > 0 ? edits : null);
  }

  private later(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.run(), milliseconds);
  }

  private async run(): Promise<void> {
    if (this.running) return;
    clearTimeout(this.timer);
    this.running = true;
    try {
      while (this.nextBatch()) {
        this.report("saving");
        await this.send(this.batch!);
        this.batch = null;
        this.failures = 0;
        this.keepAll();
        setOffline(false);
        this.saved();
      }
      this.report();
    } catch (error) {
      this.failed(error);
    } finally {
      this.running = false;
    }
  }

  /** The batch without an answer goes again under its own key; only then new edits follow. */
  private nextBatch(): boolean {
    if (this.batch) return true;
    const cells = [...this.dirty].slice(0, MOST);
    if (cells.length === 0) return false;
    for (const cell of cells) this.dirty.delete(cell);
    this.batch = {
      key: crypto.randomUUID(),
      edits: cells.map((cell) => ({ cell, value: cell.value, version: cell.version })),
    };
    return true;
  }

  private async send(batch: Batch): Promise<void> {
    const { results } = await callJson<{ results: Result[] }>(this.url, {
      method: "POST",
      body: {
        idempotency_key: batch.key,
        edits: batch.edits.map(({ cell, value, version }) => ({ pupil_id: cell.pupil, column: cell.column.key, value, version })),
      },
    });
    batch.edits.forEach((sent, at) => this.settle(sent, results[at]!));
    const locked = results.find((result) => result.outcome === "locked");
    if (locked) this.locked(locked.message);
  }

  private settle({ cell, value }: Sent, result: Result): void {
    const typedOn = cell.value !== value;
    if (result.outcome === "saved") {
      cell.version = result.version;
      if (!typedOn) {
        cell.value = result.value;
        cell.state = "clean";
        cell.message = "";
      }
    } else if (!typedOn || result.outcome !== "invalid") {
      cell.state = result.outcome;
      cell.message = result.message;
      if (result.outcome !== "locked") this.stuck.add(cell);
      if (result.outcome === "conflict") {
        cell.theirs = { value: result.value, version: result.version, who: result.who, at: result.at };
        this.dirty.delete(cell);
      }
    }
    this.changed(cell);
  }

  private failed(error: unknown): void {
    if (error instanceof Away) {
      setOffline(true);
      this.report("away");
      this.later(RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]!);
      return;
    }
    const signIn = error instanceof Refusal && error.reason === "SIGN_IN_REQUIRED";
    this.blocked = { message: error instanceof Error ? error.message : String(error), signIn };
    if (error instanceof Refusal && error.status === 422 && this.batch) {
      for (const { cell } of this.batch.edits) this.dirty.add(cell);
      this.batch = null;
    }
    this.report();
  }

  private report(kind?: "saving" | "away"): void {
    const open = this.open;
    if (this.blocked) this.tell({ kind: "blocked", open, ...this.blocked });
    else if (kind) this.tell({ kind, open });
    else if (this.failures > 0) this.tell({ kind: "away", open });
    else this.tell({ kind: open > 0 ? "waiting" : "saved", open });
  }
}
