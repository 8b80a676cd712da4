import assert from 'node:assert/strict';
import { pino } from 'pino';
import { EngineHandle } from '../../../controllers/agent/engine-handle.js';
import { EngineUnreachable } from '../../../controllers/engine/engine.js';
import { FakeClock } from '../../setup/fake-clock.js';

const SEARCHING = /still being looked for/;

describe('the engine of a device', () => {
  const ending = new AbortController();
  const clock = new FakeClock();
  const handleOf = (dockerHost: string | undefined): EngineHandle =>
    new EngineHandle({
      settings: { engine: 'external', dockerHost, dataFolder: '/nowhere' },
      store: { list: () => [] },
      clock,
      print: () => undefined,
      log: pino({ level: 'silent' }),
    });

  it('is put together before anybody knows where it listens, and its verbs reject until then', async () => {
    const handle = handleOf('tcp://127.0.0.1:1');
    await assert.rejects(handle.engine.info(ending.signal), (error: Error) => {
      assert.ok(error instanceof EngineUnreachable);
      assert.match(error.message, SEARCHING);
      return true;
    });
    assert.match(handle.failure ?? '', SEARCHING);
    assert.equal(handle.vitals, undefined);
    assert.throws(() => handle.reachable(), SEARCHING);
    assert.throws(() => handle.dockerHost, SEARCHING);
  });

  it('is asked at its address once it is found, by those who had it before', async () => {
    const handle = handleOf('tcp://127.0.0.1:1');
    const { engine } = handle;
    await assert.rejects(engine.info(ending.signal), SEARCHING);
    await handle.find(ending.signal);
    await assert.rejects(engine.info(ending.signal), /No Docker engine answers at tcp:\/\/127\.0\.0\.1:1/);
    assert.equal(handle.dockerHost, 'tcp://127.0.0.1:1');
  });

  it('has a failure once it could not be used for more than a moment', async () => {
    const handle = handleOf(undefined);
    await handle.find(ending.signal);
    assert.equal(handle.failure, undefined, 'a start takes a moment');
    assert.equal(handle.reachable(), handle.engine);
    clock.advance(1_001);
    assert.match(handle.failure ?? '', /has not been asked yet/);
  });

  it('is mounted into containers by its own socket, or the usual one', async () => {
    const handle = handleOf('unix:///srv/docker.sock');
    assert.equal(handle.socketPath, '/var/run/docker.sock');
    await handle.find(ending.signal);
    assert.equal(handle.socketPath, '/srv/docker.sock');
    const remote = handleOf('tcp://192.0.2.1:2375');
    await remote.find(ending.signal);
    assert.equal(remote.socketPath, '/var/run/docker.sock');
  });

  it('cannot be put together at an address that is none', () => {
    assert.throws(() => handleOf('ssh://somewhere'), /ssh:\/\/ is not supported/);
  });
});
