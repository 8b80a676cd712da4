import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AnyDeclared, Key, RequestName } from '../../../crds/model/kinds.js';
import { acknowledgementsOf } from '../../../crds/model/requests.js';
import { declareApp } from '../../setup/declared.js';
import { type Agent, Device } from '../../simulation/device.js';
import { lockFiles } from '../../simulation/device-view.js';
import { FAULTS, noFaults } from '../../simulation/fault-plan.js';

/** Every which step is tried with a fault, each fault from another one on; all of them with SUPERCARGO_CRASHES=all. */
const STRIDE = process.env.SUPERCARGO_CRASHES === 'all' ? 1 : 3;

const app = declareApp(
  { web: { depends_on: ['db'], environment: { V: '1' } }, db: { volumes: ['data:/data'] } },
  { volumes: { data: {} } },
);
const other = declareApp(
  { x: { volumes: ['data:/data'] } },
  { name: 'other', appId: 2, uuid: 'o', volumes: { data: {} } },
);

/** A settled device with two apps, and what its engine had then. */
class Commanded {
  readonly device = new Device();
  ids: ReadonlyMap<string, string> = new Map();

  /** `app` alone, or with another one beside it. */
  async open(target: readonly AnyDeclared[] = [app, other]): Promise<this> {
    this.device.engine.images.add('web:1');
    const agent = await this.device.boot();
    await agent.propose(target);
    await agent.settle();
    this.ids = this.containers();
    return this;
  }

  containers(): ReadonlyMap<string, string> {
    return new Map(this.device.engine.docker.containers.map(({ name, id }) => [name, id]));
  }

  /** `web_7_1_a running same`: whether it is the container of before. */
  lines(): readonly string[] {
    return this.device.engine.docker.containers
      .map(({ name, id, state }) => `${name} ${state} ${this.ids.get(name) === id ? 'same' : 'anew'}`)
      .sort();
  }

  get agent(): Agent {
    return this.device.agent ?? assert.fail('no agent');
  }

  handling(key: Key) {
    const [kind, name = ''] = key.split('/') as ['App' | 'Service', string];
    return acknowledgementsOf(this.agent.store.get(kind, name)?.status);
  }

  async ask(key: Key, name: RequestName, force?: boolean): Promise<string> {
    const requests = await this.agent.store.request(key, { [name]: force === undefined ? {} : { force } });
    return requests[name]?.id ?? '';
  }

  /** Asks until it is on disk, and lets agents work until everything rests, however often they die. Returns the id. */
  async carryOut(key: Key, name: RequestName): Promise<string> {
    let id: string | undefined;
    for (let lives = 0; lives < 6; lives += 1) {
      const agent = this.device.agent?.isDead === false ? this.device.agent : await this.device.boot();
      const [kind, document = ''] = key.split('/') as ['App' | 'Service', string];
      id = agent.store.get(kind, document)?.requests[name]?.id ?? id;
      if (id === undefined) {
        const asked = agent.store.request(key, { [name]: {} }).then(
          (requests) => requests[name]?.id,
          () => undefined,
        );
        id = await Promise.race([asked, agent.ended.then(() => undefined)]);
      }
      if (!agent.isDead) await agent.settle();
      if (!agent.isDead && id !== undefined) return id;
    }
    assert.fail('six agents died');
  }

  /** A second look makes no call and no write; nor does a new agent, but for what it looks at when it starts. */
  async rests(): Promise<void> {
    const from = this.agent.steps.length;
    for (const loop of this.agent.loops) loop.resync();
    await this.agent.settle();
    assert.deepEqual(this.agent.steps.slice(from), [], 'calls and writes at rest');
    assert.deepEqual(lockFiles(this.device), []);
  }

  async close(): Promise<void> {
    this.device.faultPlan = noFaults;
    await this.device.stop();
  }
}

const lockOf = (device: Device): string => join(device.folder, 'locks/1/db/updates.lock');
function lock(device: Device): void {
  mkdirSync(dirname(lockOf(device)), { recursive: true });
  writeFileSync(lockOf(device), '');
}

