import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { Limiter } from '../../api/platform/turns.js';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import { isMap } from '../../crds/model/maps.js';
import { allottedId } from '../../crds/model/names.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';
import { useRegistry } from '../setup/docker.js';
import { TestRepository } from '../setup/git.js';
import { type HttpGitServer, serveHttp } from '../setup/git-servers.js';
import { needPrograms } from '../setup/programs.js';
import { Scene, unchanged } from '../setup/scene.js';

const PORT = 18_199;
/** Scenarios at a time. */
const AT_A_TIME = 4;
const PATIENCE = { withinMs: 240_000 };
/** A release is good after two seconds. An engine under load takes half a minute for what takes a second elsewhere. */
const ROLLOUT = { minReadySeconds: 2, maxRestarts: 1, progressDeadlineSeconds: 180 };
/** For a bad one: such an engine takes seconds to notice that a process has ended. */
const PATIENT = { rollout: { ...ROLLOUT, minReadySeconds: 20 } };

/** The head of a program for a RISC-V processor: no kernel of another one runs it. */
const foreignProgram = (): Buffer => {
  const head = Buffer.alloc(120);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(2, 16); // an executable
  head.writeUInt16LE(243, 18); // EM_RISCV
  head.writeUInt32LE(1, 20);
  head.writeUInt16LE(64, 52); // length of this head
  return head;
};

/** What differs between two containers that are made alike. */
const OF_THIS_ONE = new Set([
  ...['Id', 'Created', 'State', 'RestartCount', 'ResolvConfPath', 'HostnamePath', 'HostsPath', 'LogPath', 'Hostname'],
  ...['GraphDriver', 'SandboxID', 'SandboxKey', 'EndpointID', 'MacAddress', 'IPAddress', 'DNSNames', 'Storage'],
]);
const madeAlike = (value: unknown): unknown => {
  if (Array.isArray(value)) {
    // The engine tells mounts in any order, and the short id among the aliases.
    const kept = value.map(madeAlike).filter((one) => typeof one !== 'string' || !/^[0-9a-f]{12}$/.test(one));
    return kept.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) => (OF_THIS_ONE.has(key) ? [] : [[key, madeAlike(one)]])),
  );
};

