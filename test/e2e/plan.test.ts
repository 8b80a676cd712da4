import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '../../crds/model/plan.js';
import { type CountingProxy, countingProxy } from '../setup/counting-proxy.js';
import { type TestEngine, useEngine } from '../setup/docker.js';
import { Scene } from '../setup/scene.js';

/** What an agent asks its engine without a reason of its own: its event stream, and the look whether the engine answers. */
const WATCHES = /^(?:\/v[\d.]+)?\/(?:_ping|events|info|version)(?:\?|$)/;

describe('a plan on a real engine', () => {
  let scene: Scene;
  let proxy: CountingProxy;
  let docker: TestEngine;
  const folder = mkdtempSync(join(tmpdir(), 'supercargo-plan-'));

  before(async () => {
    docker = await useEngine();
    proxy = await countingProxy(docker.socketPath, join(folder, 'engine.sock'));
    scene = await Scene.open({ docker, dockerHost: proxy.dockerHost });
  });
  after(async () => {
    await scene?.close();
    await proxy?.close();
    await docker?.close();
    rmSync(folder, { recursive: true });
  });

  const files = (): readonly string[] => {
    const documents = join(scene.agent.data, 'documents');
    return readdirSync(documents, { recursive: true, encoding: 'utf8' }).map((name) => {
      const { mtimeMs, size, ino } = statSync(join(documents, name));
      return `${name} ${ino} ${size} ${mtimeMs}`;
    });
  };
  const versions = async (): Promise<readonly string[]> =>
    [...(await scene.agent.documents('App')), ...(await scene.agent.documents('Service'))].map(
      ({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`,
    );

  it('asks the engine for nothing and writes nothing, whatever would be done', async () => {
    const [name, appId] = [`${scene.prefix}-plan`, scene.appId()];
    await scene.put(name, {
      appId,
      services: { changed: scene.service(), gone: scene.service(), same: scene.service() },
      volumes: { data: {} },
    });
    await scene.untilReady(name);
    const documents = [
      {
        ...{ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name } },
        spec: {
          appId,
          services: {
            changed: scene.service({ environment: { A: '1' } }),
            same: scene.service(),
            more: scene.service({ image: '127.0.0.1:9/none:1', networks: ['own'], volumes: ['other:/other'] }),
          },
          networks: { own: {} },
          volumes: { other: {} },
        },
      },
    ];
    const before = { files: files(), versions: await versions() };
    proxy.reset();
    const { status, text } = await scene.agent.post('/apis/supercargo.io/v1/plan', { documents });
    assert.equal(status, 200, text);
    const asked = [...proxy.requests];
    const { actions } = JSON.parse(text) as Plan;
    const planned = actions.map(({ object, action }) => `${action} ${object.replace(`${name}.`, '')}`);
    for (const one of [
      ...['replace Service/changed', 'remove Service/gone', 'create Service/more'],
      ...['create Network/own', 'create Volume/other'],
    ])
      assert.ok(planned.includes(one), `${one} is planned: ${planned.join(', ')}`);
    assert.ok(
      planned.some((one) => one.startsWith('download Image/')),
      planned.join(', '),
    );
    assert.deepEqual(
      asked.filter(({ path }) => !WATCHES.test(path)),
      [],
    );
    assert.deepEqual(
      asked.filter(({ method }) => method !== 'GET'),
      [],
    );
    assert.deepEqual({ files: files(), versions: await versions() }, before);
    // The proxy sees what is asked: it is the same change, made.
    await scene.put(name, { appId, services: { changed: scene.service({ environment: { A: '1' } }) } });
    await scene.untilReady(name);
    assert.ok(proxy.requests.some(({ method, path }) => method === 'POST' && /\/containers\/create/.test(path)));
  });
});
