// JSON calls from our own scripts to our own pages.
import { stepUp } from "./step-up";

export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

export interface Violation {
  field: string;
  message: string;
}

/** What the server said no to: the same words that a page would show. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    readonly violations: Violation[] = [],
    readonly details: unknown = null,
  ) {
    super(message);
  }
}

/** The network or the server is away: keep the work and try again later. */
export class Away extends Error {}

/**
 * Sends and receives JSON. A needed second factor is asked for in its own window and the call repeated, so the page keeps
 * its unsaved work. Throws Refusal or Away.
 */
export async function callJson<T>(
  url: string,
  options: { method?: string; body?: unknown; signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<T> {
  const response = await once(url, options);
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  const problem = await response.json().catch(() => ({ reason: "HTTP", message: "応答を読み取れませんでした。" }));
  if (response.status === 401 && problem.reason === "STEP_UP_REQUIRED") {
    if (await stepUp("二要素認証が必要です。")) return callJson(url, options);
    throw new Refusal(401, "STEP_UP_REQUIRED", "二要素認証が済んでいないため、保存できていません。");
  }
  if (response.status >= 502 && response.status <= 504) throw new Away(problem.message);
  throw new Refusal(response.status, problem.reason, problem.message, problem.violations ?? [], problem.details);
}

async function once(
  url: string,
  { method = "GET", body, signal, timeoutMs = 15_000 }: { method?: string; body?: unknown; signal?: AbortSignal; timeoutMs?: number },
): Promise<Response> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(url, {
      method,
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": csrfToken(),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Away("接続できません。");
  }
}
