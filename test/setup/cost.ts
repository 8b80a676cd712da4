import assert from 'node:assert/strict';
import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MEBIBYTE = 1024 * 1024;
/** What a MiB from outside may cost: processor time, ms, and memory, bytes. */
const LIMITS = { ms: 200, bytes: 30 * MEBIBYTE } as const;
/** A machine with other work is slow now and then, and what runs for the first time is not compiled yet. */
const TRIES = 6;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What something took. */
interface Cost {
  /** Processor time of the whole process, ms. */
  readonly ms: number;
  /** Most memory that a garbage collection left while it ran, or that there was at its end, over what there was before. */
  readonly bytes: number;
}

/** Runs it once. What it throws is an answer as well. */
async function costOf(work: () => unknown): Promise<Cost> {
  collect();
  const before = heldBytes();
  const profiler = new GCProfiler();
  profiler.start();
  const start = process.cpuUsage();
  try {
    await work();
  } catch {
    // refused
  }
  const { user, system } = process.cpuUsage(start);
  const end = heldBytes();
  const left = profiler
    .stop()
    .statistics.map(({ afterGC: { heapStatistics: heap } }) => heap.usedHeapSize + heap.externalMemory);
  return { ms: (user + system) / 1000, bytes: Math.max(end, ...left) - before };
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

/** A fixed amount of work of the kind that is measured, and what a processor that does nothing else needs for it, ms. */
const MEASURE = { text: `[${'{"name":"x","n":[1,2,3]},'.repeat(40_000)}1]`, ms: 12 } as const;

/** How many times longer the processor takes now: threads that share a core and its cache slow each other down. */
function slowness(): number {
  const taken = [1, 2, 3].map(() => {
    const start = process.cpuUsage();
    JSON.parse(MEASURE.text);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return Math.max(1, Math.min(...taken) / MEASURE.ms);
}

/** Asserts that something takes no more processor time and memory than a MiB of input may. */
export async function isCheap(work: () => unknown): Promise<void> {
  let said = '';
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { ms, bytes } = await costOf(work);
    if (bytes <= LIMITS.bytes && (ms <= LIMITS.ms || ms <= LIMITS.ms * slowness())) return;
    said = `${ms.toFixed(0)} ms of processor time, ${(bytes / MEBIBYTE).toFixed(0)} MiB`;
  }
  assert.fail(`It took ${said}`);
}
