import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { KINDS, PLURALS } from '../../crds/model/kinds.js';
import { type TestRegistry, useRegistry } from '../setup/docker.js';
import { Scene } from '../setup/scene.js';
import { useTokens } from '../setup/token-registry.js';

const LOGIN = { username: 'device', password: 'open-sesame-7' };
const BASE64 = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');

describe('a registry that wants a login', () => {
  let scene: Scene;
  let registry: TestRegistry;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-login-'));
    await mkdir(join(folder, 'bin'));
    const env = { DOCKER_CONFIG: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
    scene = await Scene.open({ env });
    registry = await useRegistry(LOGIN);
    scene.onClose(() => registry.close());
    scene.onClose(() => rm(folder, { recursive: true }));
  });
  after(() => scene?.close());

  async function publish(name: string): Promise<string> {
    const reference = `${registry.address}/${scene.prefix}/${name}:1`;
    await scene.makeImage(reference, { labels: { name } });
    await scene.docker.push(reference, LOGIN);
    await scene.docker.engine.removeImage(reference, timeoutSignal(60_000));
    return reference;
  }
  const dockerConfig = (value: object) => writeFile(join(folder, 'config.json'), JSON.stringify(value));
  const imageOf = async (reference: string): Promise<string> => {
    const found = (await scene.agent.documents('Image')).find(({ spec }) => spec.image === reference);
    return found?.metadata.name ?? '';
  };
  const brought = async (name: string, image: string, more: object = {}): Promise<void> => {
    const appId = scene.appId();
    await scene.put(name, { appId, ...more, services: { main: scene.service({ image }) } });
    await scene.untilReady(name, { withinMs: 60_000 });
  };

  it('says that access is denied, and lets in an App that names a secret', async () => {
    const image = await publish('secret');
    const name = `${scene.prefix}-secret`;
    const appId = scene.appId();
    const services = { main: scene.service({ image }) };
    await scene.put(name, { appId, services });
    await scene.untilReason('App', name, 'ImagesNotReady', /check the name, and the access to its registry/);

    const registries = { [registry.address]: { secret: 'depot' } };
    await scene.put(name, { appId, registries, services });
    const missing = await scene.untilReason('Image', await imageOf(image), 'CredentialsUnusable');
    assert.match(missing, /The secret depot is not there: put it into the file .*\/secrets\/depot/);

    await mkdir(join(scene.agent.data, 'secrets'), { recursive: true, mode: 0o700 });
    await writeFile(join(scene.agent.data, 'secrets/depot'), JSON.stringify(LOGIN), { mode: 0o600 });
    await scene.untilReady(name, { withinMs: 60_000 });
    const image2 = await scene.agent.document('Image', await imageOf(image));
    assert.equal(image2?.status?.failures, undefined);
  });

  it('lets in what docker login left', async () => {
    await dockerConfig({ auths: { [registry.address]: { auth: BASE64 } } });
    await brought(`${scene.prefix}-login`, await publish('login'));
  });

  it('lets in what a credential helper tells', async () => {
    await dockerConfig({ credHelpers: { [registry.address]: 'test' } });
    const answer = JSON.stringify({ Username: LOGIN.username, Secret: LOGIN.password });
    const script = `#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = ${registry.address} ] && echo '${answer}'\n`;
    await writeFile(join(folder, 'bin/docker-credential-test'), script, { mode: 0o755 });
    await brought(`${scene.prefix}-helper`, await publish('helper'));
  });

  it('may want a token, which the engine gets for the login', async () => {
    const open = await useRegistry();
    const tokens = await useTokens(open.address, LOGIN);
    try {
      const [inside, image] = [open.address, tokens.address].map((host) => `${host}/${scene.prefix}/token:1`);
      assert.ok(inside && image);
      await scene.makeImage(inside, { labels: { name: 'token' } });
      await scene.docker.push(inside);
      await scene.docker.engine.removeImage(inside, timeoutSignal(60_000));
      await dockerConfig({ auths: { [tokens.address]: { auth: BASE64 } } });
      await brought(`${scene.prefix}-token`, image);
    } finally {
      await tokens.close();
      await open.close();
    }
  });

  it('shows its password to nobody', async () => {
    const reported: [string, string][] = [['what it printed', JSON.stringify(scene.agent.lines)]];
    for (const kind of KINDS) {
      const path = `/apis/supercargo.io/v1/${PLURALS[kind]}`;
      reported.push([path, (await scene.agent.ask(path)).text]);
    }
    for (const path of [
      '/apis/supercargo.io/v1/events',
      '/apis/supercargo.io/v1/problems',
      '/v2/state/status',
      '/v2/local/target-state',
    ]) {
      reported.push([path, (await scene.agent.ask(path)).text]);
    }
    const { data } = scene.agent;
    const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      if (path === join(data, 'secrets/depot')) continue;
      // Files that are being written have their name for a moment only.
      const text = await readFile(path, 'utf8').catch(() => '');
      reported.push([path, text]);
    }
    for (const [where, text] of reported) {
      assert.ok(!text.includes(LOGIN.password) && !text.includes(BASE64), where);
    }
    assert.ok(
      reported.some(([, text]) => text.includes(registry.address)),
      'the test looks where registries are spoken of',
    );
  });
});
