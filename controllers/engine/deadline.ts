/** Runs a request with a signal that fires with the outer one, or after so many ms with a `TimeoutError`. */
export async function within<T>(
  limitMs: number,
  outer: AbortSignal,
  request: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController();
  const stop = () => inner.abort(outer.reason);
  const timer = setTimeout(() => {
    inner.abort(new DOMException(`Docker did not answer within ${limitMs / 1000} s`, 'TimeoutError'));
  }, limitMs);
  timer.unref();
  outer.addEventListener('abort', stop, { once: true });
  if (outer.aborted) stop();
  try {
    return await request(inner.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}
