import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface Patience {
  /** Longest wait, ms. */
  readonly withinMs?: number;
  /** Between two looks, ms. */
  readonly everyMs?: number;
  /** More for whoever reads the failure, such as the end of a log. */
  readonly hint?: () => string;
}

/**
 * Looks again and again until what is seen holds, and returns it. A look that throws is a look that did not hold. When
 * time is up the error says what was seen last.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  { withinMs = 60_000, everyMs = 25, hint }: Patience = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const last = await Promise.resolve()
      .then(look)
      .then(
        (seen) => ({ ok: true as const, seen }),
        (error: unknown) => ({ ok: false as const, error }),
      );
    if (last.ok && holds(last.seen)) return last.seen;
    if (Date.now() > deadline) {
      const shown = inspect(last.ok ? last.seen : last.error, { depth: 8, breakLength: 120, maxStringLength: 2000 });
      throw new Error(`Not within ${withinMs} ms: ${what}. Last seen: ${shown}${hint ? `\n${hint()}` : ''}`);
    }
    await pause(everyMs);
  }
}
