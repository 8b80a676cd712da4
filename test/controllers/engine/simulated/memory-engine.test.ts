import assert from 'node:assert/strict';
import { EngineError, EngineUnreachable } from '../../../../controllers/engine/engine.js';
import { SUPERVISED } from '../../../../controllers/engine/labels.js';
import { MemoryEngine } from '../../../../controllers/engine/simulated/memory-engine.js';

const { signal } = new AbortController();
const nothing = (): void => undefined;

/** An engine with a local image `app:1` and a running container `web` of it. */
async function withContainer(HostConfig: object = {}): Promise<MemoryEngine> {
  const engine = new MemoryEngine();
  engine.images.add('app:1');
  await engine.createContainer('web', { Image: 'app:1', Labels: { [SUPERVISED]: '1' }, HostConfig }, signal);
  await engine.startContainer('web', signal);
  engine.forgetCalls();
  return engine;
}

/** Until every promise that can go on has done so. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('MemoryEngine', () => {
  it('writes down the verbs that the agent calls, not what happens by hand', async () => {
    const engine = await withContainer();
    engine.docker.stopContainer('web');
    await engine.startContainer('web', signal);
    assert.deepEqual(engine.calls, [{ verb: 'startContainer', args: ['web'] }]);
  });

  it('does nothing when the fault comes before, and everything when only the reply is lost', async () => {
    const engine = await withContainer();
    engine.before = (verb) => {
      if (verb === 'stopContainer') throw new EngineUnreachable('gone');
    };
    await assert.rejects(engine.stopContainer('web', signal), EngineUnreachable);
    assert.equal(engine.seen('web')?.state, 'running');
    engine.before = undefined;
    engine.after = () => {
      throw new EngineUnreachable('gone');
    };
    await assert.rejects(engine.stopContainer('web', signal), EngineUnreachable);
    assert.equal(engine.seen('web')?.state, 'exited');
  });

  it('goes away with its streams and pulls, and comes back', async () => {
    const engine = await withContainer();
    engine.images.serve('slow:1', { held: true });
    const listen = async (): Promise<void> => {
      for await (const _ of engine.events(undefined, nothing, signal));
    };
    const read = async (): Promise<void> => {
      for await (const _ of engine.followLogs('web', 0, signal));
    };
    const under = [listen(), read(), engine.pullImage('slow:1', {}, nothing, signal)];
    await quiet();
    assert.equal(engine.images.heldPulls('slow:1'), 1);
    engine.goAway();
    for (const one of await Promise.allSettled(under)) {
      assert.ok(one.status === 'rejected' && one.reason instanceof EngineUnreachable);
    }
    await assert.rejects(engine.listContainers(signal), EngineUnreachable);
    engine.comeBack();
    assert.equal((await engine.listContainers(signal)).length, 1);
  });

  it('restarts only whom the policy wants, when told to', async () => {
    const engine = await withContainer({ RestartPolicy: { Name: 'on-failure' } });
    engine.docker.exit('web', 1);
    assert.equal(engine.seen('web')?.state, 'restarting');
    assert.equal(await engine.startContainer('web', signal), 'already');
    engine.docker.restartNow('web');
    assert.equal(engine.seen('web')?.state, 'running');
    engine.docker.exit('web', 0);
    assert.equal(engine.seen('web')?.state, 'exited');
  });

  it('tells health as the test decides, and forgets it with the process', async () => {
    const engine = new MemoryEngine();
    engine.images.add('app:1', { config: { Healthcheck: { Test: ['CMD', 'true'] } } });
    await engine.createContainer('web', { Image: 'app:1' }, signal);
    await engine.startContainer('web', signal);
    assert.equal(engine.seen('web')?.health, 'starting');
    const received: string[] = [];
    for await (const { action } of engine.events(
      undefined,
      () => {
        engine.docker.setHealth('web', 'healthy');
        engine.docker.stopContainer('web');
      },
      signal,
    )) {
      received.push(action);
      if (action === 'disconnect') break;
    }
    assert.deepEqual(received, ['health_status: healthy', 'die', 'disconnect']);
    assert.equal(engine.seen('web')?.health, 'unhealthy');
  });

  it('lets a stopped container join a network that does not exist, as 20.10 does', async () => {
    const engine = await withContainer();
    engine.docker.stopContainer('web');
    const endpoint = { IPAMConfig: {}, Aliases: [] };
    assert.equal(await engine.connectNetwork('nowhere', 'web', endpoint, signal), 'connected');
    await assert.rejects(engine.startContainer('web', signal), /network nowhere not found/);
  });

  it('allows two networks of one name when nobody asks, and then finds neither by name', async () => {
    const engine = new MemoryEngine();
    engine.docker.createNetwork('twin', { Labels: {} }, false);
    const second = engine.docker.createNetwork('twin', { Labels: {} }, false);
    assert.equal((await engine.listNetworks(signal)).filter(({ name }) => name === 'twin').length, 2);
    await assert.rejects(engine.inspectNetwork('twin', signal), EngineError);
    assert.equal((await engine.inspectNetwork(second, signal))?.id, second);
  });

  it('pulls as scripted: progress, credentials, failure in the middle, a tag that moves', async () => {
    const engine = new MemoryEngine();
    const auth = { username: 'u', password: 'p' };
    engine.images.serve('r.test/app:1', {
      progress: [10, 60],
      failure: { message: 'unexpected EOF', statusCode: 500 },
      auth,
    });
    const reported: number[] = [];
    const pull = (credentials?: typeof auth): Promise<void> =>
      engine.pullImage(
        'r.test/app:1',
        credentials ? { auth: { ...credentials, serveraddress: 'r.test' } } : {},
        (percent) => reported.push(percent),
        signal,
      );
    await assert.rejects(pull(), /pull access denied/);
    await assert.rejects(pull(auth), { message: 'unexpected EOF' });
    assert.deepEqual(reported, [10, 60]);
    engine.images.serve('r.test/app:1', { content: 'first' });
    await pull();
    const first = await engine.inspectImage('r.test/app:1', signal);
    engine.images.serve('r.test/app:1', { content: 'second' });
    await pull();
    const second = await engine.inspectImage('r.test/app:1', signal);
    assert.notEqual(first?.id, second?.id);
    assert.deepEqual((await engine.inspectImage(first?.id ?? '', signal))?.tags, []);
  });

  it('forgets events when the daemon restarts, and brings back whom the policy wants', async () => {
    const engine = await withContainer({ RestartPolicy: { Name: 'always' } });
    await engine.createContainer('once', { Image: 'app:1' }, signal);
    await engine.startContainer('once', signal);
    engine.docker.restart();
    assert.equal(engine.seen('web')?.state, 'running');
    assert.equal(engine.seen('once')?.state, 'exited');
    const received: string[] = [];
    for await (const { action } of engine.events('0', nothing, signal)) {
      received.push(action);
      if (action === 'start') break;
    }
    assert.deepEqual(received, ['connect', 'start']);
  });
});
