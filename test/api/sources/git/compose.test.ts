import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { problemLine } from '../../../../api/sources/documents.js';
import type { App } from '../../../../crds/model/kinds.js';
import { isMap, type Values } from '../../../../crds/model/maps.js';
import type { GitSourceSpec, ServiceSpec } from '../../../../crds/model/types.js';
import { FakeClock } from '../../../setup/fake-clock.js';
import { appText, TestRepository, type Tree } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { until } from '../../../setup/until.js';
import { SourceBench } from './a-source.js';

const HOUR_MS = 3_600_000;

const mapOf = (value: unknown): Values => (isMap(value) ? value : {});

describe('a Compose project in a repository', function () {
  this.timeout(60_000);
  let repository: TestRepository;
  let bench: SourceBench;
  let clock: FakeClock;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });
  beforeEach(async () => {
    repository = TestRepository.make();
    clock = new FakeClock();
    bench = await SourceBench.make(
      { url: repository.bare, branch: 'main' },
      { clock, fileLimits: { fileBytes: 1000, totalBytes: 3000 } },
    );
  });
  afterEach(async () => {
    await bench.close();
    repository.remove();
  });

  /** Commits, looks, and returns what failed. */
  const take = async (tree: Tree, ...options: readonly string[]): Promise<string | undefined> => {
    repository.commit(tree, 'a change', ...options);
    return (await bench.sync()).failure?.message;
  };
  const declare = (more: Partial<GitSourceSpec>): Promise<void> =>
    bench.declare({ url: repository.bare, branch: 'main', ...more } as GitSourceSpec);
  const app = (name = 'shop'): App => {
    const found = bench.store.get('App', name);
    assert.ok(found, `there is an App ${name}: ${bench.store.problems().map(problemLine).join('\n')}`);
    return found;
  };
  const web = (name = 'shop'): Partial<ServiceSpec> => app(name).spec.services?.web ?? {};
  const sources = (name = 'shop'): readonly string[] =>
    (web(name).volumes ?? []).map((one) => (typeof one === 'string' ? one : String(one.source)));
  const warnings = (): readonly string[] =>
    bench.store
      .problems()
      .filter(({ severity }) => severity === 'warning')
      .map(problemLine);
  const projects = (): string => join(bench.folder, 'projects');
  /** What is below the folder of projects, without what names contents; links are not followed. */
  const kept = (): readonly string[] =>
    existsSync(projects())
      ? readdirSync(projects(), { recursive: true, encoding: 'utf8' })
          .filter((name) => statSync(join(projects(), name)).isFile() && !name.endsWith('manifest.json'))
          .sort()
      : [];
  const contents = (): readonly string[] =>
    kept().map((name) => `${name.split('/').slice(3).join('/')}: ${readFileSync(join(projects(), name), 'utf8')}`);

  const COMPOSE = 'services:\n  web:\n    image: x\n    volumes: ["./web.conf:/etc/web.conf:ro"]\n';

  it('is taken with all its files, as in a watched folder', async () => {
    const commit = repository.commit({
      'apps/shop/compose.yaml':
        'include: [db.yaml]\nservices:\n  web:\n    extends: { file: base/web.yml, service: web }\n    environment: { GREETING: "${GREETING}" }\n',
      'apps/shop/compose.override.yaml': 'services: { web: { ports: ["80:80"] } }\n',
      'apps/shop/.env': 'GREETING=hello\nTAG=2\n',
      'apps/shop/base/web.yml': 'services: { web: { image: "web:${TAG}", env_file: web.env } }\n',
      'apps/shop/base/web.env': 'FROM_FILE=yes\n',
      'apps/shop/db.yaml': 'services: { db: { image: db } }\n',
      'apps/shop/prometheus.yml': 'scrape_configs: []\n',
      'apps/shop/dashboards/one.json': '{"panels": []}',
      'apps/a.yaml': appText('a'),
    });
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.declared, 'App/a App/shop');
    const { image, environment, ports } = web();
    assert.deepEqual([image, environment, ports?.length], ['web:2', { FROM_FILE: 'yes', GREETING: 'hello' }, 1]);
    assert.equal(app().spec.services?.db?.image, 'db');
    assert.deepEqual(app().metadata.source, {
      file: 'git/fleet/apps/shop/compose.yaml',
      composeFiles: ['compose.yaml', 'compose.override.yaml', 'base/web.yml', 'db.yaml'].map(
        (name) => `git/fleet/apps/shop/${name}`,
      ),
      commit: { hash: commit, author: 'Ada', subject: 'a change' },
    });
    assert.deepEqual(bench.store.problems(), []);
    assert.deepEqual(kept(), []);
    const again = await bench.sync();
    assert.equal(again.accepted, undefined);
  });

  describe('is found', () => {
    const one = (image: string): string => `services: { web: { image: ${image} } }\n`;
    const cases: readonly (readonly [string, Tree, Partial<GitSourceSpec>, string])[] = [
      ['at the root, with the name of the source', { 'compose.yaml': one('x') }, {}, 'App/fleet'],
      ['at the root, with a name of its own', { 'compose.yaml': `name: own\n${one('x')}` }, {}, 'App/own'],
      [
        'at a path, with the name of its folder',
        { 'apps/shop/compose.yaml': one('x') },
        { path: 'apps/shop' },
        'App/shop',
      ],
      [
        'below paths only',
        { 'a/one/compose.yaml': one('x'), 'b/two/compose.yaml': one('x') },
        { paths: ['b'] },
        'App/two',
      ],
      ['under the first of its names', { 's/docker-compose.yml': one('x'), 's/compose.yml': one('y') }, {}, 'App/s'],
      [
        'by the .env of its folder',
        { 's/.env': 'COMPOSE_FILE=one.yaml:two.yaml', 's/one.yaml': one('x'), 's/two.yaml': one('y') },
        {},
        'App/s',
      ],
      [
        'in a file of its own',
        { 'shop.yaml': one('x'), 'shop.override.yaml': one('y'), 'other.yml': one('x') },
        {},
        'App/other App/shop',
      ],
      [
        'in a file of its own, of which files that it mounts are no documents',
        {
          'shop.yaml': 'services: {web: {image: x, volumes: ["./prom.yml:/p:ro", "./boards:/b:ro"]}}\n',
          'prom.yml': 'scrape_configs: []\n',
          'boards/one.json': '{"panels": []}',
        },
        {},
        'App/shop',
      ],
      ['but not in another project', { 's/compose.yaml': one('x'), 's/deep/compose.yaml': one('x') }, {}, 'App/s'],
      [
        'but not when it is excluded',
        { 's/compose.yaml': one('x'), 's/a.yaml': appText('a') },
        { exclude: ['compose.yaml'] },
        'App/a',
      ],
      [
        'but not in the folder of another device',
        { 'devices/bath/s/compose.yaml': one('x'), 'a.yaml': appText('a') },
        {},
        'App/a',
      ],
      ['in the folder of this device', { 'devices/kitchen/s/compose.yaml': one('x') }, {}, 'App/s'],
      ['but not in a document of that name', { 's/compose.yaml': appText('a') }, {}, 'App/a'],
      [
        'with documents of ours beside and below',
        { 's/compose.yaml': one('x'), 's/a.yaml': appText('a'), 's/b/c.yaml': appText('c'), 's/b/d.yaml': 'x: y' },
        {},
        'App/a App/c App/s',
      ],
      [
        'by the name that its .env gives',
        { 's/compose.yaml': one('x'), 's/.env': 'COMPOSE_PROJECT_NAME=Other' },
        {},
        'App/other',
      ],
    ];
    for (const [it_, tree, spec, want] of cases) {
      it(it_, async () => {
        await declare(spec);
        assert.equal(await take(tree), undefined);
        assert.equal(bench.declared, want);
      });
    }

    it('with the files beside when a path names its Compose file', async () => {
      await declare({ paths: ['apps/shop/compose.yaml', 'apps/own.yaml'] });
      const failure = await take({
        'apps/shop/compose.yaml': COMPOSE,
        'apps/shop/compose.override.yaml': 'services: { web: { hostname: "${NAME}" } }\n',
        'apps/shop/.env': 'NAME=beside\n',
        'apps/shop/web.conf': 'one',
        'apps/own.yaml': 'services: { web: { image: "x:${NAME:-alone}" } }\n',
        'apps/other.yaml': 'services: { web: { image: x } }\n',
      });
      assert.equal(failure, undefined);
      assert.equal(bench.declared, 'App/own App/shop');
      assert.deepEqual([web().hostname, web('own').image, contents()], ['beside', 'x:alone', ['web.conf: one']]);
    });

    it('behind a link inside the repository, and not behind one that leads out', async () => {
      mkdirSync(join(repository.work, 'shop'), { recursive: true });
      repository.write({ 'variants/small.yaml': COMPOSE, 'shared/web.conf': 'one' });
      symlinkSync('../variants/small.yaml', join(repository.work, 'shop/compose.yaml'));
      symlinkSync('../shared/web.conf', join(repository.work, 'shop/web.conf'));
      await declare({ path: 'shop' });
      assert.equal(await take({}), undefined);
      assert.deepEqual(contents(), ['web.conf: one']);

      rmSync(join(repository.work, 'shop/web.conf'));
      symlinkSync('/etc/passwd', join(repository.work, 'shop/web.conf'));
      assert.match((await take({})) ?? '', /shop\/web\.conf cannot be mounted: a link leads out of the repository/);
      rmSync(join(repository.work, 'shop/web.conf'));
      symlinkSync('../../web.conf', join(repository.work, 'shop/web.conf'));
      assert.match((await take({})) ?? '', /cannot be mounted: it leads out of the repository/);
      assert.deepEqual(contents(), ['web.conf: one']);
    });
  });

  describe('has variables', () => {
    const VARIED =
      'services:\n  web:\n    image: "x:${TAG}"\n    hostname: ${device.name}\n    environment:\n      SITE: ${device.tags.site}\n      FLOOR: ${device.tags.floor:-none}\n      PASSWORD:\n      DSN: "db://me:${PASSWORD}@db"\n';
    const secret = (text: string): void => bench.secret('db.env', text);
    const from = { varsFrom: [{ file: 'db.env' }] };

    it('of .env, then of the source and the device; its secrets in the environment only', async () => {
      secret('PASSWORD=hunter2\n');
      await declare({ vars: { TAG: '1', OTHER: 'b' }, ...from });
      assert.equal(await take({ 's/compose.yaml': VARIED }), undefined);
      assert.deepEqual(
        [web('s').image, web('s').hostname, web('s').environment],
        ['x:1', 'kitchen', { DSN: 'db://me:hunter2@db', FLOOR: 'none', PASSWORD: 'hunter2', SITE: 'north' }],
      );
      assert.deepEqual(warnings(), []);
      assert.equal(await take({ 's/.env': 'TAG=2\n' }), undefined);
      assert.equal(web('s').image, 'x:2');
      assert.deepEqual(warnings(), [
        'git/fleet/s/.env: TAG is set here, and that of the source does not count; leave it out here',
      ]);
      // The way for a default in the repository.
      assert.equal(await take({ 's/.env': 'TAG=${TAG:-2}\n' }), undefined);
      assert.equal(web('s').image, 'x:1');
      assert.deepEqual(warnings(), []);
      secret('PASSWORD=hunter3\n');
      assert.equal((await bench.sync()).failure, undefined);
      assert.equal(mapOf(web('s').environment).PASSWORD, 'hunter3');
    });

    const refused: readonly (readonly [string, string, Tree?])[] = [
      ['a label', 'labels: ["a=${PASSWORD}"]'],
      ['a command', 'command: "run ${PASSWORD}"'],
      ['an image', 'image: "x:${PASSWORD}"'],
    ];
    for (const [what, fields] of refused) {
      it(`but no secret in ${what}`, async () => {
        secret('PASSWORD=hunter2\n');
        await declare(from);
        const rest = fields.startsWith('image') ? '' : 'image: x, ';
        const failure = await take({ 's/compose.yaml': `services:\n  web: {${rest}${fields}}\n` });
        assert.match(failure ?? '', /^git\/fleet\/s\/compose\.yaml:2:\d+.*\$\{PASSWORD\} is a secret/);
        assert.doesNotMatch(JSON.stringify([failure, bench.store.problems(), bench.lines]), /hunter2/);
      });
    }

    it('of the source for profiles and the choice of files, and secrets for files of variables', async () => {
      secret('PASSWORD=hunter2\n');
      await declare({ vars: { COMPOSE_PROFILES: 'debug', COMPOSE_FILE: 'compose.yaml:compose.pi.yaml' }, ...from });
      const failure = await take({
        's/compose.yaml': 'services: {web: {image: x, env_file: web.env}, shell: {image: y, profiles: [debug]}}\n',
        's/compose.pi.yaml': 'services: {web: {image: pi}}\n',
        's/web.env': 'DSN=db://${PASSWORD}\n',
      });
      assert.equal(failure, undefined);
      assert.deepEqual(Object.keys(app('s').spec.services ?? {}).toSorted(), ['shell', 'web']);
      assert.deepEqual([web('s').image, web('s').environment], ['pi', { DSN: 'db://hunter2' }]);
    });

    it('also where the environment is an alias, or merged', async () => {
      secret('PASSWORD=hunter2\n');
      await declare(from);
      const failure = await take({
        's/compose.yaml':
          'x-env: &env { PASSWORD: "${PASSWORD}" }\nservices:\n  web: { image: x, environment: { <<: *env, A: b } }\n  db: { image: x, environment: *env }\n',
      });
      assert.equal(failure, undefined);
      assert.deepEqual(web('s').environment, { A: 'b', PASSWORD: 'hunter2' });
      assert.deepEqual(app('s').spec.services?.db?.environment, { PASSWORD: 'hunter2' });
    });

    it('but no secret in .env, and none of this process', async () => {
      secret('PASSWORD=hunter2\n');
      await declare(from);
      assert.equal(
        await take({
          's/.env': 'COPY=${PASSWORD}\n',
          's/compose.yaml': 'services: {web: {image: x, labels: ["a=${COPY}${PATH}"]}}\n',
        }),
        undefined,
      );
      assert.equal(mapOf(web('s').labels).a, '');
    });
  });

  describe('with files that services mount', () => {
    it('writes them, and nothing else, before the App is there', async () => {
      mkdirSync(join(repository.work, 'shop/hooks/deep'), { recursive: true });
      writeFileSync(join(repository.work, 'shop/hooks/run.sh'), '#!/bin/sh\n');
      chmodSync(join(repository.work, 'shop/hooks/run.sh'), 0o755);
      const failure = await take({
        'shop/compose.yaml':
          'services:\n  web:\n    image: x\n    volumes: ["./web.conf:/etc/web.conf:ro", "./hooks:/hooks:ro", "/etc/localtime:/etc/localtime:ro"]\n    configs: [{source: c, target: /c}]\nconfigs: {c: {file: ./c.json}}\n',
        'shop/web.conf': 'one',
        'shop/hooks/deep/a': 'a',
        'shop/c.json': '{}',
        'shop/unused': 'x'.repeat(2000),
      });
      assert.equal(failure, undefined);
      assert.deepEqual(contents().toSorted(), [
        'c.json: {}',
        'hooks/deep/a: a',
        'hooks/run.sh: #!/bin/sh\n',
        'web.conf: one',
      ]);
      const [conf = '', hooks = '', localtime, config = ''] = sources();
      assert.equal(localtime, '/etc/localtime');
      assert.deepEqual(
        [conf, hooks, config].map((path) => dirname(dirname(path))),
        Array(3).fill(join(projects(), 'fleet/shop')),
      );
      const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
      assert.deepEqual([conf, hooks, join(hooks, 'run.sh'), join(hooks, 'deep'), dirname(conf)].map(mode), [
        '644',
        '755',
        '755',
        '755',
        '755',
      ]);
      const { volumes, labels } = web();
      assert.ok(
        volumes?.every(
          (one) => typeof one === 'object' && (one.target === '/etc/localtime' || one.bind?.create_host_path === false),
        ),
      );
      assert.match(String(mapOf(labels)['io.supercargo.contents']), /^[0-9a-f]{16}$/);
      assert.deepEqual(warnings(), []);
    });

    it('gives them another path when they change, and the same as long as they do not', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      const [first] = sources();
      const { resourceVersion } = app().metadata;
      await take({ 'README.md': 'x', 'shop/other.conf': 'x' });
      assert.equal(app().metadata.resourceVersion, resourceVersion);
      await take({ 'shop/web.conf': 'two' });
      const [second] = sources();
      assert.notEqual(second, first);
      assert.deepEqual(contents().toSorted(), ['web.conf: one', 'web.conf: two']);
      repository.git('revert', '--no-edit', 'HEAD');
      repository.push();
      await bench.sync();
      assert.deepEqual(sources(), [first]);
      const changed = statSync(first ?? '').mtimeMs;
      await bench.restart();
      assert.deepEqual((await bench.sync()).accepted, { created: [], changed: [], deleted: [], refused: [] });
      assert.equal(statSync(first ?? '').mtimeMs, changed);
      chmodSync(join(repository.work, 'shop/web.conf'), 0o755);
      await take({});
      assert.equal(statSync(sources()[0] ?? '').mode & 0o777, 0o755);
    });

    it('has services write beside, where no commit comes', async () => {
      const compose = (more = ''): string =>
        `services:\n  web:\n    image: x\n    volumes: ["./data:/data", "./cache:/cache", "./missing.conf:/m"${more}]\n`;
      assert.equal(await take({ 'shop/compose.yaml': compose(), 'shop/cache/.gitkeep': '' }), undefined);
      const state = join(projects(), 'fleet/shop/state');
      assert.deepEqual(
        sources(),
        ['data', 'cache', 'missing.conf'].map((name) => join(state, name)),
      );
      assert.ok(web().volumes?.every((one) => typeof one === 'object' && one.bind?.create_host_path === true));
      assert.equal(web().labels, undefined);
      assert.equal(existsSync(projects()), false, 'the engine makes them');
      assert.deepEqual(warnings(), [
        'git/fleet/shop/compose.yaml:4:49 services.web.volumes: There is no git/fleet/shop/missing.conf in the repository: a folder of that name is made, as Compose does',
      ]);
      // The repository has it now: what services wrote is not lost, and not mixed with it.
      mkdirSync(join(state, 'data'), { recursive: true });
      assert.equal(await take({ 'shop/data/seed': 'x' }), undefined);
      assert.doesNotMatch(warnings().join('\n'), /is still in/, 'nothing was written');
      writeFileSync(join(state, 'data/file'), 'kept');
      assert.equal(await take({ 'shop/compose.yaml': compose(', "./more:/more"') }), undefined);
      assert.match(warnings().join('\n'), /git\/fleet\/shop\/data is in the repository.*is still in .*\/state\/data/);
      assert.equal(await take({ 'shop/data': undefined }), undefined);
      assert.equal(sources()[0], join(state, 'data'));
      assert.equal(readFileSync(join(state, 'data/file'), 'utf8'), 'kept');
    });

    it('writes once what two services, or two projects of one name, mount', async () => {
      const both = 'services: {web: {image: x, volumes: ["./c:/c:ro"]}, db: {image: x, volumes: ["./c:/d:ro"]}}\n';
      await declare({ atomic: false });
      const failure = await take({
        'a/compose.yaml': `name: shop\n${both}`,
        'a/c': 'c',
        'b/compose.yaml': `name: shop\n${both}`,
        'b/c': 'c',
      });
      assert.match(failure ?? '', /App shop is also declared in git\/fleet\/b\/compose\.yaml/);
      assert.deepEqual(contents(), ['c: c']);
      assert.equal(await take({ b: undefined }), undefined);
      assert.deepEqual(contents(), ['c: c']);
      assert.equal(sources().length, 1);
    });

    it('warns of a folder of the repository that services may write to', async () => {
      await take({
        'shop/compose.yaml': 'services: {web: {image: x, volumes: ["./conf:/conf"]}}\n',
        'shop/conf/a': 'a',
      });
      assert.match(warnings().join(), /shop\/conf is from the repository: what services write there stays behind/);
    });

    const refused: readonly (readonly [string, string, Tree, RegExp])[] = [
      [
        'a file that is too large',
        './big:/big',
        { 'shop/big': 'x'.repeat(1001) },
        /^git\/fleet\/shop\/big, which a service mounts, is 0\.0 MiB: a file/,
      ],
      [
        'files that are too large together',
        './all:/all',
        Object.fromEntries([1, 2, 3, 4].map((at) => [`shop/all/${at}`, String(at).repeat(900)])),
        /^What services mount is .*\(git\/fleet\/shop\/all\)/,
      ],
      [
        'too many files',
        './all:/all',
        Object.fromEntries(Array.from({ length: 2001 }, (_, at) => [`shop/all/${at}`, ''])),
        /shop\/all has more than 2000 files/,
      ],
      [
        'what is above its folder',
        '../other:/other',
        { 'other/x': 'x' },
        /compose\.yaml:1:\d+ services\.web\.volumes: git\/fleet\/other is outside the folder of the project/,
      ],
    ];
    for (const [what, volume, tree, want] of refused) {
      it(`refuses ${what}, and keeps what runs`, async () => {
        await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
        const before = web();
        const failure = await take({
          'shop/compose.yaml': `services: {web: {image: y, volumes: ["${volume}"]}}\n`,
          ...tree,
        });
        assert.match(failure ?? '', want);
        assert.deepEqual(web(), before);
        assert.deepEqual(contents(), ['web.conf: one']);
        assert.match((await bench.sync()).failure?.message ?? '', want);
      });
    }

    it('refuses a path that leads out of the repository to one of the device', async () => {
      const up = '../'.repeat(20);
      for (const [written, path] of [
        [`services:\n  web: {image: x, volumes: ["${up}etc:/etc"]}\n`, 'services.web.volumes: /etc'],
        [
          `services:\n  web: {image: x, volumes: [{type: bind, source: ${up}etc, target: /etc}]}\n`,
          'services.web.volumes: /etc',
        ],
        [
          `services:\n  web: {image: x, configs: [c]}\nconfigs: {c: {file: ${up}etc/passwd}}\n`,
          'configs.c.file: /etc/passwd',
        ],
      ]) {
        const failure = (await take({ 'shop/compose.yaml': written })) ?? '';
        assert.ok(failure.includes(`${path} is outside the folder of the project`), failure);
      }
      assert.equal(bench.declared, '');
      const device =
        'services: {web: {image: x, volumes: ["/etc:/etc"], configs: [c]}}\nconfigs: {c: {file: /etc/passwd}}\n';
      assert.equal(await take({ 'shop/compose.yaml': device }), undefined);
      assert.deepEqual(sources(), ['/etc', '/etc/passwd']);
    });

    it('refuses what must be there and is not', async () => {
      const volume = '{type: bind, source: ./x, target: /x, bind: {create_host_path: false}}';
      const failure = await take({ 'shop/compose.yaml': `services:\n  web: {image: x, volumes: [${volume}]}\n` });
      assert.match(
        failure ?? '',
        /compose\.yaml:2:\d+ services\.web\.volumes: There is no git\/fleet\/shop\/x in the repository/,
      );
    });

    it('writes them again when somebody has removed them, also without the server', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      for (const [serviceName, volumes] of [
        ['front', web().volumes],
        ['other', []],
      ] as const) {
        const spec = { app: 'shop', serviceName, image: 'x', volumes };
        const metadata = { name: `shop.${serviceName}` };
        const document = { apiVersion: 'supercargo.io/v1', kind: 'Service', metadata, spec };
        const { refused } = await bench.store.put('api', { document: document as never });
        assert.deepEqual(refused, []);
      }
      rmSync(projects(), { recursive: true });
      await bench.sync();
      assert.deepEqual(contents(), ['web.conf: one']);
      const restarts = () => bench.store.list('Service').map(({ requests }) => requests.restart?.by);
      assert.deepEqual(restarts(), ['git/fleet, whose files had been removed and were written again', undefined]);
      const [first] = bench.store.list('Service');
      await bench.sync();
      assert.deepEqual(bench.store.list('Service')[0], first);
      rmSync(projects(), { recursive: true });
      await bench.restart();
      repository.remove();
      assert.equal((await bench.sync()).failure?.final, false);
      assert.deepEqual(contents(), ['web.conf: one']);
    });

    it('goes on after it was killed at any step of writing', async () => {
      const key = async (): Promise<string> => {
        await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
        return dirname(sources()[0] ?? '');
      };
      const folder = await key();
      const unfinished = join(dirname(folder), `.new-${folder.split('/').at(-1)}`);
      rmSync(projects(), { recursive: true });
      mkdirSync(unfinished, { recursive: true });
      writeFileSync(join(unfinished, 'web.conf'), 'half');
      await bench.restart();
      assert.equal((await bench.sync()).failure, undefined);
      assert.deepEqual(contents(), ['web.conf: one']);
      assert.deepEqual(readdirSync(dirname(folder)), [folder.split('/').at(-1)]);
    });

    it('is a transient failure when the disk refuses, and what runs stays', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      const before = web();
      rmSync(projects(), { recursive: true });
      writeFileSync(projects(), 'in the way');
      repository.commit({ 'shop/web.conf': 'two' });
      const { failure } = await bench.sync();
      assert.deepEqual([failure?.reason, failure?.final], ['Failed', false]);
      assert.match(failure?.message ?? '', /^Could not write .*: something (?:else|on the way)/);
      assert.deepEqual(web(), before);
      rmSync(projects());
      assert.equal((await bench.sync()).failure, undefined);
      assert.deepEqual(contents(), ['web.conf: two']);
    });
  });

  describe('that is left', () => {
    const later = async (): Promise<void> => {
      await bench.sync();
      clock.advance(HOUR_MS);
      await bench.sync();
    };

    it('has its old files removed an hour after nothing names them any more', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      await take({ 'shop/web.conf': 'two' });
      clock.advance(HOUR_MS - 1);
      await bench.sync();
      assert.deepEqual(contents().toSorted(), ['web.conf: one', 'web.conf: two']);
      clock.advance(1);
      await bench.sync();
      assert.deepEqual(contents(), ['web.conf: two']);
    });

    it('keeps those that a document names, such as a Revision', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      const spec = { app: 'shop', image: 'x', volumes: web().volumes };
      await bench.store.put('api', {
        document: { apiVersion: 'supercargo.io/v1', kind: 'Service', metadata: { name: 'shop.old' }, spec } as never,
      });
      await take({ 'shop/web.conf': 'two' });
      await later();
      assert.deepEqual(contents().toSorted(), ['web.conf: one', 'web.conf: two']);
    });

    it('keeps what services have written, whatever happens', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      appendFileSync(sources()[0] ?? '', ' and more');
      const state = join(projects(), 'fleet/shop/state/data');
      mkdirSync(state, { recursive: true });
      await take({ 'shop/web.conf': 'two' });
      await later();
      assert.deepEqual(contents().toSorted(), ['web.conf: one and more', 'web.conf: two']);
      assert.ok(existsSync(state));
    });

    it('has its files removed with the source, once its Apps are gone, and not what services wrote', async () => {
      await take({ 'shop/compose.yaml': COMPOSE, 'shop/web.conf': 'one' });
      mkdirSync(join(projects(), 'fleet/shop/state/data'), { recursive: true });
      await bench.origins.remove(bench.source);
      const gone = app();
      assert.notEqual(gone.metadata.deletionTimestamp, undefined);
      clock.advance(HOUR_MS + 1000);
      assert.deepEqual(contents(), ['web.conf: one'], 'the App still names it');
      await bench.store.release(gone);
      await bench.origins.remove(bench.source);
      clock.advance(HOUR_MS + 1000);
      await until('they are removed', contents, (left) => left.length === 0);
      await until(
        'and what was around them',
        () => readdirSync(join(projects(), 'fleet/shop')),
        (left) => left.length === 1,
      );
      assert.ok(existsSync(join(projects(), 'fleet/shop/state/data')));
    });
  });

  it('stays as it is while one is broken, when others may change', async () => {
    await declare({ atomic: false });
    await take({ 'a/compose.yaml': 'services: {web: {image: a1}}', 'b/compose.yaml': 'services: {web: {image: b1}}' });
    const failure = await take({
      'a/compose.yaml': 'services:\n  web: {imag: a2}',
      'b/compose.yaml': 'services: {web: {image: b2}}',
    });
    assert.match(failure ?? '', /^git\/fleet\/a\/compose\.yaml:2:\d+/);
    assert.deepEqual([web('a').image, web('b').image], ['a1', 'b2']);
  });

  it('is held back whole with a broken one, which is named with its line and the commit', async () => {
    await take({ 'a/compose.yaml': 'services: {web: {image: a1}}', 'b.yaml': appText('b', 'one') });
    repository.commit({
      'a/compose.yaml': 'services:\n  web: {image: a2, env_file: none.env}',
      'b.yaml': appText('b', 'two'),
    });
    const { failure } = await bench.sync();
    assert.match(
      failure?.message ?? '',
      /^git\/fleet\/a\/compose\.yaml:2:\d+ .*There is no file git\/fleet\/a\/none\.env/,
    );
    assert.equal(failure?.commit, repository.head());
    assert.deepEqual([web('a').image, bench.command('b')], ['a1', 'one']);
  });

  it('reads nothing of the device', async () => {
    for (const file of ['/etc/passwd', '../../../../etc/passwd', '~/.bashrc']) {
      const failure = await take({ 's/compose.yaml': `services: {web: {image: x, env_file: ${file}}}\n` });
      assert.match(failure ?? '', /outside the folder of the project|where a project from git reads nothing/, file);
    }
  });
});
