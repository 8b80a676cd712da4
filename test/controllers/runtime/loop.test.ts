import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { openStore } from '../../../api/store/document-store.js';
import type { Store } from '../../../api/store/store.js';
import type { Controller } from '../../../controllers/runtime/controller.js';
import { Loop, loopsOf } from '../../../controllers/runtime/loop.js';
import { type Outcome, TerminalError } from '../../../controllers/runtime/outcome.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import { API_VERSION, type Declared } from '../../../crds/model/kinds.js';
import { FakeClock } from '../../setup/fake-clock.js';

const silent = pino({ level: 'silent' });
const aNetwork = (name: string, internal = false): Declared<'Network'> => ({
  apiVersion: API_VERSION,
  kind: 'Network',
  metadata: { name },
  spec: { networkName: name, internal },
});

describe('Loop', () => {
  let folder: string;
  let store: Store;
  let clock: FakeClock;
  let loop: Loop | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-loop-'));
    clock = new FakeClock();
    store = await openStore({ folder, now: () => clock.now(), log: silent });
  });
  afterEach(async () => {
    await loop?.stop();
    loop = undefined;
    await store.close();
    await rm(folder, { recursive: true });
  });

  /** Starts a loop whose passes do what the list says, one entry a pass, then settle. Returns the passes made. */
  function run(script: (() => Outcome | Promise<Outcome>)[], workers = 2) {
    const passes: string[] = [];
    let softEnqueue: (name: string) => void = () => assert.fail('not started');
    loop = new Loop(
      {
        kind: 'Network',
        workers,
        reconcile: async ({ name }) => {
          passes.push(name);
          return (await script.shift()?.()) ?? { is: 'settled' };
        },
        watches: (wake) => {
          softEnqueue = wake;
          return () => undefined;
        },
      },
      { store, clock, random: () => 0, log: silent },
    );
    loop.start();
    return { passes, softEnqueue: (name: string) => softEnqueue(name) };
  }
  const quiet = async (): Promise<void> => {
    do await nextTurn();
    while (!loop?.isQuiet);
  };
  const propose = (...documents: Declared<'Network'>[]) =>
    store.propose({ origin: 'files', documents: documents.map((document) => ({ document })) });
  const ready = (name: string) => conditionOf(store.get('Network', name) ?? assert.fail(), 'Ready');
  const fail = (error: unknown) => () => Promise.reject(error);

  it('looks once more when a Ready document has to wait: what changed meanwhile seemed of no concern', async () => {
    await propose(aNetwork('a'));
    const waiting = (): Outcome => ({ is: 'waiting', reason: 'StillAttached', message: 'Held', forMs: 60_000 });
    const { passes, softEnqueue } = run([() => ({ is: 'settled' }), waiting, waiting]);
    await quiet();
    softEnqueue('a');
    await quiet();
    assert.equal(passes.length, 3);
    assert.equal(ready('a')?.reason, 'StillAttached');
    clock.advance(60_000);
    await quiet();
    assert.equal(passes.length, 4);
    assert.equal(ready('a')?.status, 'True');
  });

  it('looks again when the owner comes or goes', async () => {
    await propose(aNetwork('b'));
    const document = aNetwork('a');
    await store.propose({ origin: 'App/hello', owner: 'App/hello', documents: [{ document }] });
    const { passes } = run([]);
    await quiet();
    assert.deepEqual(passes.splice(0), ['b', 'a']);
    const app = {
      apiVersion: document.apiVersion,
      kind: 'App',
      metadata: { name: 'hello' },
      spec: { services: {} },
    } as const;
    await store.put('api', { document: app });
    await quiet();
    assert.deepEqual(passes, ['a']);
  });

  it('makes one pass for each document there is, and rests', async () => {
    await propose(aNetwork('a'), aNetwork('b'));
    const { passes } = run([]);
    await quiet();
    assert.deepEqual(passes, ['a', 'b']);
    assert.equal(ready('a')?.status, 'True');
    clock.advance(3_600_000);
    await quiet();
    assert.deepEqual(passes, ['a', 'b']);
  });

  it('looks again at once while passes make progress, and says Ready only at the end', async () => {
    await propose(aNetwork('a'));
    const seen: unknown[] = [];
    const progress = (): Outcome => {
      seen.push(ready('a')?.status);
      return { is: 'progressing', reason: 'Creating', message: 'Creating a' };
    };
    const { passes } = run([progress, progress]);
    await quiet();
    assert.equal(passes.length, 3);
    assert.deepEqual(seen, [undefined, 'False']);
    assert.equal(ready('a')?.status, 'True');
  });

  it('is not woken by its own status', async () => {
    await propose(aNetwork('a'));
    const { passes } = run([]);
    await quiet();
    const network = store.get('Network', 'a') ?? assert.fail();
    store.setStatus(network, { ...network.status, id: 'x' });
    await quiet();
    assert.equal(passes.length, 1);
  });

  it('names the generation that it concluded about', async () => {
    await propose(aNetwork('a'));
    run([]);
    await quiet();
    await propose(aNetwork('a', true));
    await quiet();
    assert.equal(store.get('Network', 'a')?.metadata.generation, 2);
    assert.equal(store.get('Network', 'a')?.status?.observedGeneration, 2);
  });

  it('waits longer after each failure, and forgets that when it settles', async () => {
    await propose(aNetwork('a'));
    const { passes } = run([fail(new Error('one')), fail(new Error('two'))]);
    await quiet();
    assert.equal(ready('a')?.reason, 'Retrying');
    assert.deepEqual(clock.planned, [500]);
    clock.advance(500);
    await quiet();
    assert.deepEqual(clock.planned, [1000]);
    assert.equal(ready('a')?.message, 'two');
    clock.advance(1000);
    await quiet();
    assert.equal(passes.length, 3);
    assert.equal(ready('a')?.status, 'True');
  });

  it('does not let what a failing pass stirs up overtake its back-off, but a new spec does', async () => {
    await propose(aNetwork('a'));
    const script: (() => Promise<Outcome>)[] = [];
    const { passes, softEnqueue } = run(script);
    await quiet();
    passes.length = 0;
    script.push(async () => {
      softEnqueue('a'); // two events that this very pass caused
      softEnqueue('a');
      throw new Error('port taken');
    });
    softEnqueue('a');
    await quiet();
    softEnqueue('a');
    await quiet();
    assert.equal(passes.length, 1);
    await propose(aNetwork('a', true));
    await quiet();
    assert.equal(passes.length, 2);
    assert.equal(ready('a')?.status, 'True');
  });

  it('hears what happens around a document that has settled after a pass which failed', async () => {
    await propose(aNetwork('a'));
    const failWhileItChanges = async (): Promise<Outcome> => {
      await propose(aNetwork('a', true));
      throw new Error('no');
    };
    const { passes, softEnqueue } = run([failWhileItChanges]);
    await quiet();
    assert.equal(ready('a')?.status, 'True');
    softEnqueue('a');
    await quiet();
    assert.equal(passes.length, 3);
  });

  it('does not retry what is terminal before the document changes', async () => {
    await propose(aNetwork('a'));
    const { passes } = run([fail(new TerminalError('PoolOverlaps', 'The pool is taken'))]);
    await quiet();
    clock.advance(3_600_000);
    await quiet();
    assert.equal(passes.length, 1);
    assert.equal(conditionOf(store.get('Network', 'a') ?? assert.fail(), 'Stalled')?.reason, 'PoolOverlaps');
    await propose(aNetwork('a', true));
    await quiet();
    assert.equal(passes.length, 2);
  });

  it('ends a wait early when something happens', async () => {
    await propose(aNetwork('a'));
    const { passes, softEnqueue } = run([
      () => ({ is: 'waiting', reason: 'StillAttached', message: 'm', forMs: 60_000 }),
    ]);
    await quiet();
    softEnqueue('a');
    await quiet();
    assert.equal(passes.length, 2);
    assert.deepEqual(clock.planned, []);
  });

  it('ends a wait early also after earlier failures', async () => {
    await propose(aNetwork('a'));
    const { passes, softEnqueue } = run([
      fail(new Error('one')),
      () => ({ is: 'waiting', reason: 'StillAttached', message: 'm', forMs: 60_000 }),
    ]);
    await quiet();
    clock.advance(500);
    await quiet();
    assert.equal(ready('a')?.reason, 'StillAttached');
    softEnqueue('a');
    await quiet();
    assert.equal(passes.length, 3);
  });

  it('folds what happens during a pass into one more, and never runs a key twice at once', async () => {
    await propose(aNetwork('a'));
    let release: () => void = () => assert.fail();
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { passes, softEnqueue } = run([() => gate.then(() => ({ is: 'settled' }) as const)]);
    await nextTurn();
    for (let i = 0; i < 5; i += 1) softEnqueue('a');
    assert.equal(passes.length, 1);
    release();
    await quiet();
    assert.equal(passes.length, 2);
  });

  it('runs a touched document and stops calling it pending when the pass has concluded', async () => {
    await propose(aNetwork('a'));
    const { passes } = run([]);
    await quiet();
    store.touch('Network/a');
    assert.equal(store.isPending('Network/a'), true);
    await quiet();
    assert.equal(store.isPending('Network/a'), false);
    assert.equal(passes.length, 2);
  });

  it('tells for how long keys have been due without a pass', async () => {
    let end: () => void = () => undefined;
    run([() => new Promise((resolve) => (end = () => resolve({ is: 'settled' })))], 1);
    await propose(aNetwork('a'), aNetwork('b'));
    await nextTurn();
    clock.advance(700);
    assert.deepEqual([loop?.oldestPassMs, loop?.queuedForMs], [700, 700]);
    end();
    await quiet();
    clock.advance(700);
    assert.deepEqual([loop?.oldestPassMs, loop?.queuedForMs], [0, 0]);
  });

  it('lets running passes end when it stops, and aborts those that do not', async () => {
    await propose(aNetwork('a'));
    let aborted = false;
    loop = new Loop(
      {
        kind: 'Network',
        workers: 1,
        reconcile: (_key, signal) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(signal.reason);
            }),
          ),
        watches: () => () => undefined,
      },
      { store, clock, random: () => 0, log: silent },
    );
    loop.start();
    await nextTurn();
    const stopped = loop.stop(5_000);
    await nextTurn();
    assert.equal(aborted, false);
    clock.advance(5_000);
    await stopped;
    assert.equal(aborted, true);
    assert.equal(ready('a'), undefined, 'an aborted pass concludes nothing');
  });

  it('begins after every document of another loop has been looked at once, however that ended', async () => {
    await propose(aNetwork('a'), aNetwork('b'));
    const order: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const deps = { store, clock, random: () => 0, log: silent };
    const looking = (name: string, pass: (key: { name: string }) => Promise<Outcome>) => ({
      kind: 'Network' as const,
      workers: 2,
      watches: () => () => undefined,
      reconcile: async (key: { name: string }) => {
        order.push(`${name} ${key.name}`);
        return pass(key);
      },
    });
    const first = new Loop(
      looking('first', async (key) => {
        if (key.name === 'a') throw new Error('no');
        await gate;
        return { is: 'settled' };
      }),
      deps,
    );
    loop = new Loop(
      looking('second', async () => ({ is: 'settled' })),
      { ...deps, after: [first] },
    );
    loop.start();
    first.start();
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    assert.deepEqual(order, ['first a', 'first b']);
    open();
    await quiet();
    assert.deepEqual(order.slice(2), ['second a', 'second b']);
    await first.stop();
  });

  it('does not wait for a loop without documents', async () => {
    const idle = { kind: 'Volume' as const, workers: 1, watches: () => () => undefined };
    const settles = async (): Promise<Outcome> => ({ is: 'settled' });
    const deps = { store, clock, random: () => 0, log: silent };
    const empty = new Loop({ ...idle, reconcile: settles }, deps);
    loop = new Loop({ ...idle, kind: 'Network', reconcile: settles }, { ...deps, after: [empty] });
    empty.start();
    loop.start();
    await propose(aNetwork('a'));
    await quiet();
    assert.equal(ready('a')?.status, 'True');
    await empty.stop();
  });

  it('comes after the loops of the kinds that its controller names, which are made first', () => {
    const idle = {
      workers: 1,
      watches: () => () => undefined,
      reconcile: async (): Promise<Outcome> => ({ is: 'settled' }),
    };
    const controllers: readonly Controller[] = [
      { ...idle, kind: 'App', after: ['Service', 'Image'] },
      { ...idle, kind: 'Image' },
      { ...idle, kind: 'Service', after: ['Image'] },
    ];
    const loops = loopsOf(controllers, { store, clock, random: () => 0, log: silent });
    assert.deepEqual(
      loops.map(({ controller }) => controller.kind),
      ['Image', 'Service', 'App'],
    );
  });
});
