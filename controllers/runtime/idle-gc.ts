import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Cancel, type Clock, systemClock } from './delays.js';

/** Without garbage for so long, the work is over, ms. */
const REST_MS = 5_000;
/** Less is not worth standing still for some 40 ms, bytes. */
const WORTH_BYTES = 4 * 1024 * 1024;

/** The memory that JavaScript lives in. */
export interface Heap {
  /** Calls back after each collection, be it of the young generation only: whoever works is heard of soon. */
  onCollected(call: () => void): Cancel;
  /** What it takes of the device's memory, bytes. */
  size(): number;
  /** Collects everything and gives back what is free. */
  collect(): void;
}

/**
 * Gives the memory back that a burst of work has taken. V8 collects when it needs memory, and an agent at rest needs none:
 * what a roll-out or two hundred clients have left would stay for hours.
 */
export function collectWhenIdle(heap: Heap = v8Heap, clock: Clock = systemClock): Cancel {
  // What was left the last time that there was nothing to give back.
  const seen = { restBytes: heap.size(), lastMs: 0 };
  let timer: Cancel | undefined;

  const look = (): void => {
    timer = undefined;
    const quietMs = clock.monotonic() - seen.lastMs;
    if (quietMs < REST_MS) {
      timer = clock.after(REST_MS - quietMs, look);
      return;
    }
    const bytes = heap.size();
    const isWorthIt = bytes - seen.restBytes >= WORTH_BYTES;
    if (isWorthIt) heap.collect();
    seen.restBytes = isWorthIt ? heap.size() : Math.min(seen.restBytes, bytes);
  };

  const stop = heap.onCollected(() => {
    seen.lastMs = clock.monotonic();
    timer ??= clock.after(REST_MS, look);
  });
  return () => {
    stop();
    timer?.();
  };
}

/** Node's own. */
export const v8Heap: Heap = {
  onCollected(call) {
    const observer = new PerformanceObserver(call);
    observer.observe({ entryTypes: ['gc'] });
    return () => observer.disconnect();
  },
  size: () => process.memoryUsage().heapTotal,
  collect() {
    setFlagsFromString('--expose-gc');
    // A context that is made now has the function; it goes with it.
    runInNewContext('gc()');
  },
};