describe('a bad release on a real engine', function () {
  this.timeout(480_000);
  let scene: Scene;
  let repository: TestRepository;
  let server: HttpGitServer;

  before(async () => {
    await needPrograms('git');
    repository = TestRepository.make();
    server = await serveHttp(repository);
    // For what has no field for it: a target state.
    scene = await Scene.open({ env: { SUPERCARGO_MIN_READY: '5s' } });
    scene.onClose(async () => {
      await server.close();
      repository.remove();
    });
    const name = `${scene.prefix}-neighbour`;
    await scene.put(name, { appId: scene.appId(), services: { main: scene.service({ ports: [`${PORT}:${PORT}`] }) } });
    await scene.untilReady(name);
  });
  after(() => scene?.close());

  /** `main` as it is good, with something of everything that has to come back, and `other`, which no release changes. */
  const release = (appId: number, fields: Partial<AppService> = {}, more: Partial<AppSpec> = {}): AppSpec => ({
    appId,
    rollout: ROLLOUT,
    services: {
      main: scene.service({
        environment: { VERSION: 'good' },
        labels: { 'com.example.team': 'shop' },
        networks: { front: { aliases: ['till'] } },
        volumes: ['data:/data'],
        mem_limit: '64m',
        ...fields,
      }),
      other: scene.service({ networks: ['front'] }),
    },
    networks: { front: {} },
    volumes: { data: {} },
    ...more,
  });
  const text = (name: string, spec: AppSpec): string =>
    JSON.stringify({ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name }, spec });
  const file = (name: string): string => join(scene.agent.manifests, `${name}.json`);
  const byFile = (name: string, spec: AppSpec) => writeFile(file(name), text(name, spec));
  const app = (name: string) => scene.agent.document('App', name);

  /** Everything of an app as `docker inspect` tells it, but for what is of this very container. */
  const inspected = async (appId: number): Promise<unknown> => {
    const containers = await Promise.all(
      (await scene.containers(appId)).map(({ id }) => scene.docker.request({ path: `/containers/${id}/json` })),
    );
    return {
      containers: madeAlike(containers),
      networks: (await scene.networks(appId)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      volumes: await scene.volumes(appId),
    };
  };
  const untilBack = async (name: string): Promise<string> => {
    const seen = await scene.until(
      `App ${name} has gone back`,
      () => app(name),
      (one) =>
        one !== undefined &&
        one.status?.observedGeneration === one.metadata.generation &&
        conditionOf(one, 'Stalled')?.reason === 'RolledBack' &&
        conditionOf(one, 'Available')?.status === 'True',
      PATIENCE,
    );
    return (seen && conditionOf(seen, 'Ready')?.message) ?? '';
  };
  const starting = async (name: string, declare: (spec: AppSpec) => Promise<unknown>, spec: AppSpec) => {
    const { appId = 0 } = spec;
    await declare(spec);
    await scene.untilReady(name, PATIENCE);
    return {
      before: await inspected(appId),
      containers: await scene.untilRunning(appId, Object.keys(spec.services ?? {})),
    };
  };
  /** A good release, then a bad one, and what there is after it. */
  const goThere = async (
    name: string,
    declare: (spec: AppSpec) => Promise<unknown>,
    good: AppSpec,
    bad: AppSpec,
  ): Promise<string> => {
    const { appId = 0 } = good;
    const { before, containers } = await starting(name, declare, good);
    await declare(bad);
    const message = await untilBack(name);
    const after = await scene.untilRunning(appId, Object.keys(good.services ?? {}));
    assert.deepEqual(await inspected(appId), before);
    const untouched = (of: typeof after) => unchanged(of.filter(({ service }) => service !== 'main'));
    assert.deepEqual(untouched(after), untouched(containers), 'the others are not touched');
    assert.deepEqual(await scene.lockFiles(appId), []);
    return message;
  };

  const cases: readonly {
    readonly it: string;
    readonly fields: Partial<AppService>;
    readonly rollout?: AppSpec['rollout'];
    readonly says: RegExp;
  }[] = [
    {
      it: 'exits at once',
      fields: { command: ['sh', '-c', 'echo no key to the door; exit 1'] },
      says: /main was restarted .*It printed last: .*no key to the door/,
    },
    {
      it: 'exits after a while',
      fields: { command: ['sh', '-c', 'sleep 2; exit 1'] },
      rollout: { minReadySeconds: 20, maxRestarts: 0 },
      says: /main was restarted once, more than 0 times/,
    },
    {
      it: 'never gets healthy',
      fields: { healthcheck: { test: ['CMD', 'false'], interval: '500ms', retries: 2 } },
      says: /main: .*unhealthy/,
    },
    {
      it: 'is healthy and then is not, before it counts',
      fields: {
        command: ['sh', '-c', 'sleep 1; touch /ill; sleep 1000000'],
        healthcheck: { test: ['CMD', 'test', '!', '-e', '/ill'], interval: '300ms', retries: 1 },
      },
      rollout: { minReadySeconds: 10 },
      says: /main: .*unhealthy/,
    },
    {
      it: 'wants a port that is taken, until the deadline',
      fields: { ports: [`${PORT}:${PORT}`] },
      rollout: { progressDeadlineSeconds: 5 },
      says: /Not well 5 s after the promotion: main \(PortInUse: /,
    },
    { it: 'names a device that is not there', fields: { devices: ['/dev/none-such'] }, says: /\/dev\/none-such/ },
    { it: 'names a runtime that is not there', fields: { runtime: 'none-such' }, says: /no runtime none-such/ },
    {
      it: 'is a program for another processor',
      fields: { image: 'foreign', command: ['/bin/foreign'] },
      says: /exec format error/,
    },
    { it: 'names a command that is not there', fields: { command: ['none-such'] }, says: /command none-such/ },
  ];
  /** Most of the time is waiting: several at a time, each of which has an app of its own. */
  describe('beside others', () => {
    const turns = new Limiter(AT_A_TIME);
    const tests: (() => Promise<void>)[] = [];
    const results: Promise<void>[] = [];
    const add = (what: string, test: () => Promise<void>): void => {
      const place = tests.push(test) - 1;
      it(what, () => results[place]);
    };
    before(async () => {
      const head = foreignProgram();
      await scene.makeImage(`${scene.prefix}:foreign`, {
        files: [{ path: 'bin/foreign', content: head, mode: 0o755 }],
      });
      for (const test of tests) {
        const result = turns.run(test);
        result.catch(() => undefined); // `it` says so
        results.push(result);
      }
    });

    for (const { it: what, fields: given, rollout, says } of cases)
      add(`that ${what} goes, and the one before is as it was`, async () => {
        const appId = scene.appId();
        const name = `${scene.prefix}-bad${appId}`;
        const fields = given.image === undefined ? given : { ...given, image: `${scene.prefix}:${given.image}` };
        const bad = { environment: { VERSION: 'bad' }, labels: {}, mem_limit: '32m', ...fields };
        const message = await goThere(
          name,
          (spec) => byFile(name, spec),
          release(appId),
          release(appId, bad, { rollout: { ...PATIENT.rollout, ...rollout } }),
        );
        assert.match(message, says);
        await rm(file(name));
      });

    add('of several services goes as a whole, and the data of volumes stays', async () => {
      const name = `${scene.prefix}-several`;
      const appId = scene.appId();
      const spec = (version: string, last: Partial<AppService>): AppSpec => {
        const environment = { VERSION: version };
        const { services, ...rest } = release(appId, { environment });
        return {
          ...rest,
          services: { ...services, third: scene.service({ environment }), fourth: scene.service(last) },
        };
      };
      const declare = (one: AppSpec) => byFile(name, one);
      const { before } = await starting(name, declare, spec('1', {}));
      const [, main] = await scene.containers(appId);
      assert.equal((await scene.exec(main?.id ?? '', ['sh', '-c', 'echo kept > /data/file'])).code, 0);
      await declare({ ...spec('2', { command: ['false'] }), ...PATIENT });
      const message = await untilBack(name);
      assert.match(message, /fourth was restarted/);
      const after = await scene.untilRunning(appId, ['main', 'other', 'third', 'fourth']);
      assert.deepEqual(await inspected(appId), before);
      const there = after.find(({ service }) => service === 'main');
      assert.equal((await scene.exec(there?.id ?? '', ['cat', '/data/file'])).output.trim(), 'kept');
      await rm(file(name));
    });

    add('over HTTP goes, is not tried again by the same document, and is by a retry', async () => {
      const name = `${scene.prefix}-http`;
      const appId = scene.appId();
      const declare = (spec: AppSpec) => scene.put(name, spec);
      const bad = release(appId, { command: ['false'] }, PATIENT);
      await goThere(name, declare, release(appId), bad);
      const record = await scene.record(appId);
      await declare(bad);
      await untilBack(name);
      assert.deepEqual(record.seen, []);
      const path = `/apis/supercargo.io/v1/apps/${name}/requests`;
      assert.equal((await scene.agent.post(path, { name: 'retry' })).status, 202);
      await scene.until(
        'it is tried',
        () => record.seen.length,
        (count) => count > 0,
        PATIENCE,
      );
      await untilBack(name);
      record.stop();
      await scene.delete(name);
    });

    add('stays where a target state is posted; with a label it goes, and another POST tries it again', async () => {
      const appId = scene.appId();
      const target = (command: readonly string[], labels: Readonly<Record<string, string>>) => ({
        local: {
          name: 'local',
          config: {},
          apps: {
            [appId]: {
              ...{ name: 'posted', commit: command.join('-'), releaseId: '1', volumes: {}, networks: {} },
              services: {
                '1': {
                  ...{ environment: {}, labels, imageId: 1, serviceName: 'main', serviceId: 1, image: scene.image },
                  ...{ running: true, command, stop_signal: 'SIGKILL' },
                },
              },
            },
          },
        },
      });
      const post = async (command: readonly string[], labels = {}): Promise<void> => {
        const reply = await scene.agent.post('/v2/local/target-state', target(command, labels));
        assert.equal(reply.status, 200, reply.text);
      };
      const name = async () =>
        (await scene.agent.documents('App')).find(({ spec }) => spec.appId === appId)?.metadata.name ?? '';
      const good = ['sleep', '1000'];
      await post(good);
      await scene.until('it is declared', name, (one) => one !== '');
      const posted = await name();
      await scene.untilReady(posted, PATIENCE);
      await post(['false']);
      await scene.untilReason('App', posted, 'ServicesNotHealthy', /./, PATIENCE);
      const { commit } = (await scene.agent.applications()).posted ?? {};
      assert.equal(commit, 'false');

      const back = { 'io.supercargo.rollout.on-failure': 'rollback' };
      await post(good);
      await scene.untilReady(posted, PATIENCE);
      await post(['false'], back);
      await untilBack(posted);
      const state = await scene.agent.applications();
      assert.equal(state.posted?.commit, good.join('-'), 'clients see what runs');
      // With everything else that goes and comes beside it.
      await scene.until(
        'clients see a device at rest',
        async () => (await scene.agent.status()).appState,
        (one) => one === 'applied',
        PATIENCE,
      );
      const record = await scene.record(appId);
      await post(['false'], back);
      await scene.until(
        'it is tried',
        () => record.seen.length,
        (count) => count > 0,
        PATIENCE,
      );
      await untilBack(posted);
      record.stop();
    });

    add('brings an image back that was built on the device and has lost its name, though somebody prunes', async () => {
      const name = `${scene.prefix}-built`;
      const appId = scene.appId();
      const image = `${name}:local`;
      const build = (content: string) =>
        scene.makeImage(image, { files: [{ path: 'etc/content', content: Buffer.from(content) }] });
      const main = async () => (await scene.containers(appId)).find(({ service }) => service === 'main');
      const imageOf = (id: string) => scene.docker.engine.inspectImage(id, timeoutSignal(60_000));
      const isKept = async (id: string) =>
        (await imageOf(id))?.tags.some((tag) => tag.startsWith('supercargo.io/kept:'));

      await build('first');
      await byFile(name, release(appId, { image }));
      await scene.untilReady(name, PATIENCE);
      const ran = (await main())?.image ?? '';
      await build('second');
      await scene.until('it has a name of ours', () => isKept(ran), Boolean, PATIENCE);
      const events = await scene.record(appId);
      await byFile(
        name,
        release(appId, { image, environment: { VERSION: 'bad' }, command: ['sh', '-c', 'sleep 1; exit 1'] }, PATIENT),
      );
      await scene.until(
        'the bad one runs',
        () => events.seen,
        (seen) => seen.includes('container start'),
        PATIENCE,
      );
      events.stop();
      await scene.docker.request({
        ...{ method: 'POST', path: '/images/prune' },
        query: { filters: JSON.stringify({ dangling: ['true'] }) },
      });
      await untilBack(name);
      assert.equal((await main())?.image, ran);
      const { applications, status } = {
        applications: JSON.stringify(await scene.agent.applications()),
        status: JSON.stringify(await scene.agent.status()),
      };
      assert.doesNotMatch(applications + status, /supercargo\.io\/kept/);

      await byFile(name, release(appId, { image, environment: { VERSION: 'better' } }));
      await scene.untilReady(name, PATIENCE);
      await scene.until(
        'the name of ours is gone',
        () => isKept(ran),
        (kept) => !kept,
        PATIENCE,
      );
      assert.ok(await imageOf(ran), 'it is not ours to delete');
      await rm(file(name));
      await scene.untilGone(name);
      await scene.docker.engine.removeImage(ran, timeoutSignal(60_000));
    });
  });

  it('from git goes, is not tried again by the next commit, and a revert is a release like any other', async () => {
    const name = `${scene.prefix}-git`;
    const appId = scene.appId(allottedId(name));
    const bad = release(appId, { environment: { VERSION: 'bad' }, command: ['false'] }, PATIENT);
    const put = (request: string) =>
      scene.agent.post('/apis/supercargo.io/v1/gitsources/fleet/requests', { name: request });
    const declare = async (spec: AppSpec): Promise<void> => {
      repository.commit({ 'apps/a.json': text(name, spec) });
      await put('sync');
    };
    const source = { spec: { url: server.url, branch: 'main', path: 'apps', interval: '1h' } };
    repository.commit({ 'apps/a.json': text(name, release(appId)) });
    const reply = await scene.agent.ask('/apis/supercargo.io/v1/gitsources/fleet', { method: 'PUT', body: source });
    assert.ok(reply.status <= 201, reply.text);
    await goThere(name, declare, release(appId), bad);

    const record = await scene.record(appId);
    const refused = (await app(name))?.status?.rollback;
    repository.commit({ 'apps/note.txt': 'nothing of the app' });
    await put('sync');
    const synced = repository.head();
    const seen = () => scene.agent.document('GitSource', 'fleet');
    await scene.until('it is synced', seen, (one) => one?.status?.applied?.commit === synced);
    await scene.agent.restart();
    await untilBack(name);
    assert.deepEqual((await app(name))?.status?.rollback, refused);
    repository.commit({ 'apps/a.json': text(name, release(appId)) }, 'Revert "bad"');
    await put('sync');
    await scene.untilReady(name, PATIENCE);
    record.stop();
    assert.deepEqual(record.seen, [], 'what runs is what is declared');
    assert.equal((await app(name))?.status?.rollback, undefined);
  });

  it('goes without the registry, and over deaths of the agent on the way', async () => {
    const registry = await useRegistry();
    scene.onClose(() => registry.close());
    const publish = async (tag: string): Promise<string> => {
      const reference = `${registry.address}/${scene.prefix}/shop:${tag}`;
      const unnoticed = reference.replace('127.0.0.1', 'localhost');
      await scene.makeImage(unnoticed, { files: [{ path: 'etc/content', content: randomBytes(16) }] });
      await scene.docker.push(unnoticed);
      await scene.docker.engine.removeImage(unnoticed, timeoutSignal(60_000));
      return reference;
    };
    const [one, two] = [await publish('1'), await publish('2')];
    const name = `${scene.prefix}-registry`;
    const appId = scene.appId();
    const declare = (spec: AppSpec) => byFile(name, spec);
    const { before, containers } = await starting(name, declare, release(appId, { image: one }));
    const events = await scene.record(appId);
    await declare(release(appId, { image: two, command: ['sh', '-c', 'sleep 2; exit 1'] }, PATIENT));
    await scene.until(
      'the bad one runs',
      () => events.seen,
      (seen) => seen.includes('container start'),
      PATIENCE,
    );
    await registry.close();
    for (const moment of ['it is decided', 'the bad one is gone', 'the one before is there']) {
      const seen = events.seen.length;
      if (moment === 'it is decided')
        await scene.until(
          moment,
          () => app(name),
          (now) => now?.status?.rollback !== undefined,
          PATIENCE,
        );
      else
        await scene.until(
          moment,
          async () => (await untilRolled(name)) || events.seen.length > seen,
          Boolean,
          PATIENCE,
        );
      await scene.agent.kill();
      await scene.agent.start();
    }
    events.stop();
    await untilBack(name);
    const after = await scene.untilRunning(appId, ['main', 'other']);
    assert.deepEqual(await inspected(appId), before);
    assert.equal(after[0]?.image, containers[0]?.image);
    assert.deepEqual(unchanged(after.slice(1)), unchanged(containers.slice(1)));
    assert.equal(isReady((await app(name)) ?? assert.fail('it is gone')), false);
  });

  const untilRolled = async (name: string): Promise<boolean> => {
    const one = await app(name);
    return one !== undefined && conditionOf(one, 'Stalled')?.reason === 'RolledBack';
  };
});
