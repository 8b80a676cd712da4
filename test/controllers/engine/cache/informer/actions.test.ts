import assert from 'node:assert/strict';
import { aContainer, never, type ScriptedEngine } from '../../scripted-engine.js';
import { aCache, changeContainer } from './a-cache.js';

describe('The cache of the engine, while the agent acts on a container', () => {
  const NAME = aContainer().name;
  /** What Docker tells while a container is created and started. */
  const lifeSigns = (engine: ScriptedEngine, atMs?: number) => {
    const attributes = { name: NAME };
    engine.emit({ type: 'container', action: 'create', id: 'c1', attributes }, atMs);
    engine.emit({ type: 'network', action: 'connect', id: 'n1', attributes: { container: 'c1', name: 'net' } }, atMs);
    engine.emit({ type: 'container', action: 'start', id: 'c1', attributes }, atMs);
  };

  it('creates and starts a container at the price of one inspection', async () => {
    const { cache, engine, takeChanges, pass } = await aCache();
    await cache.suppressEvents(NAME, async () => {
      lifeSigns(engine);
      await pass(100);
      engine.containers.set('c1', aContainer({ networks: { net: { id: 'n1' } } }));
    });
    await cache.refreshContainer('c1', never);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    assert.deepEqual(takeChanges(), ['container c1']);
  });

  it('the same when it is refreshed inside the action', async () => {
    const { cache, engine, pass } = await aCache();
    await cache.suppressEvents(NAME, async () => {
      lifeSigns(engine);
      engine.containers.set('c1', aContainer());
      await pass(20);
      await cache.refreshContainer('c1', never);
    });
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
  });

  for (const [when, lateMs] of [
    ['earlier', 3],
    ['in the same millisecond', 0],
  ] as const) {
    it(`the same when the events come after the refresh and happened ${when}`, async () => {
      const { cache, engine, clock, pass } = await aCache();
      engine.containers.set('c1', aContainer({ networks: { net: { id: 'n1' } } }));
      await cache.suppressEvents(NAME, async () => undefined);
      await cache.refreshContainer('c1', never);
      lifeSigns(engine, clock.now() - lateMs);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    });
  }

  it('looks into a late event that the refresh cannot have seen', async () => {
    const { cache, engine, clock, pass } = await aCache();
    engine.containers.set('c1', aContainer());
    await cache.refreshContainer('c1', never);
    engine.emit({ type: 'container', action: 'die', id: 'c1' }, clock.now());
    await pass(100);
    assert.equal(engine.takeRequests().length, 2, 'in the same millisecond, and the container still ran');
    engine.emit({ type: 'container', action: 'die', id: 'c1' }, clock.now());
    await pass(100);
    assert.equal(engine.takeRequests().length, 1, 'later');
  });

  it('looks into every late event when the clocks differ', async () => {
    const { cache, engine, clock, pass } = await aCache(undefined, { sameClock: false });
    engine.containers.set('c1', aContainer());
    await cache.refreshContainer('c1', never);
    engine.emit({ type: 'container', action: 'start', id: 'c1' }, clock.now() - 3_000);
    await pass(100);
    assert.equal(engine.takeRequests().length, 2);
  });

  it('is not deaf for long after the clock was set back', async () => {
    const { cache, engine, clock, pass } = await aCache();
    engine.containers.set('c1', aContainer());
    await cache.refreshContainer('c1', never);
    await pass(6_000);
    engine.takeRequests();
    engine.emit({ type: 'container', action: 'die', id: 'c1' }, clock.now() - 3_600_000);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
  });

  it('looks by itself when nobody refreshed', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    await assert.rejects(
      cache.suppressEvents('c1', async () => {
        changeContainer(engine, 'die', { state: 'exited' });
        await pass(50);
        throw new Error('the step failed');
      }),
      /the step failed/,
    );
    assert.deepEqual(engine.takeRequests(), []);
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    assert.equal(cache.containers()[0]?.state, 'exited');
  });

  it('stays quiet until the last of several actions ends', async () => {
    const { cache, engine, pass } = await aCache((it) => it.containers.set('c1', aContainer()));
    let end = (): void => undefined;
    const outer = cache.suppressEvents('c1', () => new Promise<void>((resolve) => (end = resolve)));
    await cache.suppressEvents('c1', async () => changeContainer(engine, 'die', { state: 'exited' }));
    await pass(100);
    assert.deepEqual(engine.takeRequests(), []);
    end();
    await outer;
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
  });

  it('removes a destroyed container at once, and hears of others', async () => {
    const { cache, engine, pass } = await aCache((it) => {
      it.containers.set('c1', aContainer());
      it.containers.set('c2', aContainer({ id: 'c2', name: 'other' }));
    });
    await cache.suppressEvents('c1', async () => {
      engine.containers.delete('c1');
      engine.emit({ type: 'container', action: 'die', id: 'c1' });
      engine.emit({ type: 'network', action: 'disconnect', id: 'n1', attributes: { container: 'c1', name: 'net' } });
      engine.emit({ type: 'container', action: 'destroy', id: 'c1' });
      changeContainer(engine, 'die', { id: 'c2', state: 'exited' });
      await pass(100);
      assert.deepEqual(
        cache.containers().map(({ id, state }) => `${id} ${state}`),
        ['c2 exited'],
      );
    });
    await pass(100);
    assert.deepEqual(engine.takeRequests(), ['inspectContainer c2']);
  });
});
