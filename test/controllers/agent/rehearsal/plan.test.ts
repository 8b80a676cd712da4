import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isRead } from '../../../../controllers/agent/rehearsal/rehearsal.js';
import { changedFields } from '../../../../crds/model/changed-fields.js';
import { isReady, isStalled } from '../../../../crds/model/conditions.js';
import type { Resource } from '../../../../crds/model/kinds.js';
import type { Plan } from '../../../../crds/model/plan.js';
import type { AppService, AppSpec } from '../../../../crds/model/types.js';
import { codeBlocks } from '../../../setup/code-blocks.js';
import { CommandProcess } from '../../../setup/command.js';
import { declareApp } from '../../../setup/declared.js';
import { until } from '../../../setup/until.js';
import { type MemoryAgent, startMemoryAgent } from '../../../simulation/memory-agent.js';

/** A window of one day in the year: that of so many days from now. */
function yearly(days: number) {
  const at = new Date(Date.now() + days * 24 * 3_600_000);
  return { cron: `0 0 ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`, duration: '1d', timeZone: 'UTC' };
}

describe('a plan', function () {
  this.timeout(120_000);
  let agent: MemoryAgent;
  let command: CommandProcess;
  before(async () => {
    command = await CommandProcess.make();
  });
  after(() => command.remove());
  beforeEach(async () => {
    agent = await startMemoryAgent();
    for (const image of ['web:1', 'db:1']) agent.engine.images.add(image);
  });
  afterEach(() => agent.close());

  const app = (services: Readonly<Record<string, Partial<AppService>>>, spec: Partial<AppSpec> = {}) =>
    declareApp(services, { name: 'shop', ...spec });
  const apply = async (document: ReturnType<typeof app>): Promise<void> => {
    await agent.store.put('api', { document });
    await until(
      'the app is ready',
      () => agent.store.get('App', 'shop'),
      (seen) => seen !== undefined && isReady(seen),
    );
  };
  const ask = async (documents?: readonly object[]): Promise<{ readonly code: number; readonly body: Plan }> => {
    const answer = await fetch(`${agent.host}/apis/supercargo.io/v1/plan`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(documents ? { documents } : {}),
    });
    return { code: answer.status, body: (await answer.json()) as Plan };
  };

  describe('of a release that waits for its time', () => {
    const web = (environment: Readonly<Record<string, string>>, rollout: AppSpec['rollout']) => [
      app({ web: { environment } }, { rollout }),
    ];
    const cases: readonly (readonly [reason: string, rollout: AppSpec['rollout'], says: RegExp, isTimed: boolean])[] = [
      ['AwaitingApproval', { apply: 'approval' }, /somebody approves it: `supercargo approve shop`/, false],
      ['AwaitingReboot', { apply: 'reboot' }, /waits for the next boot of the device/, false],
      // Of a window that opens in a year, and is always closed until then.
      ['OutsideWindow', { window: yearly(-2) }, /waits until 20\d\d-\d\d-\d\d 00:00 GMT\+00:00 \(UTC\)/, true],
    ];
    for (const [reason, rollout, says, isTimed] of cases) {
      it(`says ${reason} and goes on behind the wait`, async () => {
        await apply(app({ web: { environment: { MODE: 'fast' } } }));
        const { body } = await ask(web({ MODE: 'safe' }, rollout));
        assert.deepEqual(
          body.actions.map(({ object, action }) => `${action} ${object}`),
          ['replace Service/shop.web'],
        );
        const [wait, ...more] = body.waits;
        assert.deepEqual([more, wait?.object, wait?.reason, wait?.passed], [[], 'App/shop', reason, true]);
        assert.match(wait?.message ?? '', says);
        assert.equal((wait?.forSeconds ?? 0) > 300 * 24 * 3_600, isTimed);
        assert.equal(body.complete, true);
      });
    }

    it('is made of what waits already, too', async () => {
      await apply(app({ web: { environment: { MODE: 'fast' } } }));
      const [document] = web({ MODE: 'safe' }, { apply: 'approval' });
      assert.ok(document);
      await agent.store.put('api', { document });
      await until(
        'it waits',
        () => agent.store.get('App', 'shop')?.status?.next?.reason,
        (seen) => seen === 'AwaitingApproval',
      );
      const { body } = await ask();
      assert.deepEqual(
        [body.waits.map(({ reason }) => reason), body.actions.map(({ object }) => object)],
        [['AwaitingApproval'], ['Service/shop.web']],
      );
      assert.equal(agent.store.get('App', 'shop')?.status?.next?.reason, 'AwaitingApproval');
    });
  });

  it('tells fields from and to, masks secrets, and changes nothing', async () => {
    const environment = { MODE: 'fast', API_TOKEN: 'abc', URL: 'http://u:p@h/' };
    await apply(app({ web: { environment }, db: { image: 'db:1' } }));
    agent.engine.forgetCalls();
    const { resourceVersion } = agent.store;
    const changed = { MODE: 'safe', API_TOKEN: 'def', URL: 'http://u:q@h/' };
    const { code, body } = await ask([app({ web: { environment: changed }, db: { image: 'db:1' } })]);
    assert.equal(code, 200);
    assert.deepEqual(
      body.actions.map(({ object, action, because }) => ({ object, action, because })),
      [
        {
          object: 'Service/shop.web',
          action: 'replace',
          because: [
            'services.web.environment.MODE: "fast" → "safe"',
            'services.web.environment.API_TOKEN: *** → ***',
            'services.web.environment.URL: "http://***@h/" → "http://***@h/"',
          ],
        },
      ],
    );
    assert.deepEqual([body.refused, body.waits, body.complete], [[], [], true]);
    assert.deepEqual(
      agent.engine.verbs.filter((verb) => !isRead(verb)),
      [],
    );
    assert.equal(agent.store.resourceVersion, resourceVersion);
    assert.deepEqual((await ask()).body.actions, []);
  });

  it('tells downloads with their size, and an image that nothing needs any more', async () => {
    await apply(app({ web: {} }));
    const { body } = await ask([app({ web: { image: 'shop:2' } }, { release: { commit: 'b', id: 2 } })]);
    const [download] = body.actions;
    assert.equal(download?.action, 'download');
    assert.deepEqual([download.bytes, body.downloadBytes], [1_024, 1_024]);
    assert.ok(body.actions.some(({ object, action }) => object === 'Service/shop.web' && action === 'replace'));
  });

  it('begins no run of a job, and says when the next one is due', async () => {
    const backup: Partial<AppService> = { image: 'web:1', schedule: { cron: '* * * * *' } };
    const missing = { networks: { far: { external: true, name: 'far' } } };
    const { body } = await ask([app({ web: { networks: ['far'] }, backup }, missing)]);
    assert.ok(body.complete);
    assert.deepEqual(
      body.notes.map((note) => note.replace(/20\d\d-\S+Z/, 'TIME')),
      ['Service/shop.backup is scheduled: its next run is due at TIME'],
    );
    assert.deepEqual(
      body.actions.filter(({ object }) => object === 'Service/shop.backup'),
      [],
    );
    await apply(app({ web: {}, backup: { ...backup, schedule: { cron: '@yearly' } } }));
    assert.deepEqual((await ask()).body.notes, []);
  });

  it('goes on behind the lock of an application, and says where that is', async () => {
    await apply(app({ web: {} }));
    const folder = join(agent.lockRoot, '1', 'web');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'updates.lock'), '');
    const { body } = await ask([app({ web: { environment: { A: '1' } } })]);
    assert.deepEqual(
      body.waits.map(({ object, reason, passed }) => ({ object, reason, passed })),
      [{ object: 'App/shop', reason: 'UpdatesLocked', passed: true }],
    );
    assert.equal(body.actions[0]?.action, 'replace');
    rmSync(folder, { recursive: true });
  });

  it('says of a service that it waits for its own health, and of those that depend on it what they wait for', async () => {
    const healthcheck = { test: ['CMD', 'true'], interval: '1s' };
    const { body } = await ask([
      app({
        db: { healthcheck },
        setup: { restart: 'no' },
        web: {
          depends_on: { db: { condition: 'service_healthy' }, setup: { condition: 'service_completed_successfully' } },
        },
      }),
    ]);
    assert.deepEqual(
      body.waits
        .filter(({ object }) => object.startsWith('Service/'))
        .map(({ object, reason, message }) => [object, reason, message]),
      [
        ['Service/shop.db', 'AwaitingHealth', 'Waits until its container is healthy'],
        ['Service/shop.web', 'DependencyNotReady', 'Waits until db is healthy'],
      ],
    );
  });

  it('says that it would wait for a network that somebody else makes, also where the release is taken back at last', async () => {
    await apply(app({ web: {} }));
    const user = app({ web: { networks: ['lan'] } }, { networks: { lan: { external: true } } });
    const waits = (body: Plan) => body.waits.map(({ reason, message, passed }) => ({ reason, message, passed }));
    const { body } = await ask([user]);
    assert.deepEqual(waits(body), [
      { reason: 'NetworkMissing', message: 'Network lan is not there; it is declared external', passed: false },
    ]);
    assert.deepEqual(
      body.refused.map(({ reason }) => reason),
      ['RolledBack'],
    );
    const maker = declareApp({ x: {} }, {
      name: 'maker',
      appId: 2,
      uuid: 'm',
      networks: { lan: { name: 'lan' } },
    } as never);

    assert.deepEqual(waits((await ask([user, maker])).body), []);
  });

  it('tells what is refused of a document, also where it is refused already, and of no other', async () => {
    const refused = async (documents?: readonly object[]) =>
      (await ask(documents)).body.refused.map(({ object, reason }) => `${object} ${reason}`);
    await agent.engine.createNetwork('u_default', { Labels: {} }, new AbortController().signal);
    const shop = app({ web: {} });
    await agent.store.put('api', { document: shop });
    await until(
      'the network is stalled',
      () => agent.store.list('Network')[0],
      (seen) => seen !== undefined && isStalled(seen),
    );
    assert.deepEqual(await refused([shop]), ['Network/shop.default NameTaken']);
    assert.deepEqual(await refused(), []);
    assert.deepEqual(await refused([declareApp({ x: {} }, { name: 'other', appId: 2, uuid: 'o' })]), []);
  });

  it('refuses nothing of two services that publish the same port without one of the host: each takes a free one', async () => {
    const shop = app({ web: { ports: ['80'] }, api: { ports: ['80'] } });
    assert.deepEqual((await ask([shop])).body.refused, []);
    const both = app({ web: { ports: ['80'] }, api: { ports: ['80:80', '80'] }, other: { ports: ['80:80'] } });
    assert.deepEqual(
      (await ask([both])).body.refused.map(({ field }) => field),
      ['spec.services.other.ports[0]'],
    );
  });

  it('takes an App together with a network that it names, in whichever order they come', async () => {
    const network = {
      apiVersion: 'supercargo.io/v1',
      kind: 'Network',
      metadata: { name: 'shop.extra' },
      spec: { app: 'shop', appId: 1, networkName: 'shop_extra' },
    };
    const user = app({ web: { networks: ['extra'] } });
    for (const documents of [
      [network, user],
      [user, network],
    ]) {
      assert.deepEqual((await ask(documents)).body.refused, []);
    }
  });

  it('refuses more services than are rehearsed, also those that stand alone', async () => {
    const alone = {
      apiVersion: 'supercargo.io/v1',
      kind: 'Service',
      metadata: { name: 'alone' },
      spec: { app: 'a1', appId: 1, serviceName: 'alone', image: 'web:1' },
    };
    const apps = [1, 2].map((appId) => {
      const names = Array.from({ length: 1_000 }, (_, index) => `s${appId}-${index}`);
      return declareApp(Object.fromEntries(names.map((name) => [name, {}])), {
        ...{ name: `a${appId}`, appId, uuid: `u${appId}` },
      });
    });
    const { code, body } = await ask([...apps, alone]);
    assert.equal(code, 400, JSON.stringify(body.refused ?? body).slice(0, 500));
    assert.match(JSON.stringify(body), /more than 2000 services are not rehearsed/);
  });

  it('ends with the patience of whoever waits for another plan', async () => {
    let goOn = (): void => undefined;
    const waiting = new Promise<[]>((resolve) => {
      goOn = () => resolve([]);
    });
    const first = agent.planner.plan(() => waiting, new AbortController().signal);
    const patience = new AbortController();
    const second = agent.planner.plan(async () => [], patience.signal);
    patience.abort(new Error('no longer'));
    await assert.rejects(second, /no longer/);
    goOn();
    assert.deepEqual((await first).actions, []);
  });

  it('refuses what no device could make true, and what is no document', async () => {
    const { body } = await ask([
      app({ web: { networks: ['nowhere'] } }),
      { kind: 'App', metadata: { name: 'bad' }, spec: { service: {} } },
    ]);
    assert.deepEqual(
      body.refused.map(({ object, field }) => `${object} ${field}`),
      ['App/bad spec.service', 'App/shop spec.services.web.networks'],
    );
    assert.equal((await ask([{ kind: 'Nothing' }])).code, 400);
    assert.equal((await ask([{ kind: 'Revision', metadata: { name: 'shop.1' }, spec: {} }])).code, 400);
  });

  const askYaml = async (text: string, type = 'application/yaml') => {
    const headers = { 'content-type': type };
    const answer = await fetch(`${agent.host}/apis/supercargo.io/v1/plan`, { method: 'POST', headers, body: text });
    return { code: answer.status, body: (await answer.json()) as Plan & { message: string } };
  };
  const yaml = [
    'apiVersion: supercargo.io/v1',
    'kind: App',
    'metadata: {name: shop}',
    'spec:',
    '  appId: 1',
    '  services:',
    '    web:',
    '      image: web:1',
  ];

  it('takes a stream of YAML, as a file is read', async () => {
    const network = ['---', 'apiVersion: supercargo.io/v1', 'kind: Network', 'metadata: {name: shop.extra}'];
    const spec = ['spec: {app: shop, appId: 1, networkName: 1_extra}'];
    const text = [...yaml, '      networks: [extra]', ...network, ...spec, '---', '# nothing', ''].join('\n');
    for (const type of ['application/yaml', 'text/yaml; charset=utf-8', 'application/x-yaml']) {
      const { code, body } = await askYaml(text, type);
      assert.deepEqual([code, body.refused], [200, []], JSON.stringify(body));
      assert.deepEqual(
        body.actions.map(({ object, action }) => `${action} ${object}`).filter((one) => /Network|Service/.test(one)),
        ['create Network/shop.extra', 'create Service/shop.web'],
      );
    }
    assert.deepEqual((await askYaml('# only a remark\n')).body.actions, []);
    assert.equal((await askYaml(yaml.join('\n'), 'text/plain')).code, 415);
  });

  it('takes a file as the guide sends it', async () => {
    const [block] = codeBlocks('docs/guide/plan.md').filter(({ language }) => language === 'sh');
    const folder = mkdtempSync(join(tmpdir(), 'supercargo-'));
    writeFileSync(join(folder, 'shop.yaml'), yaml.join('\n'));
    const line = block?.text.replace('http://127.0.0.1:48484', agent.host) ?? '';
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: folder });
    rmSync(folder, { recursive: true });
    assert.ok(
      (JSON.parse(stdout) as Plan).actions.some(({ object }) => object === 'Service/shop.web'),
      stdout,
    );
  });

  it('says line and column of what is wrong with a stream of YAML', async () => {
    const broken = await askYaml([...yaml, '    - x'].join('\n'));
    assert.equal(broken.code, 400);
    assert.match(broken.body.message, /^the YAML cannot be read: line 9, column 1: /);
    const unknown = await askYaml([...yaml, '---', 'kind: Revision', ''].join('\n'));
    assert.equal(unknown.code, 400);
    assert.match(unknown.body.message, /^line 10, column \d+: kind must be one of App, /);
    assert.equal((await askYaml(`# ${'x'.repeat(1024 * 1024)}\n`)).code, 413);
  });

  it('says the field of every refusal, and where it stands in YAML', async () => {
    await apply(app({ web: {} }, { appId: 1 }));
    agent.engine.docker.createNetwork('foreign', {
      Labels: {},
      IPAM: { Config: [{ Subnet: '10.99.0.0/24' }] },
    });
    const documents = (...specs: readonly string[]) =>
      specs.map((spec) => `apiVersion: supercargo.io/v1\n${spec}\n`).join('---\n');
    const rows: readonly { it: string; text: string; want: string }[] = [
      {
        it: 'the schema',
        text: documents('kind: App\nmetadata: {name: a}\nspec:\n  colour: red'),
        want: 'App/a spec.colour 5',
      },
      {
        it: 'a name that is taken',
        text: documents('kind: App\nmetadata: {name: a}\nspec:\n  name: a\n  appId: 1'),
        want: 'App/a spec.appId 6',
      },
      {
        it: 'a field that cannot change',
        text: documents('kind: App\nmetadata: {name: shop}\nspec:\n  name: a\n  appId: 2'),
        want: 'App/shop spec.appId 6',
      },
      {
        it: 'a document that an App makes',
        text: documents(
          'kind: Service\nmetadata: {name: shop.web}\nspec: {app: shop, serviceName: web, image: "web:1"}',
        ),
        want: 'Service/shop.web metadata.name 3',
      },
      {
        it: 'a version that is old',
        text: documents('kind: App\nmetadata:\n  name: shop\n  resourceVersion: "1"\nspec: {appId: 1}'),
        want: 'App/shop metadata.resourceVersion 5',
      },
      {
        it: 'a release that contradicts itself',
        text: documents(
          `kind: App\nmetadata: {name: a}\nspec:\n  appId: 9\n  services:\n    web:\n      image: "web:1"\n      networks: [no]`,
        ),
        want: 'App/a spec.services.web.networks 9',
      },
      {
        it: 'what the engine cannot make of a part of an App',
        text: documents(
          `kind: App\nmetadata: {name: a}\nspec:\n  appId: 9\n  services: {web: {image: "web:1", networks: [n]}}\n  networks:\n    n:\n      ipam: {config: [{subnet: 10.99.0.0/16}]}`,
        ),
        want: 'Network/a.n spec.ipam 9',
      },
    ];
    for (const { it: what, text, want } of rows) {
      const { body } = await askYaml(text);
      const [first] = body.refused ?? [];
      assert.equal(`${first?.object} ${first?.field} ${first?.line}`, want, `${what}: ${JSON.stringify(body)}`);
      assert.ok((first?.column ?? 0) > 0, what);
    }
  });

  it('plans a document of a source as if it were changed there, and says so', async () => {
    await agent.store.propose({ origin: 'files', documents: [{ document: app({ web: {} }) }] });
    const { body } = await ask([app({ web: { environment: { A: '1' } } })]);
    assert.match(body.notes.join(), /App\/shop is declared by files/);
    assert.ok(body.actions.length > 0);
  });

  it('is printed as a table, or JSON; its exit code says whether something would be done', async () => {
    await apply(app({ web: {} }));
    const env = { SUPERCARGO_HOST: agent.host };
    const none = await command.run(['plan'], { env });
    assert.deepEqual([none.code, none.out, none.err], [0, 'Nothing would be done.\n', '']);
    const input = JSON.stringify(app({ web: { environment: { MODE: 'safe' } } }));
    const some = await command.run(['plan', '-f', '-'], { env, input });
    assert.equal(some.code, 2, some.err);
    assert.match(some.out, /^ACTION +OBJECT +COSTS +BECAUSE\nreplace +Service\/shop\.web .*MODE: \(none\) → "safe"$/m);
    const json = await command.run(['plan', '-f', '-', '-o', 'json'], { env, input });
    assert.equal((JSON.parse(json.out) as Plan).actions.length, 1);
    const bad = JSON.stringify(app({ web: { networks: ['nowhere'] } }));
    const refused = await command.run(['plan', '-f', '-'], { env, input: bad });
    assert.equal(refused.code, 1);
    assert.match(refused.out, /Refused:\n {2}App\/shop: spec\.services\.web\.networks.* \(stdin:1:\d+\)$/m);
  });
});

