import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { watch } from 'chokidar';
import { readRegular } from '../../../../api/platform/read-file.js';
import { type FolderOptions, type FolderSource, watchFolders } from '../../../../api/sources/files/folder.js';
import { scanFolder } from '../../../../api/sources/files/scan-folders.js';
import { openStore } from '../../../../api/store/document-store.js';
import type { Proposal, Store } from '../../../../api/store/store.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

const app = (name: string, image = 'busybox') =>
  `apiVersion: supercargo.io/v1\nkind: App\nmetadata: {name: ${name}}\nspec:\n  services:\n    web:\n      image: ${image}\n`;
const COMPOSE =
  'services:\n  web:\n    image: "x:${TAG}"\n    volumes: ["data:/data", "./conf:/conf"]\nvolumes: {data: }\n';

/** A watched folder `m`, a real store and a source between them. */
class Bench {
  readonly lines: string[] = [];
  readonly proposals: Proposal[] = [];
  readonly watched: string[] = [];
  readonly events: string[] = [];
  reads: string[] = [];
  looks = 0;
  isWatching = false;
  readonly #happened = new EventEmitter().setMaxListeners(100);
  readonly #sources: FolderSource[] = [];

  private constructor(
    readonly root: string,
    readonly store: Store,
  ) {}

  static async open(): Promise<Bench> {
    const root = await mkdtemp(join(tmpdir(), 'supercargo-compose-'));
    await mkdir(join(root, 'm'));
    const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
    return new Bench(root, await openStore({ folder: join(root, 'data'), now: Date.now, log: quiet }));
  }

  path(...parts: string[]): string {
    return join(this.root, 'm', ...parts);
  }

