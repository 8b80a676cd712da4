import assert from 'node:assert/strict';
import { conditionOf } from '../../../../crds/model/conditions.js';
import { keyOf, type Service } from '../../../../crds/model/kinds.js';
import type { AppService, Schedule } from '../../../../crds/model/types.js';
import { declareApp } from '../../../setup/declared.js';
import { type Agent, Device } from '../../../simulation/device.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The device starts at four minutes past three. */
const EVERY_HOUR: Schedule = { cron: '30 * * * *', timeZone: 'UTC' };

describe('a job', () => {
  let device: Device;
  let agent: Agent;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    await boot();
  });
  afterEach(() => device.stop());

  async function boot(): Promise<void> {
    agent = await device.boot();
    await agent.quiet();
  }
  const declare = async (schedule: Partial<Schedule> = {}, fields: Partial<AppService> = {}): Promise<void> => {
    await agent.propose([declareApp({ backup: { schedule: { ...EVERY_HOUR, ...schedule }, ...fields } })]);
    await agent.settle();
  };
  const service = (): Service => agent.store.get('Service', 'hello.backup') ?? assert.fail();
  const status = (): NonNullable<Service['status']> => service().status ?? assert.fail();
  const ready = (): string =>
    [service(), agent.store.get('App', 'hello') ?? assert.fail()]
      .map((one) => conditionOf(one, 'Ready')?.reason)
      .join(', ');
  /** As in `0330 running`, in the order in which they were made. */
  const runs = (): readonly string[] =>
    device.engine.docker.containers
      .filter(({ name }) => name.startsWith('backup_'))
      .reverse()
      .map(({ name, state }) => `${/T(\d{4})Z/.exec(name)?.[1]} ${state}`);
  const names = (): readonly string[] => device.engine.docker.containers.map(({ name }) => name).reverse();
  const last = (): string => names().at(-1) ?? assert.fail('no container');
  const events = (reason: string): readonly string[] =>
    agent.store.events('Service/hello.backup').flatMap((one) => (one.reason === reason ? [one.message] : []));
  /** Time goes on, and what becomes due is done. */
  async function pass(ms: number): Promise<void> {
    device.clock.advance(ms);
    await agent.settle();
  }
  /** To so many minutes past the hour of the start. */
  const to = (minutes: number): Promise<void> =>
    pass(Date.parse('2026-01-02T03:00:00Z') + minutes * MINUTE_MS - device.clock.now());
  const end = async (exitCode = 0, name = last()): Promise<void> => {
    device.engine.docker.exit(name, exitCode);
    await agent.settle();
  };
  const ask = async (): Promise<void> => {
    await agent.store.request(keyOf('Service', 'hello.backup'), { run: {} });
    await agent.settle();
  };

  it('is ready while it waits for its time, and has no container', async () => {
    await declare();
    assert.deepEqual(runs(), []);
    assert.equal(ready(), 'Settled, Settled');
    assert.equal(status().state, 'exited');
    assert.equal(status().nextRunAt, '2026-01-02T03:30:00.000Z');
    assert.equal(status().lastRun, undefined);
  });

  it('runs at its time in a container of its own, and is ready all the while', async () => {
    await declare();
    await to(30);
    assert.deepEqual(runs(), ['0330 running']);
    assert.equal(ready(), 'Settled, Settled');
    assert.equal(status().state, 'running');
    const { runId, scheduledAt, startedAt, finishedAt } = status().lastRun ?? {};
    assert.match(runId ?? '', /^20260102T0330Z-[0-9a-f]{8}$/);
    assert.deepEqual([scheduledAt, finishedAt], ['2026-01-02T03:30:00.000Z', undefined]);
    assert.ok(startedAt);
    assert.equal(last(), `backup_${runId}`);
    assert.equal(status().nextRunAt, '2026-01-02T04:30:00.000Z');

    await pass(5_000);
    await end();
    assert.deepEqual(runs(), ['0330 exited']);
    assert.equal(status().state, 'exited');
    assert.equal(status().lastRun?.exitCode, 0);
    assert.ok(status().lastRun?.finishedAt);
    assert.equal(events('RunSucceeded').length, 1);
    assert.equal(ready(), 'Settled, Settled');
  });

  it('does nothing at all between its runs', async () => {
    await declare();
    await to(30);
    await end();
    const before = agent.steps.length;
    for (const loop of agent.loops) loop.resync();
    await pass(40 * MINUTE_MS);
    assert.deepEqual(agent.steps.slice(before), []);
  });

  it('says when its last run failed, until one succeeds', async () => {
    await declare();
    await to(30);
    await end(3);
    const failed = (): string | undefined => conditionOf(service(), 'LastRunFailed')?.message;
    assert.match(failed() ?? '', /^Run 20260102T0330Z-\w+ exited with 3 after \d+ s/);
    assert.equal(ready(), 'Settled, Settled');
    assert.equal(events('RunFailed').length, 1);
    await to(90);
    assert.match(failed() ?? '', /exited with 3/, 'it holds while the next run is going on');
    await end(0);
    assert.equal(failed(), undefined);
  });

  it('keeps the containers of its last runs, three that succeeded and one that failed', async () => {
    await declare();
    for (const [hour, exitCode] of [1, 0, 0, 2, 0, 0].entries()) {
      await to(30 + 60 * hour);
      await end(exitCode);
    }
    assert.deepEqual(runs(), ['0530 exited', '0630 exited', '0730 exited', '0830 exited']);
    assert.deepEqual(
      status().runs?.map(({ exitCode }) => exitCode),
      [0, 0, 2, 0],
    );
  });

  it('leaves a run out whose time comes while another one is going on', async () => {
    await declare();
    await to(30);
    await to(90);
    assert.deepEqual(runs(), ['0330 running']);
    assert.equal(status().missed, 1);
    assert.match(events('RunMissed')[0] ?? '', /going on \(concurrencyPolicy: Forbid\)/);
    await end();
    assert.deepEqual(runs(), ['0330 exited'], 'it is not made up for');
    await to(150);
    assert.deepEqual(runs(), ['0330 exited', '0530 running']);
  });

  it('runs beside another one where that is allowed', async () => {
    await declare({ concurrencyPolicy: 'Allow' });
    await to(30);
    await to(90);
    assert.deepEqual(runs(), ['0330 running', '0430 running']);
  });

  it('takes the place of another one where that is said', async () => {
    await declare({ concurrencyPolicy: 'Replace' });
    await to(30);
    await to(90);
    assert.deepEqual(runs(), ['0330 exited', '0430 running']);
    assert.match(events('RunFailed')[0] ?? '', /the agent had stopped it: the next run takes its place/);
    assert.equal(ready(), 'Settled, Settled');
  });

  it('ends a run that takes too long', async () => {
    await declare({ activeDeadlineSeconds: 600 });
    await to(30);
    await to(39);
    assert.deepEqual(runs(), ['0330 running']);
    await to(41);
    assert.deepEqual(runs(), ['0330 exited']);
    assert.match(conditionOf(service(), 'LastRunFailed')?.message ?? '', /longer than activeDeadlineSeconds \(600 s\)/);
  });

  it('makes up for the last of several times that have passed, and counts the others', async () => {
    await declare();
    device.kill();
    device.clock.advance(5 * HOUR_MS);
    await boot();
    await agent.settle();
    assert.deepEqual(runs(), ['0730 running']);
    assert.equal(status().missed, 4);
  });

  it('makes up for none that is later than it may be', async () => {
    await declare({ startingDeadlineSeconds: 60 });
    device.kill();
    device.clock.advance(5 * HOUR_MS);
    await boot();
    await agent.settle();
    assert.deepEqual(runs(), []);
    assert.equal(status().missed, 5);
    assert.equal(events('RunMissed').length, 1);
    assert.equal(status().nextRunAt, '2026-01-02T08:30:00.000Z');
  });

  it('runs no time twice when the clock is set back, and every later one', async () => {
    await declare();
    for (const minutes of [30, 90, 150]) {
      await to(minutes);
      await end();
    }
    device.clock.set(-2 * HOUR_MS);
    for (const loop of agent.loops) loop.resync();
    await agent.settle();
    assert.equal(status().nextRunAt, '2026-01-02T06:30:00.000Z');
    await to(200);
    assert.deepEqual(runs(), ['0330 exited', '0430 exited', '0530 exited']);
    await to(210);
    assert.deepEqual(runs(), ['0330 exited', '0430 exited', '0530 exited', '0630 running']);
  });

  it('goes on at once when a clock that was years ahead is put right', async () => {
    await declare();
    device.clock.set(3 * 365 * DAY_MS);
    for (const loop of agent.loops) loop.resync();
    await agent.settle();
    assert.equal(runs().length, 1, 'the last time that has passed is made up for');
    assert.equal(status().missed, 99);
    await end();
    device.clock.set(-3 * 365 * DAY_MS);
    for (const loop of agent.loops) loop.resync();
    await agent.settle();
    assert.equal(status().nextRunAt, '2026-01-02T03:30:00.000Z');
    await to(30);
    assert.equal(runs().at(-1), '0330 running');
  });

  it('goes on with a run as it began when its definition changes', async () => {
    await declare();
    await to(30);
    await declare({}, { environment: { V: '2' } });
    assert.deepEqual(runs(), ['0330 running']);
    assert.equal(ready(), 'Settled, Settled');
    await end();
    assert.deepEqual(runs(), [], 'what it was made of is not kept');
    await to(90);
    assert.deepEqual(runs(), ['0430 running']);
    assert.ok(device.engine.docker.container(last()).options.Env?.includes('V=2'));
  });

  it('follows another schedule from when it is declared', async () => {
    await declare();
    await to(30);
    await end();
    await declare({ cron: '10 * * * *' });
    assert.deepEqual(runs(), ['0330 exited']);
    assert.equal(status().nextRunAt, '2026-01-02T04:10:00.000Z');
  });

  it('becomes a service, and a service a job', async () => {
    await declare();
    await to(30);
    await agent.propose([declareApp({ backup: {} })]);
    await agent.settle();
    assert.deepEqual(names(), ['backup_7_1_a']);
    await declare();
    assert.deepEqual(names(), []);
    assert.equal(ready(), 'Settled, Settled');
  });

  it('goes with its App, and what runs of it', async () => {
    await declare();
    await to(30);
    await end();
    await to(90);
    await agent.propose([]);
    await agent.settle();
    assert.deepEqual(names(), []);
    assert.equal(agent.store.get('Service', 'hello.backup'), undefined);
  });

  it('is begun by hand', async () => {
    await declare();
    await ask();
    assert.deepEqual(runs(), ['0304 running']);
    assert.equal(status().lastRun?.scheduledAt, undefined);
    assert.equal(status().handled?.run, service().requests.run?.id);
    assert.equal(status().refused, undefined);
    await ask();
    assert.match(status().refused?.run?.message ?? '', /^Run \S+ is going on, and concurrencyPolicy: Forbid/);
    assert.equal(runs().length, 1);
  });

  it('does not begin while it is stopped, and then makes up for the last run', async () => {
    await declare();
    await to(30);
    await agent.store.request(keyOf('Service', 'hello.backup'), { stop: {} });
    await agent.settle();
    assert.deepEqual(runs(), ['0330 exited']);
    await to(150);
    assert.deepEqual(runs(), ['0330 exited']);
    await agent.store.request(keyOf('Service', 'hello.backup'), { start: {} });
    await agent.settle();
    assert.deepEqual(runs(), ['0330 exited', '0530 running']);
    assert.equal(status().missed, 1);
  });

  it('is not restarted: nothing of it keeps running', async () => {
    await declare();
    await agent.store.request(keyOf('Service', 'hello.backup'), { restart: {} });
    await agent.settle();
    assert.match(status().refused?.restart?.message ?? '', /`supercargo run hello\/backup` begins a run/);
    await agent.store.request(keyOf('App', 'hello'), { restart: {} });
    await agent.settle();
    assert.deepEqual(runs(), []);
  });

  it('says that a run has failed whose container somebody removed, once', async () => {
    await declare();
    await to(30);
    await pass(5_000);
    device.engine.docker.stopContainer(last(), 137);
    device.engine.docker.removeContainer(last());
    await agent.settle();
    const { startedAt, finishedAt, exitCode, failed, because } = status().lastRun ?? {};
    assert.deepEqual([exitCode, failed, because], [undefined, true, 'its container was removed']);
    assert.ok(startedAt && finishedAt);
    const [said, ...more] = events('RunFailed');
    assert.match(said ?? '', /^Run \S+ ended after \d+ s without an exit code: its container was removed$/);
    assert.equal(conditionOf(service(), 'LastRunFailed')?.message, said);
    const before = agent.steps.length;
    for (const loop of agent.loops) loop.resync();
    await agent.settle();
    assert.deepEqual([agent.steps.slice(before), more, ready()], [[], [], 'Settled, Settled']);
    await to(90);
    await end();
    assert.equal(conditionOf(service(), 'LastRunFailed')?.status, undefined);
  });

  it('says that a run has failed that a purge ended', async () => {
    const job = { schedule: EVERY_HOUR, volumes: ['data:/data'] };
    await agent.propose([declareApp({ backup: job }, { volumes: { data: {} } })]);
    await agent.settle();
    await to(30);
    await agent.store.request(keyOf('App', 'hello'), { purge: {} });
    await agent.settle();
    assert.deepEqual([status().lastRun?.failed, status().lastRun?.because], [true, 'purge of the app requested']);
    assert.equal(events('RunFailed').length, 1);
  });

  it('lets go of volumes that a purge empties', async () => {
    const volumes = { volumes: { data: {} } };
    const job = { schedule: EVERY_HOUR, volumes: ['data:/data'] };
    await agent.propose([declareApp({ backup: job }, volumes)]);
    await agent.settle();
    await to(30);
    await end();
    await to(90);
    await agent.store.request(keyOf('App', 'hello'), { purge: {} });
    await agent.settle();
    assert.deepEqual(runs(), []);
    assert.equal(ready(), 'Settled, Settled');
  });

  it('is held by a suspended App', async () => {
    await declare();
    await agent.propose([declareApp({ backup: { schedule: EVERY_HOUR } }, { suspend: true })]);
    device.clock.advance(2 * HOUR_MS);
    await agent.quiet();
    assert.deepEqual(runs(), []);
    await declare();
    assert.deepEqual(runs(), ['0430 running']);
  });

  it('fails when the engine can never begin a run, and begins the next', async () => {
    await declare({}, { runtime: 'none-such' });
    await to(30);
    assert.deepEqual(runs(), []);
    assert.match(conditionOf(service(), 'LastRunFailed')?.message ?? '', /^Run \S+ could not begin: .*none-such/);
    assert.equal(ready(), 'Settled, Settled');
    await declare();
    await to(90);
    assert.deepEqual(runs(), ['0430 running']);
  });

  it('waits for what it depends on, and not longer than it may be late', async () => {
    const db = { healthcheck: { test: ['CMD', 'true'] } };
    const depends_on = { db: { condition: 'service_healthy' as const } };
    const schedule = { ...EVERY_HOUR, startingDeadlineSeconds: 300 };
    await agent.propose([declareApp({ db, backup: { schedule, depends_on } }, { rollout: { onFailure: 'hold' } })]);
    await agent.settle({ waiting: ['App/hello'] });
    device.engine.docker.setHealth('db_7_1_a', 'unhealthy');
    const pass = async (minutes: number): Promise<void> => {
      device.clock.advance(Date.parse('2026-01-02T03:00:00Z') + minutes * MINUTE_MS - device.clock.now());
      await agent.quiet();
    };
    await pass(31);
    assert.equal(conditionOf(service(), 'Ready')?.reason, 'DependencyNotReady');
    await pass(37);
    assert.equal(status().missed, 1);
    device.engine.docker.setHealth('db_7_1_a', 'healthy');
    await agent.quiet();
    assert.deepEqual(runs(), []);
    await pass(90);
    assert.deepEqual(runs(), ['0430 running']);
  });

  it('keeps no release from being good while a run waits for what it depends on', async () => {
    const rollout = { progressDeadlineSeconds: 60, minReadySeconds: 1 };
    await agent.propose([declareApp({ web: {} }, { rollout })]);
    await agent.settle();
    await pass(2_000);
    const depends_on = { migrate: { condition: 'service_completed_successfully' as const } };
    const backup = { schedule: EVERY_HOUR, depends_on };
    const services = { web: {}, migrate: { restart: 'no' }, backup };
    await agent.propose([declareApp(services, { rollout, release: { commit: 'b', id: 2 } })]);
    await agent.quiet();
    await agent.store.request(keyOf('Service', 'hello.backup'), { run: {} });
    await agent.quiet();
    assert.equal(conditionOf(service(), 'Ready')?.reason, 'DependencyNotReady');
    for (let past = 0; past < 90; past += 10) {
      device.clock.advance(10_000);
      await agent.quiet();
    }
    assert.ok(agent.store.get('Service', 'hello.backup'), 'the release was taken back');
    assert.equal(conditionOf(agent.store.get('App', 'hello') ?? assert.fail(), 'RolledBack'), undefined);
    const migrate = names().find((name) => name.startsWith('migrate')) ?? assert.fail();
    device.engine.docker.exit(migrate, 0);
    await agent.settle();
    assert.equal(runs().length, 1);
  });

  it('runs each time once, whenever the agent dies and whatever it forgets', async () => {
    await declare();
    const dying = async (minutes: number): Promise<void> => {
      device.clock.advance(Date.parse('2026-01-02T03:00:00Z') + minutes * MINUTE_MS - device.clock.now());
      await agent.quiet();
      device.kill(); // nothing of what the status says now is on disk
      await boot();
      await agent.settle();
    };
    await dying(30);
    assert.deepEqual(runs(), ['0330 running']);
    await end();
    await dying(90);
    assert.deepEqual(runs(), ['0330 exited', '0430 running']);
    assert.equal(status().missed, undefined);
    await end();
    // Without a history its container goes at once, and only the status knows of it.
    await declare({ successfulRunsHistoryLimit: 0 });
    await to(150);
    device.engine.docker.exit(last(), 0);
    await agent.quiet();
    device.kill();
    await boot();
    await agent.settle();
    assert.deepEqual(runs(), []);
    assert.equal(status().lastRun?.scheduledAt, '2026-01-02T05:30:00.000Z');
  });
});
