import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Container, Scene, unchanged } from '../setup/scene.js';

describe('bad input', () => {
  let scene: Scene;
  let ids: { readonly file: number; readonly api: number };
  let names: { readonly file: string; readonly api: string };
  let good: string;

  before(async () => {
    scene = await Scene.open();
    ids = { file: scene.appId(), api: scene.appId() };
    names = { file: `${scene.prefix}-file`, api: `${scene.prefix}-api` };
    good = appFile(names.file, ids.file);
    await writeFile(join(scene.agent.manifests, 'good.yaml'), good);
    await scene.put(names.api, { appId: ids.api, services: { main: scene.service() } });
    await scene.untilReady(names.file);
    await scene.untilReady(names.api);
  });
  after(() => scene?.close());

  const appFile = (name: string, appId: number): string =>
    JSON.stringify({
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      metadata: { name },
      spec: { appId, services: { main: scene.service() } },
    });

  const running = async (): Promise<readonly Container[]> => [
    ...(await scene.containers(ids.file)),
    ...(await scene.containers(ids.api)),
  ];

  /** What ran runs on, untouched, and the agent answers. */
  async function undisturbed(old: readonly Container[]): Promise<void> {
    assert.ok(scene.agent.isRunning);
    assert.equal((await scene.agent.ask('/v1/healthy')).status, 200);
    assert.deepEqual(unchanged(await running()), unchanged(old));
  }

  describe('over HTTP', () => {
    /** Deep enough to exhaust a stack that recurses over it. */
    const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const app = (fields: object) => ({ local: { name: 'x', config: {}, apps: { '5': fields } } });
    const service = { serviceName: 'a', imageId: 1, image: 'busybox', environment: {}, labels: {} };
    const valid = { name: 'a', commit: 'c', releaseId: 1, services: {}, volumes: {}, networks: {} };
    const posts: readonly {
      readonly it: string;
      readonly body: unknown;
      readonly status: number;
      readonly says: RegExp;
    }[] = [
      { it: 'text that is not JSON', body: '{"local": ', status: 503, says: /JSON/ },
      { it: 'binary junk', body: randomBytes(4096).toString('latin1'), status: 503, says: /JSON/ },
      { it: 'brackets without end', body: `{"local":${nested}}`, status: 503, says: /nested too deeply/ },
      { it: 'more than 10 MB', body: `{"local":"${'x'.repeat(11 * 1024 * 1024)}"}`, status: 503, says: /too large/ },
      { it: 'no local part', body: {}, status: 400, says: /local/ },
      { it: 'a list', body: [], status: 400, says: /Invalid target state/ },
      { it: 'an app without a number', body: { local: { apps: { abc: valid } } }, status: 400, says: /abc/ },
      {
        it: 'an app that is null',
        body: { local: { apps: { '5': null } } },
        status: 400,
        says: /Invalid target state/,
      },
      { it: 'a service that is null', body: app({ ...valid, services: { '1': null } }), status: 400, says: /services/ },
      {
        it: 'an environment of the wrong type',
        body: app({ ...valid, services: { '1': { ...service, environment: [1] } } }),
        status: 400,
        says: /environment/,
      },
    ];
    for (const { it: title, body, status, says } of posts) {
      it(`refuses ${title}`, async () => {
        const old = await running();
        const reply = await scene.agent.post('/v2/local/target-state', body);
        assert.equal(reply.status, status, reply.text.slice(0, 500));
        assert.match(reply.json<{ message: string }>().message, says);
        await undisturbed(old);
      });
    }

    it('refuses an app that a file declares', async () => {
      const old = await running();
      const body = { local: { name: 'x', config: {}, apps: { [ids.file]: valid } } };
      const reply = await scene.agent.post('/v2/local/target-state', body);
      assert.equal(reply.status, 400);
      assert.match(reply.text, /good\.yaml/);
      await undisturbed(old);
    });
  });

  describe('as a file', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 12 }, (_, index) => {
        const [own, last] = [String.fromCharCode(98 + index), String.fromCharCode(97 + index)];
        return `${own}: &${own} [${Array.from({ length: 9 }, () => `*${last}`).join(', ')}]`;
      }),
    ].join('\n');
    const document = (more: string): string =>
      `apiVersion: supercargo.io/v1\nkind: App\nmetadata: { name: bad }\n${more}`;
    const files: readonly {
      readonly it: string;
      readonly content: () => string | Buffer;
      readonly says: RegExp;
      readonly file?: string;
    }[] = [
      { it: 'of 10 MB', content: () => `# ${'x'.repeat(10 * 1024 * 1024)}\n`, says: /too large/ },
      { it: 'with an alias bomb', content: () => bomb, says: /alias/ },
      { it: 'of binary junk', content: () => randomBytes(65_536), says: /./ },
      { it: 'with broken JSON', file: 'bad.json', content: () => '{"kind": "App",', says: /./ },
      { it: 'of an unknown kind', content: () => document('').replace('kind: App', 'kind: Ap'), says: /Ap\b/ },
      { it: 'with an unknown field', content: () => document('spec: { servces: {} }'), says: /servces.*services/ },
      { it: 'of brackets without end', content: () => '['.repeat(500_000), says: /nested too deeply/ },
      { it: 'with a wrong type', content: () => document('spec: { services: [] }'), says: /services/ },
    ];
    for (const { it: title, content, says, file = 'bad.yaml' } of files) {
      it(`${title} becomes a problem that names it`, async () => {
        const old = await running();
        const path = join(scene.agent.manifests, file);
        await writeFile(path, content());
        const [problem] = await scene.until(
          'the problem',
          () => scene.agent.problems(),
          (seen) => seen.length > 0,
        );
        assert.equal(problem?.source?.file, path);
        assert.match(JSON.stringify(problem), says);
        await scene.until(
          'the log names it',
          () => scene.agent.lines,
          (lines) => lines.some((line) => JSON.stringify(line).includes(file)),
        );
        await undisturbed(old);
        await rm(path);
        await noProblems();
        await undisturbed(old);
      });
    }

    afterEach(async () => {
      for (const file of ['bad.yaml', 'bad.json']) await rm(join(scene.agent.manifests, file), { force: true });
    });

    const noProblems = () =>
      scene.until(
        'the problem is gone',
        () => scene.agent.problems(),
        (seen) => seen.length === 0,
      );

    it('that is a link in a circle becomes a problem', async () => {
      const old = await running();
      const folder = join(scene.agent.manifests, 'loop');
      await mkdir(folder);
      await symlink(scene.agent.manifests, join(folder, 'up'));
      await symlink(join(scene.agent.manifests, 'self.yaml'), join(scene.agent.manifests, 'self.yaml'));
      const problems = await scene.until(
        'the problem',
        () => scene.agent.problems(),
        (seen) => seen.some(({ source }) => source?.file.endsWith('self.yaml')),
      );
      assert.ok(problems.length > 0);
      await undisturbed(old);
      await rm(folder, { recursive: true });
      await rm(join(scene.agent.manifests, 'self.yaml'));
      await noProblems();
    });

    it('that claims the name of an app of another origin is refused', async () => {
      const old = await running();
      const path = join(scene.agent.manifests, 'thief.yaml');
      await writeFile(path, appFile(names.api, ids.api));
      const [problem] = await scene.until(
        'the problem',
        () => scene.agent.problems(),
        (seen) => seen.length > 0,
      );
      assert.match(problem?.message ?? '', new RegExp(names.api));
      await undisturbed(old);
      await rm(path);
      await noProblems();
      await undisturbed(old);
    });

    it('in a folder that cannot be read any more changes nothing', async () => {
      const old = await running();
      const { manifests } = scene.agent;
      await rename(manifests, `${manifests}.away`);
      await writeFile(manifests, 'not a folder');
      await scene.until(
        'the problem',
        () => scene.agent.problems(),
        (seen) => seen.some(({ source }) => source?.file === manifests),
      );
      await undisturbed(old);
      await rm(manifests);
      await mkdir(manifests); // as a disk that is not mounted
      await scene.until(
        'the empty folder is doubted',
        () => scene.agent.problems(),
        (seen) => seen.some(({ message }) => message.includes('empty')),
      );
      await undisturbed(old);
      await rm(manifests, { recursive: true });
      await rename(`${manifests}.away`, manifests);
      await noProblems();
      await undisturbed(old);
    });
  });
});