  async put(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(this.path(name)), { recursive: true });
      await writeFile(this.path(name), text);
    }
  }

  async start(options: Partial<FolderOptions> = {}): Promise<FolderSource> {
    const log = (_fields: object, message: string) => {
      this.lines.push(message.replaceAll(this.root, ''));
      this.#happened.emit('happened');
    };
    const source = watchFolders({
      ...{ folders: [this.path()], parse: parseDocument, deviceUuid: '0123456789abcdef0123456789abcdef' },
      ...{ log: { info: log, warn: log, error: log }, lookMs: 600_000, pollMs: 50, retryMs: 20, settleMs: 60 },
      home: '/home/me',
      read: (file, limit) => {
        this.reads.push(file.replaceAll(this.root, ''));
        return readRegular(file, limit);
      },
      watch: ((paths: string[], wanted: Parameters<typeof watch>[1]) => {
        const watcher = watch(paths, wanted);
        this.watched.push(...paths.map((path) => path.replaceAll(this.root, '')));
        this.isWatching = false;
        watcher.on('all', (_event, path) => this.events.push(path.replaceAll(this.root, '')));
        watcher.on('ready', () => {
          this.isWatching = true;
          this.#happened.emit('happened');
        });
        return watcher;
      }) as typeof watch,
      scan: async (folder, isProject) => {
        const seen = await scanFolder(folder, isProject);
        this.looks += 1;
        this.#happened.emit('happened');
        return seen;
      },
      ...options,
      store: {
        list: (kind) => this.store.list(kind),
        report: (origin, problems) => this.store.report(origin, problems),
        propose: async (proposal) => {
          const accepted = await this.store.propose(proposal);
          this.proposals.push(proposal);
          this.#happened.emit('happened');
          return accepted;
        },
      },
    });
    this.#sources.push(source);
    await source.start();
    return source;
  }

  /** Apps that are declared and not going, each with the images of its services. */
  apps(): string {
    return this.store
      .list('App')
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, spec }) => `${metadata.name}=${Object.values(spec.services ?? {}).map(({ image }) => image)}`)
      .sort()
      .join(' ');
  }

  /** Problems as people see them, without warnings; or warnings alone. */
  problems(severity?: 'warning'): readonly string[] {
    return this.store
      .problems()
      .filter((one) => one.severity === severity)
      .map(({ source, message }) =>
        `${source?.file}${source?.line === undefined ? '' : `:${source.line}`}: ${message}`.replaceAll(
          this.path(),
          'm',
        ),
      );
  }

  /** Resolves when it is so; the test's own time limit ends it otherwise. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#happened.once('happened', resolve));
  }
  untilApps = (want: string) => this.until(() => this.apps() === want);
  untilProblem = (want: RegExp) => this.until(() => this.problems().some((line) => want.test(line)));

  async close(): Promise<void> {
    if (process.env.SHOW) console.log(this.lines, this.problems());
    for (const source of this.#sources) await source.stop();
    await this.store.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

describe('Compose projects in a watched folder', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  it('are Apps that name their files', async () => {
    await bench.put({
      'shop/compose.yaml': COMPOSE,
      'shop/.env': 'TAG=1\n',
      'shop/compose.override.yml': 'services: {db: {image: y}}',
    });
    await bench.start();
    assert.equal(bench.apps(), 'shop=x:1,y');
    const stored = bench.store.get('App', 'shop');
    const files = ['compose.yaml', 'compose.override.yml'].map((name) => bench.path('shop', name));
    assert.deepEqual(stored?.metadata.source, { file: files[0], composeFiles: files });
    assert.equal(stored?.spec.allowHostBinds, true);
    assert.deepEqual(bench.problems(), []);
    assert.ok(JSON.stringify(stored?.spec).includes(bench.path('shop', 'conf')), 'paths start at the folder');
  });

  it('follow every file that they read, also hidden ones and those in folders below', async () => {
    await bench.put({
      'shop/compose.yaml':
        'include: [more/compose.yaml]\nservices: {web: {image: "x:$TAG", env_file: [.env.web], configs: [conf]}, db: {extends: {file: ../common/base.yaml, service: db}}}\nconfigs: {conf: {file: etc/conf}}\n',
      ...{
        'shop/.env': 'TAG=1',
        'shop/.env.web': 'A=1',
        'shop/more/compose.yaml': 'services: {more: {image: "m:$V"}}',
      },
      ...{ 'shop/more/.env': 'V=1', 'shop/etc/conf': 'one', 'common/base.yaml': 'services: {db: {image: y}}' },
    });
    await bench.start();
    const text = () => JSON.stringify(bench.store.get('App', 'shop')?.spec.services);
    assert.match(text(), /x:1.*"A":"1"|"A":"1".*x:1/);
    const changes: readonly [string, string, RegExp][] = [
      ['shop/.env', 'TAG=2', /x:2/],
      ['shop/.env.web', 'A=two', /"A":"two"/],
      ['shop/more/.env', 'V=3', /m:3/],
      ['common/base.yaml', 'services: {db: {image: changed}}', /changed/],
      ['shop/more/compose.yaml', 'services: {more: {image: other}}', /other/],
    ];
    for (const [file, content, want] of changes) {
      await bench.put({ [file]: content });
      await bench.until(() => want.test(text()));
    }
    const before = text();
    await bench.put({ 'shop/etc/conf': 'two' });
    await bench.until(() => text() !== before);
    await bench.put({ 'shop/docker-compose.override.yaml': 'services: {web: {image: over}}' });
    await bench.until(() => /over/.test(text()));
    await unlink(bench.path('shop', 'docker-compose.override.yaml'));
    await bench.until(() => /x:2/.test(text()));
    assert.deepEqual(bench.problems(), []);
  });

  it('have the variables of .env and none of the agent', async () => {
    process.env.TAG = 'leaked';
    try {
      await bench.put({
        'shop/compose.yaml':
          'services: {web: {image: "x:${TAG:-none}", environment: ["H=$HOME", "P=$PWD", "N=$COMPOSE_PROJECT_NAME"]}}',
      });
      await bench.start();
    } finally {
      delete process.env.TAG;
    }
    const { web } = bench.store.get('App', 'shop')?.spec.services ?? {};
    assert.equal(web?.image, 'x:none');
    assert.deepEqual(web?.environment, { H: '/home/me', P: bench.path('shop'), N: 'shop' });
  });

  it('own their folder, but for documents of ours', async () => {
    await bench.put({
      ...{ 'shop/compose.yaml': COMPOSE, 'shop/.env': 'TAG=1', 'shop/prometheus.yml': 'kind: [', 'shop/big.json': '{' },
      ...{
        'shop/app.yaml': app('own'),
        'shop/data/a.yaml': app('data'),
        'shop/x/compose.yaml': 'services: {y: {image: z}}',
      },
    });
    await bench.start();
    assert.equal(bench.apps(), 'own=busybox shop=x:1');
    assert.deepEqual(bench.problems(), []);
    assert.match(
      bench.problems('warning').join(),
      /m\/shop\/app\.yaml: Documents in the folder of the Compose project/,
    );
    assert.ok(!bench.reads.some((file) => file.includes('/data/')));
  });

  it('keep what other files of the folder declared before, until those are removed', async () => {
    await bench.put({
      'shop/app.yaml': app('a'),
      'shop/sub/b.yaml': app('b'),
      'shop/c.json':
        '{"apiVersion":"supercargo.io/v1","kind":"App","metadata":{"name":"c"},"spec":{"services":{"web":{"image":"x"}}}}',
    });
    const source = await bench.start();
    await bench.put({ 'shop/compose.yaml': COMPOSE, 'shop/.env': 'TAG=1' });
    await bench.untilApps('a=busybox b=busybox c=x shop=x:1');
    assert.match(bench.problems().join('\n'), /m\/shop\/c\.json: It is in the folder of a Compose project/);
    await rm(bench.path('shop', 'sub'), { recursive: true });
    await unlink(bench.path('shop', 'c.json'));
    await source.rescan();
    assert.equal(bench.apps(), 'a=busybox shop=x:1');
    await bench.put({ 'shop/app.yaml': 'apiVer' });
    await source.rescan();
    assert.equal(bench.apps(), 'a=busybox shop=x:1');
  });

  const broken: readonly [string, (bench: Bench) => Promise<unknown>, RegExp][] = [
    [
      'a line that is no YAML',
      (to) => to.put({ 'shop/compose.yaml': `${COMPOSE}x: [\n` }),
      /m\/shop\/compose\.yaml:\d+: /,
    ],
    ['nothing in it', (to) => to.put({ 'shop/compose.yaml': '' }), /m\/shop\/compose\.yaml: The file is empty/],
    ['half of it', (to) => to.put({ 'shop/compose.yaml': 'serv' }), /m\/shop\/compose\.yaml:1: /],
    [
      'an unknown field',
      (to) => to.put({ 'shop/compose.yaml': COMPOSE.replace('image', 'imagee') }),
      /m\/shop\/compose\.yaml:\d: /,
    ],
    [
      'another name, and a mistake',
      (to) => to.put({ 'shop/compose.yaml': `name: other\n${COMPOSE}wrong: 1\n` }),
      /m\/shop\/compose\.yaml:7: /,
    ],
    ['no .env, which it needs', (to) => unlink(to.path('shop', '.env')), /m\/shop\/compose\.yaml:3: .*TAG is not set/],
    ['a mistake in .env', (to) => to.put({ 'shop/.env': 'TAG=1\n?\n' }), /m\/shop\/\.env:2: /],
    [
      'a binary file',
      (to) => writeFile(to.path('shop', 'compose.yaml'), Buffer.from([0xff, 0xfe, 0, 1])),
      /m\/shop\/compose\.yaml/,
    ],
    ['10 MB', (to) => to.put({ 'shop/compose.yaml': '#'.repeat(10_000_000) }), /m\/shop\/compose\.yaml.*too large/],
    [
      'an alias bomb',
      (to) =>
        to.put({
          'shop/compose.yaml': `x-a: &a [1,1,1,1,1,1,1,1,1]\n${[...'bcdefghij'].map((one, at) => `x-${one}: &${one} [${Array(9).fill(`*${'abcdefghi'[at]}`)}]\n`).join('')}${COMPOSE}`,
        }),
      /m\/shop\/compose\.yaml/,
    ],
    [
      'a secret that is missing',
      (to) =>
        to.put({
          'shop/compose.yaml': `${COMPOSE.replace('volumes:', 'secrets: [pw]\n    volumes:')}secrets: {pw: {file: ./pw}}\n`,
        }),
      /m\/shop\/compose\.yaml:7: There is no file m\/shop\/pw/,
    ],
    [
      'a file outside the folder',
      (to) => to.put({ 'shop/compose.yaml': `include: [../../evil.yaml]\n${COMPOSE}` }),
      /m\/shop\/compose\.yaml:1: .*evil\.yaml is outside the watched folder/,
    ],
  ];
  for (const [what, spoil, want] of broken) {
    it(`stay as they were with ${what}, named with its place, also after a restart`, async () => {
      await bench.put({ 'shop/compose.yaml': COMPOSE, 'shop/.env': 'TAG=${NONE-1}' });
      const source = await bench.start();
      await writeFile(join(bench.root, 'evil.yaml'), 'services: {evil: {image: x}}');
      await spoil(bench);
      await bench.untilProblem(want);
      assert.equal(bench.apps(), 'shop=x:1');
      assert.match(bench.store.get('App', 'shop')?.metadata.problem?.message ?? '', /./);
      await source.stop();
      await bench.start();
      assert.equal(bench.apps(), 'shop=x:1');
      assert.ok(
        bench.problems().some((line) => want.test(line)),
        bench.problems().join('\n'),
      );
      await bench.put({ 'shop/compose.yaml': COMPOSE, 'shop/.env': 'TAG=2' });
      await bench.untilApps('shop=x:2');
      assert.deepEqual(bench.problems(), []);
    });
  }

  it('are saved by renaming, and gone with their file or folder only', async () => {
    await bench.put({ 'shop/compose.yaml': COMPOSE, 'shop/.env': 'TAG=1' });
    await bench.start();
    await bench.put({ 'shop/.env.tmp': 'TAG=2' });
    await rename(bench.path('shop', '.env.tmp'), bench.path('shop', '.env'));
    await bench.untilApps('shop=x:2');
    await bench.put({ 'shop/.compose.yaml.swp': COMPOSE.replace('x:', 'y:') });
    await unlink(bench.path('shop', 'compose.yaml'));
    await rename(bench.path('shop', '.compose.yaml.swp'), bench.path('shop', 'compose.yaml'));
    await bench.untilApps('shop=y:2');
    assert.ok(bench.proposals.every(({ documents }) => documents.length === 1));
    await rename(bench.path('shop'), bench.path('store'));
    await bench.untilApps('store=y:2');
    await rm(bench.path('store'), { recursive: true });
    await bench.untilApps('');
    assert.deepEqual(bench.problems(), []);
  });

  it('stay when the disk is gone that they are on', async () => {
    await bench.put({ 'usb/shop/compose.yaml': COMPOSE, 'usb/shop/.env': 'TAG=1', 'a.yaml': app('a') });
    const source = await bench.start();
    await rename(bench.path('usb'), join(bench.root, 'elsewhere'));
    await mkdir(bench.path('usb'));
    await source.rescan();
    assert.equal(bench.apps(), 'a=busybox shop=x:1');
    await source.stop();
    await bench.start();
    assert.equal(bench.apps(), 'a=busybox shop=x:1');
  });

  it('at the top have a name, or that of their file', async () => {
    await bench.put({ 'compose.yaml': 'services: {web: {image: x}}', 'shop.yaml': 'services: {web: {image: x}}' });
    await bench.start();
    assert.equal(bench.apps(), 'shop=x');
    assert.match(
      bench.problems().join(),
      /m\/compose\.yaml:1: The project has no name: nothing says one; write name: at the top/,
    );
    await bench.put({ 'compose.yaml': 'name: top\nservices: {web: {image: x}}' });
    await bench.untilApps('shop=x top=x');
    assert.deepEqual(bench.problems(), []);
  });

  it('take a file into them that was one of its own, and give it back', async () => {
    await bench.put({ 'a.yaml': 'services: {a: {image: x}}', 'b.yaml': 'services: {b: {image: y}}' });
    await bench.start();
    assert.equal(bench.apps(), 'a=x b=y');
    await bench.put({ 'a.yaml': 'include: [b.yaml]\nservices: {a: {image: x}}' });
    await bench.untilApps('a=x,y');
    const terminating = bench.store.get('App', 'b');
    if (terminating) await bench.store.release(terminating);
    await bench.put({ 'a.yaml': 'include: [b.yaml]\nservices: {a: [\n' });
    await bench.untilProblem(/m\/a\.yaml/);
    assert.equal(bench.apps(), 'a=x,y');
    await bench.put({ 'a.yaml': 'services: {a: {image: x}}' });
    await bench.untilApps('a=x b=y');
  });

  it('stay when a folder above them becomes a project, also over a restart', async () => {
    await bench.put({
      ...{ 'site/shop/compose.yaml': 'services: {a: {image: x}}', 'site/b.yaml': 'services: {b: {image: y}}' },
      ...{ 'site/more/c.yaml': 'services: {c: {image: z}}', 'site/d.yaml': 'services: {d: {image: v}}' },
    });
    let source = await bench.start();
    assert.equal(bench.apps(), 'b=y c=z d=v shop=x');
    await bench.put({ 'site/compose.yaml': 'include: [d.yaml]\nservices: {top: {image: w}}' });
    await bench.untilApps('b=y c=z shop=x site=w,v');
    assert.match(bench.problems().join('\n'), /m\/site\/shop\/compose\.yaml: It is in the folder of a Compose project/);
    await source.stop();
    source = await bench.start();
    assert.equal(bench.apps(), 'b=y c=z shop=x site=w,v');
    await rm(bench.path('site', 'shop'), { recursive: true });
    await unlink(bench.path('site', 'b.yaml'));
    await unlink(bench.path('site', 'more', 'c.yaml'));
    await source.rescan();
    assert.equal(bench.apps(), 'site=w,v');
    assert.deepEqual(bench.problems(), []);
  });

  it('choose other Compose files, and the former ones are no Apps of their own', async () => {
    await bench.put({
      ...{ 'shop/.env': 'COMPOSE_FILE=stack', 'shop/stack': 'name: one\nservices: {a: {image: x}}' },
      'shop/other.yaml': 'name: two\nservices: {a: {image: y}}',
    });
    let source = await bench.start();
    await source.stop();
    source = await bench.start();
    assert.deepEqual([bench.apps(), bench.problems()], ['one=x', []]);
    await bench.put({ 'shop/.env': 'COMPOSE_FILE=other.yaml' });
    await bench.untilApps('two=y');
    assert.deepEqual(bench.problems(), []);
    await source.stop();
    await bench.put({ 'shop/.env': 'COMPOSE_FILE=third', 'shop/third': 'name: two\nservices: {a: {image: z}}' });
    await bench.start();
    assert.deepEqual([bench.apps(), bench.problems()], ['two=z', []]);
  });

  it('keep what they include and extend while a file is broken, also over a restart', async () => {
    await bench.put({
      'a.yaml': 'include: [b.yaml]\nservices: {a: {image: x, extends: {file: common/base.yaml, service: q}}}',
      ...{ 'b.yaml': 'services: {b: {image: y}}', 'common/base.yaml': 'services: {q: {image: w}}' },
    });
    const source = await bench.start();
    const want = bench.apps();
    assert.equal(want, 'a=x,y');
    await source.stop();
    await bench.put({ 'a.yaml': 'include: [b.yaml]\nservices: {a: [\n' });
    await bench.start();
    assert.equal(bench.apps(), want);
    await bench.put({ 'a.yaml': 'services: {a: {image: x}}' });
    await bench.untilApps('a=x b=y base=w');
  });

  it('stay when a file is a link that leads nowhere', async () => {
    await bench.put({ 'shop/compose.yaml': 'services: {web: {image: x, environment: ["P=$TAG"]}}' });
    await writeFile(join(bench.root, 'far.env'), 'TAG=1');
    await symlink(join(bench.root, 'far.env'), bench.path('shop', '.env'));
    const source = await bench.start();
    const password = () => bench.store.get('App', 'shop')?.spec.services?.web?.environment;
    assert.deepEqual(password(), { P: '1' });
    await unlink(join(bench.root, 'far.env'));
    await source.rescan();
    assert.deepEqual(password(), { P: '1' });
    assert.deepEqual(bench.problems(), ['m/shop/.env: m/shop/.env: The link leads nowhere']);
    await writeFile(join(bench.root, 'far.env'), 'TAG=2');
    await source.rescan();
    assert.deepEqual([password(), bench.problems()], [{ P: '2' }, []]);
  });

  it('are read again when a file of theirs changes, or is put back, while it is read', async () => {
    await bench.put({
      'shop/compose.yaml': 'services: {web: {image: x, environment: ["A=$A", "B=$B"]}}',
      'shop/.env': 'A=1\nB=1\n',
    });
    let meddle: (file: string) => Promise<Buffer | undefined> = async () => undefined;
    const source = await bench.start({
      read: async (file, limit) => (await meddle(file)) ?? readRegular(file, limit),
    });
    meddle = async (file) => {
      if (!file.endsWith('.env')) return undefined;
      meddle = async () => undefined;
      await bench.put({ 'shop/.env': 'A=2\nB=2\n' });
      return Buffer.from('A=2\n'); // what had been written until then
    };
    await source.rescan();
    const values = () => ({ ...bench.store.get('App', 'shop')?.spec.services?.web?.environment }) as { A?: string };
    assert.deepEqual(values(), { A: '1', B: '1' });
    await bench.until(() => values()?.A === '2');
    assert.deepEqual(values(), { A: '2', B: '2' });
    meddle = async (file) => {
      if (!file.endsWith('.env')) return undefined;
      meddle = async () => undefined;
      await rename(file, `${file}~`);
      return readRegular(file, 1).finally(() => bench.put({ 'shop/.env': 'A=3\nB=3\n' }));
    };
    await source.rescan();
    await bench.until(() => values()?.A === '3');
    assert.ok(bench.proposals.every(({ documents }) => !JSON.stringify(documents).includes('"B":""')));
  });

  for (const [what, named, app] of [
    ['called like their folder', '', 'shop'],
    ['with a name of their own', 'name: till\n', 'till'],
  ] as const) {
    it(`${what} stay while the .env is empty or no text that names their Compose files, also over a restart`, async () => {
      const good = 'COMPOSE_FILE=a.yaml:b.yaml';
      await bench.put({ 'shop/.env': good, 'shop/a.yaml': `${named}services: {web: {image: x}}` });
      await bench.put({ 'shop/b.yaml': 'services: {db: {image: y}}' });
      let source = await bench.start();
      for (const bad of [Buffer.from(''), Buffer.from([0xff, 0xfe, 0, 1])]) {
        await writeFile(bench.path('shop', '.env'), bad);
        await source.rescan();
        assert.equal(bench.apps(), `${app}=x,y`);
        assert.match(bench.problems().join(), /m\/shop/);
        await source.stop();
        source = await bench.start();
        assert.equal(bench.apps(), `${app}=x,y`);
      }
      await bench.put({ 'shop/.env': good });
      await source.rescan();
      assert.deepEqual([bench.apps(), bench.problems()], [`${app}=x,y`, []]);
      await bench.put({ 'shop/.env': 'A=1' });
      await source.rescan();
      assert.equal(bench.apps(), named === '' ? 'a=x b=y' : 'b=y till=x');
    });
  }

  it('of one name are both named and neither is taken; one of another origin is refused', async () => {
    await bench.put({
      'one/compose.yaml': 'name: same\nservices: {web: {image: x}}',
      'two/compose.yaml': 'name: same\nservices: {web: {image: y}}',
    });
    const other = parseDocument({
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      metadata: { name: 'held' },
      spec: { services: { web: { image: 'z' } } },
    });
    assert.ok(other.ok);
    await bench.store.put('api', { document: other.document });
    await bench.put({ 'held/compose.yaml': 'services: {web: {image: x}}' });
    await bench.start();
    assert.equal(bench.apps(), 'held=z');
    const texts = bench.problems().join('\n');
    assert.match(texts, /m\/one\/compose\.yaml: App same is also declared in .*two\/compose\.yaml; keep one/);
    assert.match(texts, /m\/held\/compose\.yaml: /);
  });

  it('and a document of the same App change places without another App', async () => {
    await bench.put({ 'shop/app.yaml': app('shop', 'x').replace('spec:', 'spec:\n  uuid: shop') });
    await bench.start();
    const uid = bench.store.get('App', 'shop')?.metadata.uid;
    await unlink(bench.path('shop', 'app.yaml'));
    await bench.put({ 'shop/compose.yaml': 'services: {web: {image: y}}' });
    await bench.untilApps('shop=y');
    await unlink(bench.path('shop', 'compose.yaml'));
    await bench.put({ 'shop/app.yaml': app('shop', 'x').replace('spec:', 'spec:\n  uuid: shop') });
    await bench.untilApps('shop=x');
    assert.equal(bench.store.get('App', 'shop')?.metadata.uid, uid);
    assert.ok(bench.proposals.every(({ documents }) => documents.length === 1));
  });

  it('are found through links, also to files elsewhere', async () => {
    await mkdir(join(bench.root, 'far'));
    await writeFile(join(bench.root, 'far', 'compose.yaml'), COMPOSE);
    await writeFile(join(bench.root, 'shared.env'), 'TAG=1');
    await symlink(join(bench.root, 'shared.env'), join(bench.root, 'far', '.env'));
    await symlink(join(bench.root, 'far'), bench.path('shop'));
    await bench.start();
    assert.equal(bench.apps(), 'shop=x:1');
    await bench.until(() => bench.watched.includes('/shared.env'));
    await writeFile(join(bench.root, 'shared.env'), 'TAG=2');
    await bench.untilApps('shop=x:2');
  });

  it('are swapped whole, as Kubernetes swaps what it mounts', async () => {
    for (const [at, tag] of ['1', '2'].entries()) {
      await bench.put({ [`shop/..${at}/compose.yaml`]: COMPOSE, [`shop/..${at}/.env`]: `TAG=${tag}` });
    }
    await symlink('..0', bench.path('shop', '..data'));
    for (const name of ['compose.yaml', '.env']) await symlink(join('..data', name), bench.path('shop', name));
    await bench.start();
    assert.equal(bench.apps(), 'shop=x:1');
    await bench.until(() => bench.isWatching);
    await symlink('..1', bench.path('shop', '..data_tmp'));
    await rename(bench.path('shop', '..data_tmp'), bench.path('shop', '..data'));
    await bench.untilApps('shop=x:2');
  });

  it('are the files that .env names, wherever they are in the watched folder', async () => {
    await bench.put({
      'shop/.env': 'COMPOSE_FILE=base.yml:../common/over.yml\n',
      'shop/base.yml': 'services: {web: {image: x}}',
    });
    await bench.start();
    await bench.untilProblem(/m\/shop\/\.env:1: There is no file m\/common\/over\.yml/);
    await bench.put({ 'common/over.yml': 'services: {db: {image: y}}' });
    await bench.untilApps('shop=x,y');
    assert.deepEqual(bench.problems(), []);
    await unlink(bench.path('shop', '.env'));
    await bench.untilApps('base=x over=y');
  });

  it('warn, and are taken', async () => {
    await bench.put({ 'shop/compose.yaml': 'version: "3"\nservices: {web: {image: x, environment: {A: $NOT_SET}}}' });
    await bench.start();
    assert.equal(bench.apps(), 'shop=x');
    assert.deepEqual(bench.problems('warning'), [
      'm/shop/compose.yaml:2: NOT_SET is not set; it is taken as empty',
      'm/shop/compose.yaml:1: version is obsolete and ignored; leave it out',
    ]);
    assert.equal(bench.store.get('App', 'shop')?.metadata.problem, undefined);
  });

  it('cost nothing at rest: a look at 200 of them reads no file and proposes nothing', async () => {
    const all = Array.from({ length: 200 }, (_, at) => `p${at}`);
    for (const name of all)
      await bench.put({ [`${name}/compose.yaml`]: COMPOSE, [`${name}/.env`]: 'TAG=1', [`${name}/data/x`]: '' });
    await bench.start();
    await bench.until(() => bench.isWatching);
    assert.equal(bench.store.list('App').length, 200);
    const [before, looks] = [bench.store.resourceVersion, bench.looks];
    bench.reads = [];
    await writeFile(bench.path('other.txt'), '');
    await bench.until(() => bench.looks > looks);
    assert.deepEqual([bench.reads, bench.proposals.length, bench.store.resourceVersion], [[], 1, before]);
    await writeFile(bench.path('p7', 'data', 'x'), 'written by a service');
    await writeFile(bench.path('p7', 'db.sqlite'), 'written by a service');
    await writeFile(bench.path('p7', '.env'), 'TAG=2');
    await bench.until(() => bench.apps().includes('p7=x:2'));
    assert.deepEqual(
      bench.events.filter((path) => path.includes('/p7/')),
      ['/m/p7/.env'],
    );
    assert.ok(
      bench.reads.every((file) => file.startsWith('/m/p7/')),
      bench.reads.join(),
    );
  });
});
