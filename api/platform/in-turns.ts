import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time that the caller works in one go while others wait, ms. */
const LONGEST_GO_MS = 10;

/**
 * Yields the items, and lets everybody else run every few ms, however many items come at once: without that, items that
 * are there already are yielded one promise after the other for as long as there are more.
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
