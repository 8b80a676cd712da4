import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Cancel, type Clock, systemClock } from '../../api/platform/clock.js';

/** How long no garbage must have been collected for work to count as over, ms. */
const REST_MS = 5_000;
/** Growth below this is not worth a pause of some 40 ms, bytes. */
const WORTH_BYTES = 4 * 1024 * 1024;

/** The memory of JavaScript objects. */
export interface Heap {
  /** Calls back after each collection, also one of the young generation only. */
  onCollected(call: () => void): Cancel;
  /** Returns what it takes of the device's memory, bytes. */
  size(): number;
  /** Collects everything and returns free memory to the device. */
  collect(): void;
}

/**
 * Returns memory to the device that a burst of work has taken. V8 collects when it needs memory, and an idle agent
 * needs none: what a roll-out or two hundred clients have left would stay for hours.
 */
export function collectWhenIdle(heap: Heap = v8Heap, clock: Clock = systemClock): Cancel {
  // The size after the last collection.
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

/** Node's own heap. */
export const v8Heap: Heap = {
  onCollected(call) {
    const observer = new PerformanceObserver(call);
    observer.observe({ entryTypes: ['gc'] });
    return () => observer.disconnect();
  },
  size: () => process.memoryUsage().heapTotal,
  collect() {
    setFlagsFromString('--expose-gc');
    // A context that is created now has the function, and goes with it.
    runInNewContext('gc()');
  },
};
