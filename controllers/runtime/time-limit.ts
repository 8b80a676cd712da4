/**
 * Aborts when `signal` does, and after so many ms with a `TimeoutError`. Instead of `AbortSignal.timeout` within
 * `AbortSignal.any`, which holds it weakly: in Node 20 the collector takes such a limit away, and it never comes.
 */
export function withinMs(limitMs: number, signal?: AbortSignal): AbortSignal {
  const limit = new AbortController();
  const reason = new DOMException(`Not done within ${limitMs} ms`, 'TimeoutError');
  setTimeout(() => limit.abort(reason), limitMs).unref();
  return signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
}
