import assert from 'node:assert/strict';
import { EngineError } from '../../../../controllers/engine/engine.js';
import type { AnyDeclared } from '../../../../crds/model/kinds.js';
import { latestOf } from '../../../../crds/model/revisions.js';
import { Device } from '../../../simulation/device.js';

const NAME = 'web_7_1_a';

const anApp = (
  environment: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
): AnyDeclared => ({
  apiVersion: 'supercargo.io/v1',
  kind: 'App',
  metadata: { name: 'hello' },
  spec: {
    ...{ appId: 1, uuid: 'u', release: { commit: 'a', id: 1 } },
    services: { web: { image: 'web:1', imageId: 7, environment, labels } },
  },
});

describe('why a container replaced another one', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1', { content: 'one' });
    await device.boot();
  });
  afterEach(() => device.stop());

  const agent = async () => device.agent ?? (await device.boot());
  const bring = async (...documents: readonly AnyDeclared[]): Promise<void> => {
    await (await agent()).propose(documents);
    await (await agent()).settle();
  };
  const replaced = () => device.agent?.store.get('Service', 'hello.web')?.status?.replaced;
  const revision = () => latestOf(device.agent?.store.list('Revision') ?? [])?.metadata.name;

  it('is not said of the first', async () => {
    await bring(anApp({ MODE: 'slow' }));
    assert.equal(replaced(), undefined);
  });

  for (const strategy of ['download-then-kill', 'kill-then-download', 'delete-then-download', 'hand-over', 'rolling']) {
    it(`is said with fields and Revision after an update by ${strategy}, once, and stays over a restart`, async () => {
      const labels = { 'io.balena.update.strategy': strategy, 'io.balena.update.handover-timeout': '1000' };
      await bring(anApp({ MODE: 'slow' }, labels));
      await bring(anApp({ MODE: 'fast', API_TOKEN: 'abc' }, labels));
      const { at = '', container, previous, ...reported } = replaced() ?? {};
      assert.deepEqual(reported, {
        because: 'spec changed',
        fields: ['services.web.environment.MODE: "slow" → "fast"', 'services.web.environment.API_TOKEN: (none) → ***'],
        revision: revision(),
        from: { origin: 'files' },
      });
      assert.ok(container !== undefined && (previous === NAME || strategy.startsWith('delete')), `${previous}`);
      const before = replaced();
      for (const loop of device.agent?.loops ?? []) loop.resync();
      await device.agent?.settle();
      await device.halt();
      await bring(anApp({ MODE: 'fast', API_TOKEN: 'abc' }, labels));
      assert.deepEqual(replaced(), before);
      assert.ok(Date.parse(at) > 0);
    });
  }

  it('is said without fields after somebody has removed it, and with those of all promotions since then', async () => {
    await bring(anApp({ MODE: 'slow' }));
    await bring(anApp({ MODE: 'fast' }));
    device.engine.docker.removeContainer(NAME);
    await device.agent?.settle();
    const { at: _time, from: _from, ...reported } = replaced() ?? {};
    assert.deepEqual(reported, {
      ...{ container: NAME, previous: NAME, because: 'there was none', revision: revision() },
    });
    await bring(anApp({ MODE: 'faster' }));
    assert.deepEqual(replaced()?.fields, ['services.web.environment.MODE: "fast" → "faster"']);
  });

  it('is not said of one that the engine refuses to create', async () => {
    await bring(anApp({ MODE: 'slow' }));
    device.engine.before = (verb) => {
      if (verb === 'createContainer') throw new EngineError('unknown runtime specified nope', 400);
    };
    await bring(anApp({ MODE: 'fast' }));
    assert.equal(replaced(), undefined);
  });

  it('is said of a service that no App makes by who declared it', async () => {
    const service = (MODE: string): AnyDeclared => ({
      ...{ apiVersion: 'supercargo.io/v1', kind: 'Service', metadata: { name: 'alone' } },
      spec: { app: 'hello', appId: 1, serviceName: 'extra', image: 'web:1', environment: { MODE } },
    });
    await bring(anApp({}), service('slow'));
    await bring(anApp({}), service('fast'));
    const reported = device.agent?.store.get('Service', 'alone')?.status?.replaced;
    assert.deepEqual(
      [reported?.because, reported?.revision, reported?.from],
      ['spec changed', undefined, { origin: 'files' }],
    );
  });
});
