import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long somebody may work in one go while others wait, ms. */
const LONGEST_GO_MS = 10;

/**
 * Hands on what comes, however much comes at once, and lets everybody else have a turn every few ms: what is there
 * already is handed on without one, one promise after the other, for as long as there is more.
 */
export async function* inTurns<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  let dueMs = performance.now() + LONGEST_GO_MS;
  for await (const item of items) {
    if (performance.now() > dueMs) {
      await nextTurn();
      dueMs = performance.now() + LONGEST_GO_MS;
    }
    yield item;
  }
}
