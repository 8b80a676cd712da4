import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { conditionOf } from '../../crds/model/conditions.js';
import type { Problem } from '../../crds/model/kinds.js';
import { needPrograms } from '../setup/programs.js';
import { type Container, Scene, unchanged } from '../setup/scene.js';

const COMPOSE = `services:
  web:
    image: \${IMAGE}
    command: httpd -f -p 80 -h /data
    environment:
      GREETING: \${GREETING}
    volumes: ["data:/data", "./conf:/conf:ro"]
    ports: ["80"]
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
    const { text } = await scene.agent.ask(`/apis/supercargo.io/v1/services/${name}.web`);
    const [port] = (JSON.parse(text) as { status: { ports: string[] } }).status.ports;
    const [, free] = /^(\d+):80$/.exec(port ?? '') ?? assert.fail(String(port));
    assert.equal(await (await fetch(`http://127.0.0.1:${free}/`)).text(), 'kept\n');
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
    assert.deepEqual(problem?.source, { file: join(folder, 'compose.yaml'), line: 11, column: 18 });
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

  describe('that docker compose runs already', () => {
    /** Healthy at once, so that nobody has to wait until they have run for a while. */
    const THEIRS = `services:
  web:
    image: \${IMAGE}
    command: httpd -f -p 80 -h /data
    volumes: ["data:/data"]
    stop_signal: SIGKILL
    restart: always
    depends_on: [db]
    healthcheck: &healthcheck {test: [CMD, "true"], interval: 1s}
  db:
    image: \${IMAGE}
    command: sleep 1000000
    stop_signal: SIGKILL
    restart: unless-stopped
    healthcheck: *healthcheck
volumes:
  data:
`;
    let project: string;
    let home: string;
    let into: string;
    before(async () => {
      await needPrograms('docker-compose');
      project = `${scene.prefix}-theirs`;
      home = join(await mkdtemp(join(tmpdir(), 'compose-')), project);
      into = join(scene.agent.manifests, project);
      scene.onClose(() => rm(join(home, '..'), { recursive: true }));
      await mkdir(home);
      await writeFile(join(home, 'compose.yaml'), THEIRS);
      await writeFile(join(home, '.env'), `IMAGE=${scene.image}\n`);
    });
    after(() => docker('down', '--volumes').catch(() => undefined));

    const docker = (...args: readonly string[]) =>
      promisify(execFile)('docker-compose', ['-f', 'compose.yaml', ...args], {
        cwd: home,
        env: { PATH: process.env.PATH, HOME: '/root', DOCKER_HOST: scene.docker.dockerHost },
        timeout: 120_000,
      });
    /** `web theirs running`, and the id of the network. */
    const running = async (): Promise<readonly string[]> => {
      const all = await scene.docker.engine.listLabelled(`com.docker.compose.project=${project}`, signal());
      return all
        .map(({ labels, state }) => {
          const whose = labels['io.balena.supervised'] === undefined ? 'theirs' : 'ours';
          return `${labels['com.docker.compose.service']} ${whose} ${state}`;
        })
        .sort();
    };
    const signal = () => timeoutSignal(60_000);
    const network = async () =>
      (await scene.docker.engine.inspectNetwork(`${project}_default`, signal()))?.id ?? assert.fail('no network');
    const read = async (): Promise<string> => {
      const all = await scene.docker.engine.listLabelled(`com.docker.compose.project=${project}`, signal());
      const web = all.find(({ labels }) => labels['com.docker.compose.service'] === 'web');
      return (await scene.exec(web?.id ?? '', ['cat', '/data/index.html'])).output;
    };
    const adopt = async (): Promise<void> => {
      const path = `/apis/supercargo.io/v1/apps/${project}/requests`;
      const { status } = await scene.agent.ask(path, { method: 'POST', body: { name: 'adopt' } });
      assert.equal(status, 202);
    };

    it('is taken over where it is asked for, with its data and its network', async () => {
      await docker('up', '-d');
      const [web] = await scene.docker.engine.listNamed([`${project}_web_1`], signal());
      await scene.exec(web?.id ?? '', ['sh', '-c', 'echo precious > /data/index.html']);
      const before = await network();
      await cp(home, into, { recursive: true });
      await scene.untilReason('App', project, 'AdoptionNeeded');
      assert.deepEqual(await running(), ['db theirs running', 'web theirs running']);
      await adopt();
      await scene.untilReady(project);
      scene.appId((await scene.agent.document('App', project))?.status?.appId);
      assert.deepEqual(await running(), ['db ours running', 'web ours running']);
      assert.equal(await network(), before);
      assert.match(await read(), /precious/);
    });

    it('goes back to docker compose with its data', async () => {
      await rm(into, { recursive: true });
      await scene.untilGone(project);
      assert.deepEqual(await running(), []);
      await docker('up', '-d');
      assert.deepEqual(await running(), ['db theirs running', 'web theirs running']);
      assert.match(await read(), /precious/);
    });

    it('runs on as it was where ours does not come up', async () => {
      const before = await network();
      await cp(home, into, { recursive: true });
      const bad = THEIRS.replace('sleep 1000000', 'none-such').replace(
        'volumes:\n  data:',
        '$&\nx-supercargo: {adopt: true}',
      );
      await writeFile(join(into, 'compose.yaml'), bad);
      const message = await scene.untilReason('App', project, 'AdoptionFailed');
      assert.match(message, /Service db was not taken over .*none-such/);
      assert.deepEqual(await running(), ['db theirs running', 'web theirs running']);
      const [db] = await scene.docker.engine.listNamed([`${project}_db_1`], signal());
      const seen = await scene.docker.engine.inspectContainer(db?.id ?? '', signal());
      assert.equal(seen?.updatable?.RestartPolicy.Name, 'unless-stopped');
      await rm(into, { recursive: true });
      await scene.untilGone(project);
      assert.equal(await network(), before);
      assert.match(await read(), /precious/);
    });
  });
});
