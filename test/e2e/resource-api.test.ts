import assert from 'node:assert/strict';
import { isReady } from '../../crds/model/conditions.js';
import type { Resource } from '../../crds/model/kinds.js';
import { Scene } from '../setup/scene.js';

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Resource<'App'>;
}

describe('the resource API', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  it('takes an App, lets a watcher see it become Ready, and lets go of it', async () => {
    const name = `${scene.prefix}-watched`;
    const appId = scene.appId();
    const stream = await scene.agent.stream('/apis/supercargo.io/v1/apps?watch=true');
    const seen = (): WatchEvent[] => stream.lines.map((line) => JSON.parse(line) as WatchEvent);

    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.until('the watcher sees it become Ready', seen, (events) => {
      const last = events.at(-1);
      return last?.object.metadata.name === name && isReady(last.object);
    });
    const [first] = seen();
    assert.equal(first?.type, 'ADDED');
    assert.equal(isReady(first.object), false, 'not before something was done');
    const [container] = await scene.untilRunning(appId, ['main']);
    const service = await scene.agent.document('Service', `${name}.main`);
    assert.equal(service?.status?.container?.id, container?.id);
    assert.equal(service?.metadata.origin, `App/${name}`);

    await scene.delete(name);
    await scene.until(
      'the watcher sees it go',
      () => seen().at(-1)?.type,
      (type) => type === 'DELETED',
    );
    stream.close();
    assert.deepEqual(await scene.containers(appId), []);
    assert.equal((await scene.agent.ask(`/apis/supercargo.io/v1/apps/${name}`)).status, 404);
    assert.deepEqual(await scene.agent.documents('Service'), []);
  });

  it('refuses to touch what another origin declared, and a document with faults', async () => {
    const name = `${scene.prefix}-refused`;
    const appId = scene.appId();
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReady(name);
    const path = `/apis/supercargo.io/v1/services/${name}.main`;
    assert.equal((await scene.agent.ask(path, { method: 'DELETE' })).status, 409);
    const faulty = await scene.agent.ask(`/apis/supercargo.io/v1/apps/${name}`, {
      method: 'PUT',
      body: { spec: { services: { main: { image: 7, privilegd: true } } } },
    });
    assert.equal(faulty.status, 422);
    assert.match(faulty.text, /spec\.services\.main\.image/);
    assert.match(faulty.text, /privileged/);
    await scene.untilReady(name);
  });

  it('says on each document what was done and why', async () => {
    const name = `${scene.prefix}-events`;
    const appId = scene.appId();
    const spec = (value: string) => ({
      appId,
      services: { main: scene.service({ environment: { VALUE: value } }) },
    });
    await scene.put(name, spec('1'));
    await scene.untilReady(name);
    await scene.put(name, spec('2'));
    await scene.untilReady(name);
    const events = (await scene.agent.events('Service', `${name}.main`)).join('\n');
    assert.match(events, /^Installing: Created container .*: there was none$/m);
    assert.match(events, /^Stopping: Removed container .*: spec changed$/m);
  });
});
