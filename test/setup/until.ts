import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Condition } from '../../crds/model/conditions.js';
import { isMap } from '../../crds/model/maps.js';

export interface Patience {
  /** Longest wait, ms. */
  readonly withinMs?: number;
  /** Between two looks, ms; by itself it begins with 25 and grows to 100 where it takes seconds. */
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
  { withinMs = 60_000, everyMs, hint }: Patience = {},
): Promise<T> {
  const start = Date.now();
  const deadline = start + withinMs;
  for (;;) {
    const last = await Promise.resolve()
      .then(look)
      .then(
        (seen) => ({ ok: true as const, seen }),
        (error: unknown) => ({ ok: false as const, error }),
      );
    if (last.ok && holds(last.seen)) return last.seen;
    if (Date.now() > deadline) {
      const shown = last.ok ? seenText(last.seen) : inspect(last.error);
      throw new Error(`Not within ${withinMs} ms: ${what}. Last seen: ${shown}${hint ? `\n${hint()}` : ''}`);
    }
    await pause(everyMs ?? Math.min(100, Math.max(25, (Date.now() - start) / 50)));
  }
}

/** What was seen; of a document first what its status says, since a report of failures keeps the first lines. Pure. */
function seenText(seen: unknown): string {
  const whole = inspect(seen, { depth: 8, breakLength: 120, maxStringLength: 2000 });
  if (!isMap(seen) || !isMap(seen.metadata) || !isMap(seen.status)) return whole;
  const { conditions = [], ...status } = seen.status;
  const lines = (conditions as readonly Condition[]).map(
    ({ type, status, reason, message }) => `${type} ${status}, ${reason}: ${message}`,
  );
  const brief = inspect(status, { depth: 2, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 200 });
  const name = `${seen.kind} ${seen.metadata.name}, generation ${seen.metadata.generation}`;
  return [name, ...lines.map((line) => `  ${line}`), `  ${brief}`, whole].join('\n');
}
