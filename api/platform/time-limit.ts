/**
 * Time limits. Never use `AbortSignal.timeout`: `AbortSignal.any` holds it weakly, in Node 20 the collector takes such
 * a signal away, and it never fires. No limit keeps the process alive.
 */

/** Returns the reason of a time limit; `late` says what was not done. Pure. */
const lateError = (limitMs: number, late = 'Not done'): DOMException =>
  new DOMException(`${late} within ${limitMs / 1_000} s`, 'TimeoutError');

/** Returns a signal that aborts when `signal` does, and after that many ms with a `TimeoutError`. */
export function timeoutSignal(limitMs: number, signal?: AbortSignal): AbortSignal {
  const limit = new AbortController();
  setTimeout(() => limit.abort(lateError(limitMs)), limitMs).unref();
  return signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
}

/**
 * Runs an action with a signal that aborts when `signal` does, and after that many ms with a `TimeoutError`; both are
 * released once the action has ended. `late` begins the message of that error.
 */
export async function withTimeout<T>(
  limitMs: number,
  signal: AbortSignal,
  action: (signal: AbortSignal) => Promise<T>,
  late?: string,
): Promise<T> {
  const inner = new AbortController();
  const stop = () => inner.abort(signal.reason);
  const timer = setTimeout(() => inner.abort(lateError(limitMs, late)), limitMs);
  timer.unref();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await action(inner.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Waits for `asked`; rejects with `late()` after that many ms. What was asked goes on. */
export async function settledWithin<T>(limitMs: number, asked: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([asked, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
