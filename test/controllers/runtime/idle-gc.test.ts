import assert from 'node:assert/strict';
import { collectWhenIdle, type Heap, v8Heap } from '../../../controllers/runtime/idle-gc.js';
import { FakeClock } from '../../setup/fake-clock.js';

const MIB = 1024 * 1024;

describe('the heap of an agent at rest', () => {
  let clock: FakeClock;
  let heap: Heap & { mib: number; liveMib: number; collections: number; work(mib: number): void };
  let stop: () => void;

  beforeEach(() => {
    clock = new FakeClock();
    let changed = (): void => undefined;
    heap = {
      mib: 20,
      liveMib: 20,
      collections: 0,
      onCollected: (call) => {
        changed = call;
        return () => {
          changed = () => undefined;
        };
      },
      size: () => heap.mib * MIB,
      collect() {
        this.collections += 1;
        this.mib = this.liveMib;
        changed();
      },
      work(mib) {
        this.mib = mib;
        changed();
      },
    };
    stop = collectWhenIdle(heap, clock);
  });

  it('is collected five seconds after the last work, once', () => {
    heap.work(35);
    clock.advance(4_000);
    heap.work(36);
    clock.advance(4_000);
    assert.equal(heap.collections, 0, 'it was at work four seconds ago');
    clock.advance(1_000);
    assert.equal(heap.mib, 20);
    clock.advance(3_600_000);
    assert.equal(heap.collections, 1);
    assert.deepEqual(clock.planned, [], 'nothing wakes an agent at rest');
  });

  it('is left alone for what is not worth it', () => {
    heap.work(23);
    clock.advance(3_600_000);
    assert.equal(heap.collections, 0);
  });

  it('is not collected again and again for documents that have come to stay', () => {
    heap.liveMib = 30;
    heap.work(35);
    clock.advance(10_000);
    for (let probes = 0; probes < 10; probes += 1) {
      heap.work(31);
      clock.advance(30_000);
    }
    assert.equal(heap.collections, 1);
  });

  it('is left alone when the agent stops', () => {
    heap.work(40);
    stop();
    clock.advance(3_600_000);
    assert.equal(heap.collections, 0);
  });
});

describe('the heap of this process', () => {
  it('gives back what nothing refers to, and tells of it', async () => {
    const received = new Promise<void>((resolve) => {
      const stop = v8Heap.onCollected(() => {
        stop();
        resolve();
      });
    });
    v8Heap.collect();
    const before = process.memoryUsage().heapUsed;
    let rows: unknown[] | undefined = Array.from({ length: 300_000 }, (_, row) => ({ row }));
    assert.ok(process.memoryUsage().heapUsed > before + 5 * MIB, `${rows.length} rows take room`);
    rows = undefined;
    v8Heap.collect();
    assert.ok(process.memoryUsage().heapUsed < before + 2 * MIB);
    await received;
  });
});
