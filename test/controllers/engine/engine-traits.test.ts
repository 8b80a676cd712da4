import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { startWorld } from '../../../controllers/engine/cache/informer.js';
import { TraitsReader, UNKNOWN_TRAITS } from '../../../controllers/engine/engine-traits.js';
import { FakeClock } from '../../setup/fake-clock.js';
import { MemoryEngine } from '../../simulation/memory-engine/memory-engine.js';

const log = pino({ level: 'silent' });

describe('TraitsReader', () => {
  const open = async (engine: MemoryEngine, emulates = false) => {
    const clock = new FakeClock();
    const world = startWorld({ engine, log, clock, coalesceMs: 0 });
    await world.start();
    const reader = new TraitsReader({ engine, world, clock, log, emulates: async () => emulates });
    await reader.start();
    return { clock, world, reader };
  };

  it('knows the engine once it has started', async () => {
    const { world, reader } = await open(new MemoryEngine());
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: 'x86_64' });
    reader.stop();
    await world.stop();
  });

  it('does not know the machine where others are emulated', async () => {
    const { world, reader } = await open(new MemoryEngine(), true);
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: undefined });
    reader.stop();
    await world.stop();
  });

  it('starts without an engine, and asks when one comes', async () => {
    const engine = new MemoryEngine();
    engine.goAway();
    const { clock, world, reader } = await open(engine);
    assert.deepEqual(reader.traits, UNKNOWN_TRAITS);
    engine.comeBack();
    for (let turn = 0; turn < 200 && reader.traits.machine === undefined; turn += 1) {
      await nextTurn();
      clock.advance(100);
    }
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: 'x86_64' });
    assert.equal(engine.verbs.filter((verb) => verb === 'info').length, 1);
    reader.stop();
    await world.stop();
  });

  it('asks again when an engine that is followed did not say', async () => {
    const engine = new MemoryEngine();
    const info = engine.info.bind(engine);
    engine.info = () => Promise.reject(new Error('busy'));
    const { clock, world, reader } = await open(engine);
    assert.deepEqual(reader.traits, UNKNOWN_TRAITS);
    engine.info = info;
    clock.advance(60_000);
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    assert.deepEqual(reader.traits, { logDriver: 'json-file', machine: 'x86_64' });
    reader.stop();
    await world.stop();
  });
});
