import assert from 'node:assert/strict';
import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MEBIBYTE = 1024 * 1024;
/** What a MiB from outside may cost: processor time of which nothing else has any, ms, and memory, bytes. */
const LIMITS = { ms: 200, bytes: 30 * MEBIBYTE } as const;
/** A machine with other work is slow now and then, and what runs for the first time is not compiled yet. */
const TRIES = 12;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What something took. */
interface Cost {
  /** Processor time of the whole process, ms. */
  readonly ms: number;
  /** Longest time for which nothing else could be done, ms of processor time. */
  readonly blockMs: number;
  /** Most memory that a garbage collection left while it ran, or that there was at its end, over what there was before. */
  readonly bytes: number;
}

/** Runs it once. What it throws is an answer as well. `collectAll`: each garbage collection is one of the whole heap. */
async function costOf(work: () => unknown, collectAll: boolean): Promise<Cost> {
  collect();
  setFlagsFromString(collectAll ? '--gc-global' : '--no-gc-global');
  const endBlocks = watchBlocks();
  const before = heldBytes();
  const profiler = new GCProfiler();
  profiler.start();
  const start = process.cpuUsage();
  const results = new Set<unknown>(); // still there when memory is counted at the end
  try {
    results.add(await work());
  } catch {
    // refused
  }
  const { user, system } = process.cpuUsage(start);
  const blockMs = endBlocks();
  if (collectAll) collect();
  setFlagsFromString('--no-gc-global');
  const end = heldBytes();
  results.clear();
  const left = profiler
    .stop()
    .statistics.map(({ afterGC: { heapStatistics: heap } }) => heap.usedHeapSize + heap.externalMemory);
  return { ms: (user + system) / 1000, blockMs, bytes: Math.max(end, ...left) - before };
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
  const [, median = MEASURE.ms] = taken.sort((a, b) => a - b);
  return Math.max(1, median / MEASURE.ms);
}

/** Begins to look at how late timers are; the end tells the longest delay that was ours: other processes use no time of ours. */
function watchBlocks(): () => number {
  let longest = 0;
  let wall = performance.now();
  let used = process.cpuUsage();
  const look = (): void => {
    const { user, system } = process.cpuUsage(used);
    longest = Math.max(longest, Math.min(performance.now() - wall, (user + system) / 1000));
    wall = performance.now();
    used = process.cpuUsage();
  };
  const timer = setInterval(look, 2);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}

/** Asserts that something takes no more processor time and memory than a MiB of input may. */
export const isCheap = (work: () => unknown): Promise<void> => costsLittle(work, ({ ms }) => ms);

/** The same for what takes its time in many steps: none of them may keep others waiting for longer. */
export const isResponsive = (work: () => unknown): Promise<void> => costsLittle(work, ({ blockMs }) => blockMs);

async function costsLittle(work: () => unknown, timeOf: (cost: Cost) => number): Promise<void> {
  let output = '';
  let bytes = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = slowness();
    const cost = await costOf(work, false);
    const ms = timeOf(cost);
    const fast = ms <= LIMITS.ms * Math.max(before, slowness());
    // A collection of the young heap keeps what garbage in the old one points to. So too much is counted once more.
    bytes = Math.min(bytes, cost.bytes > LIMITS.bytes ? (await costOf(work, true)).bytes : cost.bytes);
    if (fast && bytes <= LIMITS.bytes) return;
    output = `${ms.toFixed(0)} ms of processor time, ${(bytes / MEBIBYTE).toFixed(0)} MiB`;
  }
  assert.fail(`It took ${output}`);
}