describe('changed fields', () => {
  const service = (spec: object): Resource =>
    ({
      kind: 'Service',
      metadata: { name: 'shop.web', origin: 'App/shop' },
      spec: { serviceName: 'web', ...spec },
    }) as never;

  const shown = (field: string, before: unknown, after: unknown): readonly string[] =>
    changedFields(service({ [field]: before }), service({ [field]: after }));
  const rows: readonly { it: string; field: string; before: unknown; after: unknown; want: string }[] = [
    {
      it: 'in a list of maps',
      field: 'x',
      before: [{ token: 'abc', tag: 'a' }],
      after: undefined,
      want: 'services.web.x: [{"tag":"a","token":"***"}] → (none)',
    },
    {
      it: 'in a list of options',
      field: 'mount',
      before: ['type=cifs,username=u,password=abc'],
      after: ['type=cifs,username=u,password=def'],
      want: 'services.web.mount: ["type=cifs,username=u,password=***"] → ["type=cifs,username=u,password=***"]',
    },
    {
      it: 'in arguments',
      field: 'command',
      before: ['serve', '--api-token=abc'],
      after: ['serve', '--api-token=def'],
      want: 'services.web.command: ["serve","--api-token=***"] → ["serve","--api-token=***"]',
    },
    {
      it: 'in the argument after an option',
      field: 'command',
      before: ['serve', '--password', 'a b', '--port', '80'],
      after: ['serve', '--password', 'a b', '--port', '81'],
      want: 'services.web.command: ["serve","--password","***","--port","80"] → ["serve","--password","***","--port","81"]',
    },
    {
      it: 'in a command line',
      field: 'entrypoint',
      before: 'serve --token abc -H "Authorization: Basic x"',
      after: undefined,
      want: 'services.web.entrypoint: "serve --token *** -H \\"Authorization: ***\\"" → (none)',
    },
    {
      it: 'with quotes and commas in the secret of a variable',
      field: 'environment',
      before: ['DB_PASSWORD=a",b'],
      after: ['DB_PASSWORD=a",c'],
      want: 'services.web.environment: ["DB_PASSWORD=***"] → ["DB_PASSWORD=***"]',
    },
  ];
  for (const { it: where, field, before, after, want } of rows) {
    it(`mask what names say is secret, ${where}`, () => assert.deepEqual(shown(field, before, after), [want]));
  }

  it('mask what names say is secret, also in lists of variables', () => {
    const [from, to] = [
      ['A=1', 'DB_PASSWORD=x'],
      ['A=2', 'DB_PASSWORD=y'],
    ];
    assert.deepEqual(changedFields(service({ environment: from }), service({ environment: to })), [
      'services.web.environment: ["A=1","DB_PASSWORD=***"] → ["A=2","DB_PASSWORD=***"]',
    ]);
  });
});
