import assert from 'node:assert/strict';
import { connectEngine } from '../../../controllers/engine/client/dockerode-engine.js';
import type { Engine } from '../../../controllers/engine/engine.js';
import { OVERDUE_MS, RequestWatch } from '../../../controllers/engine/request-watch.js';
import { MemoryEngine } from '../../../controllers/engine/simulated/memory-engine.js';
import { FakeClock } from '../../setup/fake-clock.js';
import { flush } from './scripted-engine.js';

describe('the watch over requests', () => {
  let clock: FakeClock;
  let memory: MemoryEngine;
  let watch: RequestWatch;
  let engine: Engine;
  let reported: string[];
  let release: () => void;
  let ids: Record<string, string>;
  const { signal } = new AbortController();

  beforeEach(async () => {
    clock = new FakeClock();
    memory = new MemoryEngine();
    watch = new RequestWatch({
      clock,
      container: (id) => {
        const seen = memory.seen(id);
        return (
          seen && { name: seen.name, ...(seen.stopGraceMs === undefined ? {} : { stopGraceMs: seen.stopGraceMs }) }
        );
      },
    });
    engine = watch.watch(memory);
    reported = [];
    watch.onChange((about) => reported.push(about));
    memory.images.add('busybox:latest', {});
    ids = {};
    for (const [name, StopTimeout] of Object.entries({ quick: 0, slow: 300, usual: undefined })) {
      const options = { Image: 'busybox:latest', ...(StopTimeout === undefined ? {} : { StopTimeout }) };
      const created = await engine.createContainer(name, options, signal);
      assert.ok(created.is === 'created');
      ids[name] = created.id;
    }
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    memory.before = () => held;
  });

  it('says nothing of what is answered, and plans nothing', async () => {
    memory.before = undefined;
    await engine.startContainer(ids.quick ?? '', signal);
    assert.deepEqual([clock.planned, reported, watch.sentence()], [[], [], undefined]);
  });

  it('hands on what comes of a request, and what it throws', async () => {
    memory.before = undefined;
    assert.equal(await engine.startContainer('nobody', signal), 'absent');
    memory.goAway();
    await assert.rejects(engine.startContainer('nobody', signal), { name: 'EngineUnreachable' });
    assert.equal(watch.isOverdue, false);
  });

  it('names what is not answered within 30 s and since when, and is done with it when the answer comes', async () => {
    const start = engine.startContainer(ids.quick ?? '', signal);
    clock.advance(OVERDUE_MS - 1);
    assert.deepEqual([watch.isOverdue, reported], [false, []]);
    clock.advance(1);
    assert.equal(
      watch.sentence(),
      'The Docker engine has not answered since 2026-01-02T03:04:05Z to: start container quick',
    );
    assert.deepEqual([watch.isOverdue, reported], [true, [`container/${ids.quick}`]]);
    release();
    assert.equal(await start, 'started');
    assert.deepEqual([watch.isOverdue, watch.sentence(), reported.length, clock.planned], [false, undefined, 2, []]);
  });

  it('counts further ones, and tells those of one object or one caller', async () => {
    const caller = new AbortController();
    void engine.startContainer(ids.quick ?? '', signal);
    clock.advance(1_000);
    void engine.createContainer('next', { Image: 'busybox:latest' }, caller.signal);
    void engine.removeContainer(ids.usual ?? '', signal);
    clock.advance(OVERDUE_MS);
    const since = 'The Docker engine has not answered since 2026-01-02T03:04:0';
    assert.equal(watch.sentence(), `${since}5Z to: start container quick, nor 2 later requests`);
    assert.equal(watch.because(caller.signal), `${since}6Z to: create container next`);
    assert.equal(watch.because(new AbortController().signal), undefined);
    assert.equal(watch.sentence({ about: [`container/${ids.usual}`] }), `${since}6Z to: remove container usual`);
    assert.equal(watch.sentence({ about: ['container/other'] }), undefined);
    release();
  });

  for (const [name, graceMs] of Object.entries({ quick: 0, slow: 300_000, usual: 10_000 })) {
    it(`gives a stop of ${name} its grace period of ${graceMs} ms besides`, async () => {
      void engine.stopContainer(ids[name] ?? '', signal);
      clock.advance(graceMs + OVERDUE_MS - 1);
      assert.equal(watch.isOverdue, false);
      clock.advance(1);
      assert.match(watch.sentence() ?? '', new RegExp(`to: stop container ${name}$`));
      release();
      await flush();
    });
  }

  it('plans for the next request when the first has been answered', async () => {
    const first = memory.before;
    void engine.startContainer(ids.quick ?? '', signal);
    clock.advance(20_000);
    memory.before = () => new Promise(() => undefined);
    void engine.startContainer(ids.usual ?? '', signal);
    memory.before = first;
    release();
    await flush();
    clock.advance(OVERDUE_MS);
    assert.match(watch.sentence() ?? '', /start container usual$/);
  });

  it('has every verb that the engine has', () => {
    const real = connectEngine({ dockerHost: 'unix:///nowhere' });
    const watched = watch.watch(real);
    for (const verb of Object.keys(real) as (keyof Engine)[]) assert.equal(typeof watched[verb], 'function', verb);
  });
});
