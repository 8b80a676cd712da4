import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conditionOf } from '../../crds/model/conditions.js';
import type { Problem } from '../../crds/model/kinds.js';
import { type Container, Scene, unchanged } from '../setup/scene.js';

const COMPOSE = `services:
  web:
    image: \${IMAGE}
    command: httpd -f -p 80 -h /data
    environment:
      GREETING: \${GREETING}
    volumes: ["data:/data", "./conf:/conf:ro"]
    stop_signal: SIGKILL
    restart: unless-stopped
    depends_on: [db]
  db:
    image: \${IMAGE}
    command: sleep 1000000
    secrets: [password]
    stop_signal: SIGKILL
    restart: unless-stopped
volumes:
  data:
secrets:
  password: {file: ./password.txt}
`;

describe('a Compose project in manifests/', () => {
  let scene: Scene;
  let name: string;
  let appId: number;
  let folder: string;

  before(async () => {
    scene = await Scene.open();
    name = `${scene.prefix}-shop`;
    folder = join(scene.agent.manifests, name);
  });
  after(() => scene?.close());

  const env = (greeting: string): string => `IMAGE=${scene.image}\nGREETING=${greeting}\n`;
  const running = async (): Promise<{ readonly web: Container; readonly db: Container }> => {
    const [db, web] = await scene.untilRunning(appId, ['db', 'web']);
    assert.ok(web && db);
    return { web, db };
  };
  const problems = async (): Promise<readonly Problem[]> => {
    const { text } = await scene.agent.ask('/apis/supercargo.io/v1/problems');
    return (JSON.parse(text) as { items: Problem[] }).items;
  };
  const volumes = async (): Promise<readonly string[]> => {
    const { Volumes } = (await scene.docker.request({ path: '/volumes' })) as { Volumes?: { Name: string }[] };
    return (Volumes ?? []).map((one) => one.Name).filter((one) => one.startsWith(name));
  };

  it('runs once it is copied there, with the names that Compose gives', async () => {
    const made = await mkdtemp(join(tmpdir(), 'compose-'));
    scene.onClose(() => rm(made, { recursive: true }));
    await mkdir(join(made, 'conf'));
    for (const [file, text] of Object.entries({
      'compose.yaml': COMPOSE,
      '.env': env('one'),
      'password.txt': 'p',
      'conf/a.yaml': 'a: [',
    })) {
      await writeFile(join(made, file), text);
    }
    await cp(made, folder, { recursive: true });
    const app = await scene.untilReady(name);
    appId = scene.appId(app.status?.appId);
    const { web } = await running();
    assert.deepEqual(Object.keys(web.networks), [`${name}_default`]);
    assert.deepEqual(await volumes(), [`${name}_data`]);
    assert.ok(web.env.includes('GREETING=one'));
    const said = conditionOf(app, 'TranslatedFrom');
    assert.deepEqual(
      [said?.status, said?.reason, said?.message],
      ['True', 'Compose', `Translated from ${join(folder, 'compose.yaml')}`],
    );
    assert.deepEqual(await problems(), []);
    const { output } = await scene.exec(web.id, ['cat', '/conf/a.yaml']);
    assert.match(output, /a: \[/);
    await scene.exec(web.id, ['sh', '-c', 'echo kept > /data/index.html']);
  });

  it('has what differs replaced, and nothing else, when .env or a secret changes', async () => {
    const before = await running();
    await writeFile(join(folder, '.env'), env('two'));
    const changed = await scene.until('web has the other greeting', running, ({ web }) =>
      web.env.includes('GREETING=two'),
    );
    assert.deepEqual(unchanged([changed.db]), unchanged([before.db]));
    await scene.untilReady(name);
    await writeFile(join(folder, 'password.txt'), 'another');
    const after = await scene.until('db is another container', running, ({ db }) => db.id !== before.db.id);
    assert.deepEqual(unchanged([after.web]), unchanged([changed.web]));
    await scene.untilReady(name);
  });

  it('goes on running with a broken file, which is named with its line', async () => {
    const before = await running();
    await writeFile(join(folder, 'compose.yaml'), COMPOSE.replace('depends_on: [db]', 'depends_on: [dbb]'));
    const [problem] = await scene.until('the problem', problems, (seen) => seen.length > 0);
    assert.deepEqual(problem?.source, { file: join(folder, 'compose.yaml'), line: 10, column: 18 });
    assert.equal(problem?.name, name);
    await scene.agent.ask('/v1/update', { method: 'POST', body: {} });
    assert.deepEqual(unchanged(Object.values(await running())), unchanged(Object.values(before)));
    await writeFile(join(folder, 'compose.yaml'), COMPOSE);
    await scene.until('no problem', problems, (seen) => seen.length === 0);
    assert.deepEqual(unchanged(Object.values(await running())), unchanged(Object.values(before)));
  });

  it('is gone with its folder, and its volume stays', async () => {
    await rm(folder, { recursive: true });
    await scene.untilGone(name);
    assert.deepEqual(await scene.containers(appId), []);
    assert.deepEqual(await scene.networks(appId), []);
    assert.deepEqual(await volumes(), [`${name}_data`]);
    await mkdir(join(folder, 'conf'), { recursive: true });
    await writeFile(join(folder, 'password.txt'), 'p');
    await writeFile(join(folder, '.env'), env('three'));
    await writeFile(join(folder, 'compose.yaml'), COMPOSE);
    await scene.untilReady(name);
    const { web } = await running();
    assert.match((await scene.exec(web.id, ['cat', '/data/index.html'])).output, /kept/);
  });
});
