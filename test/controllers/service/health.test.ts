import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { appState } from '../../../api/http/supervisor/app-state.js';
import { appTrees } from '../../../api/http/supervisor/app-tree.js';
import { applicationState, applicationsState } from '../../../api/http/supervisor/applications-view.js';
import { deviceStatus } from '../../../api/http/supervisor/device-status-view.js';
import { deviceView } from '../../../api/http/supervisor/device-view.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import type { AppService } from '../../../crds/model/types.js';
import { declareApp } from '../../setup/declared.js';
import { type Agent, Device } from '../../simulation/device.js';

const NAME = 'web_7_1_a';

describe('the health of what runs', () => {
  let device: Device;
  let agent: Agent;
  let lines: string[];
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    await boot();
  });
  afterEach(() => device.stop());

  async function boot(): Promise<void> {
    agent = await device.boot();
    lines = [];
    agent.logs.listen((line) => {
      if ('isSystem' in line) lines.push(line.message.replace(/ '(\w+) [^']*'/, ' $1'));
    });
    await agent.quiet();
  }
  const bring = async (fields: Partial<AppService> = {}): Promise<void> => {
    await agent.propose([declareApp({ web: fields })]);
    await agent.settle();
    lines.length = 0;
  };
  const service = () => agent.store.get('Service', 'hello.web') ?? assert.fail();
  const ready = (): readonly (string | undefined)[] =>
    [service(), agent.store.get('App', 'hello') ?? assert.fail()].map((one) => conditionOf(one, 'Ready')?.reason);
  const events = (): readonly string[] =>
    agent.store.events('Service/hello.web').map(({ reason, message, count }) => `${reason} ${count}: ${message}`);
  /** Its process ends, and its restart policy starts it again. */
  async function crash(exitCode = 1): Promise<void> {
    device.engine.docker.exit(NAME, exitCode);
    await agent.quiet();
    device.clock.advance(100);
    device.engine.docker.restartNow(NAME);
    await agent.quiet();
  }
  const setHealth = async (health: 'healthy' | 'unhealthy'): Promise<void> => {
    device.engine.docker.setHealth(NAME, health);
    await agent.quiet();
  };
  const become = async (health: 'healthy' | 'unhealthy'): Promise<void> => {
    await setHealth(health);
    await agent.settle();
  };
  const HEALTHCHECK = { healthcheck: { test: ['CMD', 'false'] } };

  it('restarts a container that is unhealthy as often as its budget allows, and then says that it stays so', async () => {
    await bring({ ...HEALTHCHECK, restart_unhealthy: '2/10m' });
    const { id } = device.engine.docker.container(NAME);
    const restartedFor = (): readonly string[] => events().filter((event) => event.startsWith('Restarting'));

    await become('unhealthy');
    assert.deepEqual(restartedFor(), [
      `Restarting 1: Restarted container ${NAME}: it is unhealthy (restart 1 of 2/10m)`,
    ]);
    assert.equal(device.engine.docker.container(NAME).health, 'starting');
    await become('healthy');
    assert.deepEqual(ready(), ['Settled', 'Settled']);

    device.clock.advance(60_000);
    await become('unhealthy');
    assert.equal(restartedFor().length, 2);
    // Another agent counts on; its events begin again.
    device.kill();
    await boot();
    await become('unhealthy');
    assert.deepEqual(restartedFor(), []);
    assert.deepEqual(ready(), ['Unhealthy', 'ServicesNotHealthy']);
    assert.match(
      conditionOf(service(), 'Ready')?.message ?? '',
      /was restarted 2 times, and is not restarted any more/,
    );
    const { unhealthyRestarts, container } = service().status ?? {};
    assert.deepEqual([unhealthyRestarts?.count, unhealthyRestarts?.exhausted, container?.id], [2, true, id]);
    device.clock.advance(3_600_000);
    await agent.settle();
    assert.deepEqual(ready(), ['Unhealthy', 'ServicesNotHealthy']);

    // Once it was healthy, it is restarted again.
    await become('healthy');
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    await become('unhealthy');
    assert.equal(service().status?.unhealthyRestarts?.count, 3);
    assert.equal(device.engine.docker.container(NAME).health, 'starting');
  });

  it('restarts one whose budget is used up again, once somebody restarted it or declares another budget', async () => {
    await bring({ ...HEALTHCHECK, restart_unhealthy: '1/10m' });
    const restarts = () => service().status?.unhealthyRestarts;
    await become('unhealthy');
    await become('unhealthy');
    assert.deepEqual([restarts()?.count, restarts()?.exhausted], [1, true]);

    device.clock.advance(600_000);
    await device.engine.restartContainer(NAME, new AbortController().signal);
    await agent.settle();
    assert.equal(restarts()?.exhausted, undefined);
    await become('unhealthy');
    assert.equal(restarts()?.count, 2);
    await become('unhealthy');
    assert.deepEqual([restarts()?.count, restarts()?.exhausted], [2, true]);

    await bring({ ...HEALTHCHECK, restart_unhealthy: '3/10m' });
    assert.deepEqual([restarts()?.count, restarts()?.exhausted], [3, undefined]);
  });

  it('restarts no unhealthy container while the application holds its update lock', async () => {
    await bring({ ...HEALTHCHECK, restart_unhealthy: true });
    const lock = join(device.folder, 'locks/1/web/updates.lock');
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, '');
    await setHealth('unhealthy');
    assert.deepEqual(ready(), ['NeedsLock', 'UpdatesLocked']);
    rmSync(lock);
    await agent.settle();
    assert.equal(service().status?.unhealthyRestarts?.count, 1);
  });

  it('is no longer good when a container is restarted after a failure, until it has run for a minute', async () => {
    await bring();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    await crash();
    assert.deepEqual(ready(), ['CrashLoop', 'ServicesNotHealthy']);
    assert.match(conditionOf(service(), 'Ready')?.message ?? '', /^Container web_7_1_a exited with 1 and is restarted/);
    assert.match(
      conditionOf(agent.store.get('App', 'hello') ?? assert.fail(), 'Ready')?.message ?? '',
      /^Service\/hello\.web \(CrashLoop: Container web_7_1_a exited with 1/,
    );
    device.clock.advance(59_000);
    await agent.quiet();
    assert.deepEqual(ready(), ['CrashLoop', 'ServicesNotHealthy']);
    device.clock.advance(1_000);
    await agent.quiet();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    assert.equal(service().status?.restarts, 1);
    assert.deepEqual(events().slice(-3), [
      'Exited 1: Container web_7_1_a exited with 1',
      'CrashLoop 1: Container web_7_1_a exited with 1 and is restarted',
      'Recovered 1: Container web_7_1_a is well again',
    ]);
  });

  it('is bad from the third restart on when each end was a success', async () => {
    await bring();
    for (const want of ['Settled', 'Settled', 'CrashLoop']) {
      await crash(0);
      assert.equal(ready()[0], want);
    }
    assert.equal(service().status?.restarts, 3);
  });

  it('is bad while a healthcheck fails, and the status says since when', async () => {
    await bring(HEALTHCHECK);
    await setHealth('unhealthy');
    assert.deepEqual(ready(), ['Unhealthy', 'ServicesNotHealthy']);
    assert.equal(service().status?.unhealthySince, new Date(device.clock.now()).toISOString());
    assert.deepEqual(lines, ['Service unhealthy web']);
    await setHealth('healthy');
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    assert.deepEqual(
      events()
        .slice(-2)
        .map((event) => event.split(' ')[0]),
      ['Unhealthy', 'Recovered'],
    );
  });

  for (const [what, fields, livesMs] of [
    ['', {}, 70_000],
    [' and is healthy meanwhile', HEALTHCHECK, 70_000],
    [' and is healthy meanwhile', HEALTHCHECK, 20_000],
    ['', {}, 9 * 60_000],
  ] as const) {
    it(`is bad throughout while a container crashes again and again after ${livesMs / 1000} s${what}`, async () => {
      await bring(fields);
      /** What Ready said in the course of a run, and the crash at its end. */
      const run = async (): Promise<readonly string[]> => {
        const output = new Set<string>();
        for (let ms = 0; ms < livesMs; ms += 5_000) {
          device.clock.advance(5_000);
          if ('healthcheck' in fields && ms === 5_000) device.engine.docker.setHealth(NAME, 'healthy');
          await agent.quiet();
          output.add(ready()[0] ?? '');
        }
        await crash();
        return [...output];
      };
      await run();
      await run(); // the first restart may have helped
      for (let runs = 0; runs < 5; runs += 1) assert.deepEqual(await run(), ['CrashLoop']);
      assert.equal(events().filter((event) => event.startsWith('Recovered 1')).length, 1);
      const { longestRunSeconds = 0 } = service().status ?? {};
      assert.ok(Math.abs(longestRunSeconds - livesMs / 1000) <= 1, String(longestRunSeconds));
      device.clock.advance(10 * 60_000);
      await agent.quiet();
      assert.deepEqual(ready(), ['Settled', 'Settled']);
    });
  }

  it('says for how long it has to run, and looks again just then', async () => {
    await bring();
    await crash();
    device.clock.advance(70_000);
    await agent.quiet();
    await crash();
    assert.match(
      conditionOf(service(), 'Ready')?.message ?? '',
      /it is well when it has run for 180 s or is healthy after 14\d s$/,
    );
    await agent.flush();
    device.kill();
    await boot();
    device.clock.advance(179_000);
    await agent.quiet();
    assert.deepEqual(ready(), ['CrashLoop', 'ServicesNotHealthy']);
    device.clock.advance(1_000);
    await agent.quiet();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
  });

  it('is good again when a container that was restarted is healthy', async () => {
    await bring(HEALTHCHECK);
    await crash();
    assert.equal(ready()[0], 'CrashLoop');
    await setHealth('healthy');
    assert.deepEqual(ready(), ['Settled', 'Settled']);
  });

  it('is bad for good when a container has failed and its policy gives up', async () => {
    await bring({ restart: 'on-failure:1' });
    await crash();
    device.engine.docker.exit(NAME, 2);
    await agent.quiet();
    assert.deepEqual(ready(), ['Failed', 'ServicesNotHealthy']);
    assert.match(
      conditionOf(service(), 'Ready')?.message ?? '',
      /exited with 2, and restart: on-failure:1 does not start it again/,
    );
    const { exitCode, lastExit, restarts, runningSince } = service().status ?? {};
    assert.deepEqual([exitCode, lastExit?.exitCode, restarts, runningSince], [2, 2, 1, undefined]);
    await agent.store.request('Service/hello.web', { start: {} });
    await agent.quiet();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
  });

  for (const updateStrategy of ['rolling', 'hand-over'] as const) {
    it(`tells the exits of either container while a ${updateStrategy} update runs two, and none of its own`, async () => {
      const version = (V: string) => ({ updateStrategy, environment: { V }, restart: 'always' }) as const;
      await bring(version('1'));
      await agent.propose([declareApp({ web: version('2') })]);
      await agent.quiet();
      const names = () => device.engine.docker.containers.map(({ name }) => name);
      while (names().length < 2 || service().status?.state !== 'Awaiting handover') {
        device.clock.step();
        await agent.quiet();
      }
      const { container, outgoing } = service().status ?? {};
      const [older = '', younger = ''] = [outgoing?.name, container?.name];
      const reported = (): readonly string[] => [
        ...lines.splice(0).filter((line) => line === 'Service exited web' || line === 'Restarting service web'),
        ...events().filter((event) => event.startsWith('Exited')),
      ];
      reported();
      const crashOf = async (name: string): Promise<void> => {
        device.engine.docker.exit(name, 3);
        await agent.quiet();
        device.clock.advance(100);
        device.engine.docker.restartNow(name);
        await agent.quiet();
      };
      const runs = ['Service exited web', 'Restarting service web'];
      const exitOf = (name: string): string => `Exited 1: Container ${name} exited with 3`;
      await crashOf(older);
      assert.deepEqual(reported(), [...runs, exitOf(older)]);
      assert.equal(service().status?.outgoing?.restarts, 1);
      await crashOf(younger);
      assert.deepEqual(reported(), [...runs, exitOf(older), exitOf(younger)]);
      await agent.store.flush();
      await device.halt();
      device.engine.docker.exit(older, 3);
      device.engine.docker.restartNow(older);
      await boot();
      const missed = `Exited 1: Container ${older} exited`; // with what, nobody knows any more
      assert.deepEqual(reported(), [...runs, missed], 'what happened while no agent ran');
      assert.equal(service().status?.outgoing?.restarts, 2);
      await agent.settle({ limit: 600 }); // the file of a hand-over is looked for five times a second, for a minute
      assert.equal(names().length, 1);
      assert.deepEqual(
        reported().filter((line) => line.startsWith('Exited')),
        [missed],
        'not the end that was asked for',
      );
    });
  }

  it('is good when a one-shot has ended well, or was stopped by us', async () => {
    await bring({ restart: 'no' });
    await agent.store.request('Service/hello.web', { stop: {} });
    await agent.settle();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    assert.equal(service().status?.lastExit?.requested, true);
    await agent.store.request('Service/hello.web', { start: {} });
    await agent.settle();
    device.engine.docker.exit(NAME, 0);
    await agent.quiet();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    assert.match(events().at(-1) ?? '', /^Exited 1: Container web_7_1_a exited with 0$/);
  });

  it('is remembered by the next agent, with what was counted, and nothing is reported twice', async () => {
    await bring();
    await crash();
    const before = service().status;
    await agent.flush();
    device.kill();
    device.clock.advance(20_000);
    await boot();
    assert.deepEqual(ready(), ['CrashLoop', 'ServicesNotHealthy']);
    assert.deepEqual(service().status?.crashLoopSince, before?.crashLoopSince);
    assert.deepEqual(lines, []);
    device.clock.advance(40_000);
    await agent.quiet();
    assert.deepEqual(ready(), ['Settled', 'Settled']);
    assert.equal(service().status?.restarts, 1);
  });

  it('counts what happened while no agent was there', async () => {
    await bring();
    await agent.flush();
    device.kill();
    for (let runs = 0; runs < 4; runs += 1) {
      device.engine.docker.exit(NAME, 1);
      device.clock.advance(100);
      device.engine.docker.restartNow(NAME);
    }
    await boot();
    assert.equal(service().status?.restarts, 4);
    assert.deepEqual(ready(), ['CrashLoop', 'ServicesNotHealthy']);
    assert.deepEqual(
      events().filter((event) => event.startsWith('Exited')),
      ['Exited 4: Container web_7_1_a exited'],
    );
  });

  it('changes nothing at rest: a second pass writes nothing and asks nothing', async () => {
    await bring();
    await crash();
    const { resourceVersion } = agent.store;
    device.engine.forgetCalls();
    for (const loop of agent.loops) loop.resync();
    device.clock.advance(1_000);
    await agent.quiet();
    assert.deepEqual(device.engine.verbs, []);
    assert.equal(agent.store.resourceVersion, resourceVersion);
  });

  it('keeps nobody waiting who only wants it started, nor the release', async () => {
    await bring();
    await crash();
    await agent.propose([declareApp({ web: {}, db: { depends_on: ['web'] } }, { release: { commit: 'b', id: 2 } })]);
    await agent.quiet(); // no time passes in which it could get well
    assert.equal(device.engine.docker.container('db_7_2_b').state, 'running');
    assert.equal(agent.store.get('App', 'hello')?.status?.release?.commit, 'b');
    assert.deepEqual(ready(), ['CrashLoop', 'ServicesNotHealthy']);
  });

  describe('in the compatible API', () => {
    const views = () => {
      const trees = appTrees(agent.store, { type: 'global' });
      const device = { apiPort: 48484, osVersion: '', interfaces: { ip: [], mac: [] } };
      return {
        state: applicationsState(trees),
        app: trees.map(applicationState),
        status: deviceStatus(trees, appState(agent.store)),
        device: deviceView(agent.store, device),
      };
    };

    for (const [what, happens] of Object.entries<() => Promise<void>>({
      'a crash loop': async () => {
        for (let restarts = 0; restarts < 4; restarts += 1) await crash();
      },
      'a container that is unhealthy': () => setHealth('unhealthy'),
    })) {
      it(`${what} changes nothing: applied, the commit, no update flag`, async () => {
        await bring(HEALTHCHECK);
        const before = views();
        await happens();
        assert.equal(ready()[1], 'ServicesNotHealthy');
        assert.deepEqual(views(), before);
      });
    }

    it('only the word for a service follows Docker', async () => {
      await bring({ restart: 'no' });
      const before = JSON.stringify(views());
      device.engine.docker.exit(NAME, 1);
      await agent.quiet();
      assert.equal(ready()[0], 'Failed');
      const word = before.replaceAll('"status":"Running"', '"status":"exited"').replace('"Idle"', '"exited"');
      assert.equal(JSON.stringify(views()), word);
    });
  });

  describe('is told', () => {
    it('of a container that exits at once', async () => {
      device.engine.after = (verb, [id]) => {
        if (verb === 'startContainer') device.engine.docker.exit(String(id), 3);
      };
      await agent.propose([declareApp({ web: { restart: 'no' } })]);
      await agent.settle();
      assert.deepEqual(
        lines.filter((line) => /service/i.test(line)),
        [
          'Installing service web',
          'Installed service web',
          'Starting service web',
          'Started service web',
          'Service exited web',
        ],
      );
      assert.match(events().at(-1) ?? '', /^Exited 1: Container web_7_1_a exited with 3$/);
    });

    it('once for each end and each start', async () => {
      await bring();
      await crash();
      await crash();
      assert.deepEqual(lines, [
        'Service exited web',
        'Restarting service web',
        'Service exited web',
        'Restarting service web',
      ]);
      assert.ok(events().includes('Exited 2: Container web_7_1_a exited with 1'));
    });

    it('once a minute in a loop, and the rest when it is over', async () => {
      await bring();
      for (let crashes = 0; crashes < 40; crashes += 1) {
        await crash();
        device.clock.advance(3_000);
        await agent.quiet();
      }
      const exits = lines.filter((line) => line.startsWith('Service exited'));
      assert.deepEqual(exits.slice(0, 3), Array(3).fill('Service exited web'));
      assert.deepEqual(exits.slice(3), ['Service exited web (20 times)']);
      device.clock.advance(60_000);
      await agent.quiet();
      assert.deepEqual(ready(), ['Settled', 'Settled']);
      assert.equal(lines.filter((line) => line.startsWith('Service exited')).at(-1), 'Service exited web (17 times)');
      assert.ok(events().includes('Exited 40: Container web_7_1_a exited with 1'));
      assert.equal(service().status?.restarts, 40);
    });
  });
});