/** What is asked of whom, and what is there afterwards. */
const COMMANDS: readonly {
  readonly it: string;
  readonly key: Key;
  readonly name: RequestName;
  readonly first?: (commanded: Commanded) => Promise<unknown>;
  readonly want: readonly string[];
  readonly empties?: boolean;
}[] = [
  {
    it: 'restarts an app, and no other',
    key: 'App/hello',
    name: 'restart',
    want: ['db_7_1_a running anew', 'web_7_1_a running anew', 'x_7_1_a running same'],
  },
  {
    it: 'restarts one service',
    key: 'Service/hello.web',
    name: 'restart',
    want: ['db_7_1_a running same', 'web_7_1_a running anew', 'x_7_1_a running same'],
  },
  {
    it: 'purges an app, and no other',
    key: 'App/hello',
    name: 'purge',
    want: ['db_7_1_a running anew', 'web_7_1_a running anew', 'x_7_1_a running same'],
    empties: true,
  },
  {
    it: 'starts what was stopped',
    key: 'Service/hello.web',
    name: 'start',
    first: async (commanded) => {
      await commanded.ask('Service/hello.web', 'stop');
      await commanded.agent.settle();
    },
    want: ['db_7_1_a running same', 'web_7_1_a running same', 'x_7_1_a running same'],
  },
  {
    it: 'starts a whole app that was stopped',
    key: 'App/hello',
    name: 'start',
    first: async (commanded) => {
      await commanded.ask('App/hello', 'stop');
      await commanded.agent.settle();
    },
    want: ['db_7_1_a running same', 'web_7_1_a running same', 'x_7_1_a running same'],
  },
];

