import assert from 'node:assert/strict';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { COMPOSE } from '../../crds/model/compose.js';
import { Scene } from '../setup/scene.js';

describe('an App from a Compose file', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  it('is found by the labels of Docker Compose, and keeps its container when they come', async () => {
    const [appId, name] = [scene.appId(), `${scene.prefix}-project`];
    const spec = {
      appId,
      services: { web: scene.service({ volumes: ['data:/data'] }) },
      volumes: { data: { name: `${name}_data` } },
    };
    const signal = timeoutSignal(60_000);
    const found = () => scene.docker.engine.listLabelled(`com.docker.compose.project=${name}`, signal);
    await scene.put(name, spec);
    await scene.untilReady(name);
    const [before] = await scene.containers(appId);
    assert.deepEqual(await found(), []);

    const annotations = { [COMPOSE.files]: 'compose.yaml' };
    await scene.put(name, spec, { annotations });
    await scene.untilReady(name);
    assert.equal((await scene.containers(appId))[0]?.id, before?.id);
    await scene.docker.engine.removeContainer(before?.id ?? '', signal);
    const [made] = await scene.until('it is made again', found, ({ length }) => length === 1);
    await scene.untilReady(name);
    assert.deepEqual(
      [made?.labels['com.docker.compose.service'], made?.labels['com.docker.compose.oneoff'], made?.volumes],
      ['web', 'False', [`${name}_data`]],
    );
  });
});
