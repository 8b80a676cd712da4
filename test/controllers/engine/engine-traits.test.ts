import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { startInformer } from '../../../controllers/engine/cache/informer.js';
import { TraitsReader, UNKNOWN_TRAITS } from '../../../controllers/engine/engine-traits.js';
import { MemoryEngine } from '../../../controllers/engine/simulated/memory-engine.js';
import { FakeClock } from '../../setup/fake-clock.js';

const log = pino({ level: 'silent' });

describe('TraitsReader', () => {
  const open = async (engine: MemoryEngine, emulates = false) => {
    const clock = new FakeClock();
    const cache = startInformer({ engine, log, clock, coalesceMs: 0 });
    await cache.start();
    const reader = new TraitsReader({ engine, cache, clock, log, emulates: async () => emulates });
    await reader.start();
    return { clock, cache, reader };
  };

  it('knows the engine once it has started', async () => {
    const { cache, reader } = await open(new MemoryEngine());
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: 'x86_64', apiVersion: '1.41' });
    reader.stop();
    await cache.stop();
  });

  it('does not know the machine where others are emulated', async () => {
    const { cache, reader } = await open(new MemoryEngine(), true);
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: undefined, apiVersion: '1.41' });
    reader.stop();
    await cache.stop();
  });

  it('starts without an engine, and asks when one comes', async () => {
    const engine = new MemoryEngine();
    engine.goAway();
    const { clock, cache, reader } = await open(engine);
    assert.deepEqual(reader.traits, UNKNOWN_TRAITS);
    engine.comeBack();
    for (let turn = 0; turn < 200 && reader.traits.machine === undefined; turn += 1) {
      await nextTurn();
      clock.advance(100);
    }
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: 'x86_64', apiVersion: '1.41' });
    assert.equal(engine.verbs.filter((verb) => verb === 'info').length, 1);
    reader.stop();
    await cache.stop();
  });

  it('asks again when an engine that is followed did not say', async () => {
    const engine = new MemoryEngine();
    const info = engine.info.bind(engine);
    engine.info = () => Promise.reject(new Error('busy'));
    const { clock, cache, reader } = await open(engine);
    assert.deepEqual(reader.traits, UNKNOWN_TRAITS);
    engine.info = info;
    clock.advance(60_000);
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: 'x86_64', apiVersion: '1.41' });
    reader.stop();
    await cache.stop();
  });
});