describe('commands', () => {
  let here: Commanded;
  beforeEach(async () => {
    here = await new Commanded().open();
  });
  afterEach(() => here.close());

  const dataOf = (name: string) => here.device.engine.docker.volume(name);

  for (const { it: does, key, name, first, want, empties = false } of COMMANDS) {
    it(`${does}, once, and then rests`, async () => {
      await first?.(here);
      const [mine, others] = [dataOf('1_data'), dataOf('2_data')];
      const id = await here.ask(key, name);
      await here.agent.settle();
      assert.deepEqual(here.lines(), want);
      assert.equal(here.handling(key).handled?.[name], id);
      assert.equal(here.handling(key).refused, undefined);
      assert.equal(dataOf('1_data') === mine, !empties);
      assert.equal(dataOf('2_data'), others);
      await here.rests();

      const [containers, data] = [here.containers(), dataOf('1_data')];
      for (const end of ['halt', 'kill'] as const) {
        await here.device[end]();
        await (await here.device.boot()).settle();
        assert.deepEqual(here.containers(), containers, `after a ${end}`);
        assert.equal(dataOf('1_data'), data, `after a ${end}`);
      }
    });

    it(`${does}, whatever befalls any one step`, async () => {
      for (const [index, fault] of FAULTS.entries()) {
        for (let at = index % STRIDE, steps = at + 1; at < steps; at += STRIDE) {
          const run = await new Commanded().open([app]);
          try {
            await first?.(run);
            const volume = (name: string) => run.device.engine.docker.volume(name);
            const mine = volume('1_data');
            steps = 0;
            run.device.faultPlan = () => (steps++ === at ? fault : 'none');
            const id = await run.carryOut(key, name);
            assert.deepEqual(run.lines(), want.slice(0, 2));
            assert.equal(run.handling(key).handled?.[name], id);
            assert.equal(run.handling(key).refused, undefined);
            assert.equal(volume('1_data') === mine, !empties);
            run.device.faultPlan = noFaults;
            await run.rests();
          } catch (error) {
            throw new Error(`${fault} at step ${at}`, { cause: error });
          } finally {
            await run.close();
          }
        }
      }
    }).timeout(120_000);
  }

  it('stop a service, which stays stopped over passes and relists', async () => {
    const id = await here.ask('Service/hello.web', 'stop');
    await here.agent.settle();
    assert.deepEqual(here.lines(), ['db_7_1_a running same', 'web_7_1_a exited same', 'x_7_1_a running same']);
    assert.equal(here.handling('Service/hello.web').handled?.stop, id);
    await here.agent.relist();
    await here.rests();
    assert.equal(here.lines()[1], 'web_7_1_a exited same');
  });

  it('stop a service whatever befalls any one step; an agent that starts later starts it', async () => {
    for (const [index, fault] of FAULTS.entries()) {
      for (let at = index % STRIDE, steps = at + 1; at < steps; at += STRIDE) {
        const run = await new Commanded().open([app]);
        try {
          steps = 0;
          run.device.faultPlan = () => (steps++ === at ? fault : 'none');
          await run.carryOut('Service/hello.web', 'stop');
          run.device.faultPlan = noFaults;
          const { handled = {} } = run.handling('Service/hello.web');
          assert.equal(handled.stop, run.agent.store.get('Service', 'hello.web')?.requests.stop?.id);
          assert.match(
            run.lines()[1] ?? '',
            fault.startsWith('kill') ? /web_7_1_a (running|exited) same/ : /exited same/,
          );
          await run.rests();
          await run.device.halt();
          await (await run.device.boot()).settle();
          assert.equal(run.lines()[1], 'web_7_1_a running same');
        } catch (error) {
          throw new Error(`${fault} at step ${at}`, { cause: error });
        } finally {
          await run.close();
        }
      }
    }
  }).timeout(120_000);

  const STOPPED = ['db_7_1_a exited same', 'web_7_1_a exited same', 'x_7_1_a running same'];
  const RUNNING = ['db_7_1_a running same', 'web_7_1_a running same', 'x_7_1_a running same'];

  it('stop a whole app, which stays stopped over passes and relists', async () => {
    const id = await here.ask('App/hello', 'stop');
    await here.agent.settle();
    assert.deepEqual(here.lines(), STOPPED);
    assert.equal(here.handling('App/hello').handled?.stop, id);
    assert.equal(here.agent.store.get('App', 'hello')?.status?.begun, undefined);
    await here.agent.relist();
    await here.rests();
    assert.deepEqual(here.lines(), STOPPED);
  });

  it('stop a whole app whatever befalls any one step: all of it or none; an agent that starts later starts it', async () => {
    for (const [index, fault] of FAULTS.entries()) {
      for (let at = index % STRIDE, steps = at + 1; at < steps; at += STRIDE) {
        const run = await new Commanded().open([app]);
        try {
          steps = 0;
          run.device.faultPlan = () => (steps++ === at ? fault : 'none');
          const id = await run.carryOut('App/hello', 'stop');
          run.device.faultPlan = noFaults;
          assert.equal(run.handling('App/hello').handled?.stop, id);
          assert.equal(run.handling('App/hello').refused, undefined);
          const states = new Set(run.lines().map((line) => line.split(' ')[1]));
          if (fault.startsWith('kill')) assert.equal(states.size, 1, run.lines().join(', '));
          else assert.deepEqual([...states], ['exited']);
          await run.rests();
          await run.device.halt();
          await (await run.device.boot()).settle();
          assert.deepEqual(run.lines(), RUNNING.slice(0, 2));
        } catch (error) {
          throw new Error(`${fault} at step ${at}`, { cause: error });
        } finally {
          await run.close();
        }
      }
    }
  }).timeout(120_000);

  it('stop of an app ends with a start, restart or purge of it, and one service may start alone', async () => {
    for (const name of ['start', 'restart', 'purge'] as const) {
      await here.ask('App/hello', 'stop');
      await here.agent.settle();
      assert.ok(
        here.lines().every((line) => line.startsWith('x_') || line.includes('exited')),
        name,
      );
      await here.ask('App/hello', name);
      await here.agent.settle();
      assert.ok(
        here.lines().every((line) => line.includes('running')),
        name,
      );
    }
    await here.ask('App/hello', 'stop');
    await here.agent.settle();
    await here.ask('Service/hello.db', 'start');
    await here.agent.settle();
    assert.deepEqual(
      here.lines().map((line) => line.split(' ')[1]),
      ['running', 'exited', 'running'],
    );
    await here.rests();
  });

  it('stop of an app, given together with its start: the later one counts, and none is left undone', async () => {
    const [stop, start] = await Promise.all([here.ask('App/hello', 'stop'), here.ask('App/hello', 'start')]);
    await here.agent.settle();
    assert.deepEqual(here.handling('App/hello').handled, { stop, start });
    assert.deepEqual(here.lines(), RUNNING);
    await Promise.all([here.ask('App/hello', 'start'), here.ask('App/hello', 'stop')]);
    await here.agent.settle();
    assert.deepEqual(here.lines(), STOPPED);
    await here.rests();
  });

  for (const key of ['App/hello', 'Service/hello.web'] as const) {
    it(`stop of ${key}: another one that the lock refuses leaves what is stopped stopped`, async () => {
      await here.ask(key, 'stop');
      await here.agent.settle();
      const stopped = here.lines();
      lock(here.device);
      const id = await here.ask(key, 'stop');
      await here.agent.settle();
      assert.equal(here.handling(key).refused?.stop?.reason, 'Locked');
      await here.agent.store.withdraw(key, 'stop', id);
      await here.agent.relist();
      await here.agent.settle();
      assert.deepEqual(here.lines(), stopped);
    });
  }

  it('start of an app is carried out while one of its services needs the lock', async () => {
    await here.ask('App/hello', 'stop');
    await here.agent.settle();
    const changed = declareApp(
      { web: { depends_on: ['db'], environment: { V: '2' } }, db: { volumes: ['data:/data'] } },
      { volumes: { data: {} } },
    );
    await Promise.all([here.ask('App/hello', 'start'), here.agent.propose([changed, other])]);
    await here.agent.settle();
    assert.deepEqual(here.lines(), ['db_7_1_a running same', 'web_7_1_a running anew', 'x_7_1_a running same']);
    await here.rests();
  });

  it('stop: an equal release renames what is stopped, another configuration starts it', async () => {
    await here.ask('Service/hello.web', 'stop');
    await here.agent.settle();
    const services = { web: { depends_on: ['db'], environment: { V: '1' } }, db: { volumes: ['data:/data'] } };
    const equal = declareApp(services, { volumes: { data: {} }, release: { commit: 'b', id: 2 } });
    await here.agent.propose([equal, other]);
    await here.agent.settle();
    assert.deepEqual(here.lines(), ['db_7_2_b running anew', 'web_7_2_b exited anew', 'x_7_1_a running same']);
    assert.deepEqual([...here.containers().values()].sort(), [...here.ids.values()].sort(), 'renamed only');
    await here.rests();

    const changed = declareApp(
      { ...services, web: { environment: { V: '2' } } },
      { volumes: { data: {} }, release: { commit: 'c', id: 3 } },
    );
    await here.agent.propose([changed, other]);
    await here.agent.settle();
    assert.equal(here.lines()[1], 'web_7_3_c running anew');
  });

  it('stop is over when somebody starts the container, or an app restart comes', async () => {
    await here.ask('Service/hello.web', 'stop');
    await here.agent.settle();
    here.device.engine.docker.startContainer('web_7_1_a');
    await here.agent.relist();
    here.device.engine.docker.stopContainer('web_7_1_a');
    await here.agent.relist();
    await here.agent.settle();
    assert.equal(here.lines()[1], 'web_7_1_a running same');

    await here.ask('Service/hello.web', 'stop');
    await here.agent.settle();
    await here.ask('App/hello', 'restart');
    await here.agent.settle();
    assert.equal(here.lines()[1], 'web_7_1_a running anew');
  });

  it('given together: the later of stop and start counts, and none is left undone', async () => {
    const [stop, start] = await Promise.all([
      here.ask('Service/hello.web', 'stop'),
      here.ask('Service/hello.web', 'start'),
    ]);
    await here.agent.settle();
    assert.deepEqual(here.handling('Service/hello.web').handled, { stop, start });
    assert.equal(here.lines()[1], 'web_7_1_a running same');

    await Promise.all([here.ask('Service/hello.web', 'start'), here.ask('Service/hello.web', 'stop')]);
    await here.agent.settle();
    assert.equal(here.lines()[1], 'web_7_1_a exited same');
  });

  it('that overlap on one app are all carried out', async () => {
    const data = dataOf('1_data');
    const [first, , , second] = await Promise.all([
      here.ask('App/hello', 'restart'),
      here.ask('Service/hello.db', 'restart'),
      here.ask('App/hello', 'purge'),
      here.ask('App/hello', 'restart'),
    ]);
    await here.agent.settle();
    assert.notEqual(first, second);
    assert.equal(here.handling('App/hello').handled?.restart, second);
    assert.equal(here.handling('App/hello').refused, undefined);
    assert.deepEqual(here.lines(), ['db_7_1_a running anew', 'web_7_1_a running anew', 'x_7_1_a running same']);
    assert.notEqual(dataOf('1_data'), data);
    await here.rests();
  });

  describe('while the application holds the update lock', () => {
    const asked: readonly (readonly [Key, RequestName])[] = [
      ['App/hello', 'restart'],
      ['App/hello', 'purge'],
      ['App/hello', 'stop'],
      ['Service/hello.web', 'restart'],
      ['Service/hello.web', 'stop'],
    ];
    for (const [key, name] of asked) {
      it(`${key} ${name} is refused, changes nothing, and does not happen later`, async () => {
        lock(here.device);
        const data = dataOf('1_data');
        await here.ask(key, name);
        await here.agent.settle();
        assert.deepEqual(here.handling(key).refused, {
          [name]: { reason: 'Locked', message: 'Lockfile exists for { appId: 1, service: db }' },
        });
        assert.deepEqual(lockFiles(here.device), ['1/db/updates.lock']);
        rmSync(lockOf(here.device));
        here.device.clock.advance(600_000);
        await here.agent.settle();
        assert.deepEqual(here.containers(), here.ids);
        assert.equal(dataOf('1_data'), data);
        await here.rests();
      });

      it(`${key} ${name} is carried out by force`, async () => {
        lock(here.device);
        const id = await here.ask(key, name, true);
        await here.agent.settle();
        assert.equal(here.handling(key).handled?.[name], id);
        assert.equal(here.handling(key).refused, undefined);
        assert.notEqual(here.lines()[1], 'web_7_1_a running same');
        await here.rests();
      });
    }

    it('a start needs no lock', async () => {
      await here.ask('Service/hello.web', 'stop');
      await here.agent.settle();
      lock(here.device);
      const id = await here.ask('Service/hello.web', 'start');
      await here.agent.settle();
      assert.equal(here.handling('Service/hello.web').handled?.start, id);
      assert.equal(here.lines()[1], 'web_7_1_a running same');
    });

    it('nor does the start of an app', async () => {
      await here.ask('App/hello', 'stop');
      await here.agent.settle();
      lock(here.device);
      const id = await here.ask('App/hello', 'start');
      await here.agent.settle();
      assert.equal(here.handling('App/hello').handled?.start, id);
      assert.deepEqual(here.lines(), RUNNING);
      assert.deepEqual(lockFiles(here.device), ['1/db/updates.lock']);
    });
  });

  it('purge empties volumes that the app no longer declares, with and without a document, and nobody else’s', async () => {
    const { docker } = here.device.engine;
    const labels = { 'io.balena.supervised': 'true', 'io.balena.app-id': '1' };
    docker.createVolume('1_stray', { Labels: labels });
    docker.createVolume('1_foreign', { Labels: {} });
    docker.createVolume('3_stray', { Labels: { ...labels, 'io.balena.app-id': '3' } });
    await here.agent.propose([declareApp({ db: {} }), other]);
    await here.agent.relist();
    await here.agent.settle();
    const before = new Map(docker.volumes.map((one) => [one.name, one]));
    await here.ask('App/hello', 'purge');
    await here.agent.settle();
    const emptied = docker.volumes.filter((one) => before.get(one.name) !== one).map(({ name }) => name);
    assert.deepEqual(emptied.sort(), ['1_data', '1_stray']);
    assert.equal(docker.volumes.length, before.size);
    await here.rests();
  });

  it('cleanup removes volumes that the app no longer declares and that nobody mounts', async () => {
    const { docker } = here.device.engine;
    const labels = { 'io.balena.supervised': 'true', 'io.balena.app-id': '1' };
    docker.createVolume('1_stray', { Labels: labels });
    docker.createVolume('1_foreign', { Labels: {} });
    docker.createVolume('3_stray', { Labels: { ...labels, 'io.balena.app-id': '3' } });
    await here.agent.relist();
    const first = await here.ask('App/hello', 'cleanup');
    await here.agent.settle();
    assert.equal(here.handling('App/hello').handled?.cleanup, first);
    assert.deepEqual(docker.volumes.map(({ name }) => name).sort(), ['1_data', '1_foreign', '2_data', '3_stray']);

    await here.agent.propose([declareApp({ db: {} }), other]);
    await here.agent.settle();
    await here.ask('App/hello', 'cleanup');
    await here.agent.settle();
    assert.deepEqual(docker.volumes.map(({ name }) => name).sort(), ['1_foreign', '2_data', '3_stray']);
    assert.deepEqual(
      here.agent.store.list('Volume').map(({ metadata }) => metadata.name),
      ['other.data'],
    );
    await here.rests();
  });

  it('tell when Docker refuses', async () => {
    const shop = { ports: ['80:80'] };
    const [mine, rival] = [
      declareApp({ shop }, { name: 'third', appId: 3, uuid: 't' }),
      declareApp({ rival: shop }, { name: 'rival', appId: 4, uuid: 'r' }),
    ];
    await here.agent.propose([app, other, mine]);
    await here.agent.settle();
    await here.ask('Service/third.shop', 'stop');
    await here.agent.settle();
    await here.agent.propose([app, other, mine, rival]);
    await here.agent.settle();
    await here.ask('Service/third.shop', 'start');
    await here.agent.quiet();
    const { reason, message = '' } = here.handling('Service/third.shop').refused?.start ?? {};
    assert.equal(reason, 'Failed');
    assert.match(message, /port/);
  });
});
