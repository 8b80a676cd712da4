import assert from 'node:assert/strict';
import { appState } from '../../../../api/http/supervisor/app-state.js';
import { conditionOf } from '../../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION, keyOf, type Request } from '../../../../crds/model/kinds.js';
import { waitsForItsTime } from '../../../../crds/model/readiness.js';
import { latestFirst } from '../../../../crds/model/revisions.js';
import { saysSuspended } from '../../../../crds/model/suspend.js';
import type { AppSpec } from '../../../../crds/model/types.js';
import { Device } from '../../../simulation/device.js';

type Rollout = AppSpec['rollout'];

const release = (commit: string, rollout: Rollout, more: Partial<AppSpec> = {}): AppSpec => ({
  appId: 1,
  release: { commit, id: 1 },
  rollout,
  services: {
    web: { image: `web:${'abc'.indexOf(commit) + 1}`, imageId: 7, environment: { OF: commit } },
    db: { image: 'db:1', imageId: 8 },
  },
  ...more,
});
/** The clock of the device begins at four minutes past three. */
const NIGHT = { window: { cron: '0 2 * * *', duration: '1h', timeZone: 'UTC' } };
const APPROVAL = { apply: 'approval' } as const;
const REBOOT = { apply: 'reboot' } as const;
const MINUTE_MS = 60_000;

describe('a release that waits for its time', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    for (const name of ['web:1', 'web:2', 'web:3', 'db:1']) device.engine.images.serve(name, { content: name });
    await device.boot();
  });
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const store = () => agent().store;
  const app = () => store().get('App', 'hello') ?? assert.fail('no App');
  const ready = () => conditionOf(app(), 'Ready');
  const output = () => `${ready()?.status} ${ready()?.reason}`;
  const containers = () =>
    device.engine.docker.containers.map(({ id, name, state }) => `${id} ${name} ${state}`).sort();
  const names = () => device.engine.docker.containers.map(({ name }) => name).sort();
  const declare = (of: AppSpec) => {
    const documents: AnyDeclared[] = [{ apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec: of }];
    return agent().propose(documents);
  };
  /** Until nothing is left to do but what waits for its time. */
  const settle = async () => {
    for (let step = 0; step < 300; step += 1) {
      await agent().quiet();
      await agent().flush();
      const one = store().get('App', 'hello');
      const waiting = one && (waitsForItsTime(one) || saysSuspended(one)) ? ['App/hello'] : [];
      if (agent().unsettled(waiting).length === 0) return;
      device.clock.step();
    }
    assert.fail(agent().unsettled().join('; '));
  };
  const bring = async (of: AppSpec) => {
    await declare(of);
    await settle();
  };
  /** Lets time pass, a minute at once. */
  const pass = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await agent().quiet();
      device.clock.advance(MINUTE_MS);
    }
    await settle();
  };
  /** Lets time pass until the next such time of day. */
  const until = async (time: string) => {
    const at = Date.parse(`${new Date(device.clock.now()).toISOString().slice(0, 11)}${time}:00Z`);
    const ms = at - device.clock.now() + (at > device.clock.now() ? 0 : 24 * 60 * MINUTE_MS);
    await pass(Math.ceil(ms / MINUTE_MS));
  };
  /** As `pass`, whatever there is to do then. */
  const minutes = async (count: number) => {
    for (let second = 0; second < count * 60; second += 1) {
      await agent().quiet();
      device.clock.advance(1_000);
    }
    await agent().quiet();
  };
  const commits = () => latestFirst(store().list('Revision')).map(({ spec }) => spec.release?.commit);
  const ask = async (
    name: 'approve' | 'retry' | 'rollback' | 'restart' | 'force' | 'cleanup',
    more: Partial<Request> = {},
  ) => {
    await store().request(keyOf('App', 'hello'), { [name]: more });
    await settle();
  };
  const anotherAgent = async ({ boots = false } = {}) => {
    await agent().flush();
    await device.halt();
    if (boots) device.boots += 1;
    await device.boot();
    await settle();
  };
  const runs = (commit: string): void => assert.deepEqual(names(), [`db_8_1_${commit}`, `web_7_1_${commit}`]);
  const events = (reason: string) =>
    store()
      .events()
      .filter((one) => one.reason === reason)
      .map(({ message }) => message);

  it('is downloaded, and what runs is not touched', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    runs('a');
    const before = containers();
    await bring(release('b', APPROVAL));
    assert.equal(output(), 'False AwaitingApproval');
    assert.equal(app().status?.phase, 'Waiting');
    assert.deepEqual(containers(), before);
    assert.ok(device.engine.images.seen('web:2'));
    assert.equal(app().status?.lock, undefined);
    assert.deepEqual(app().status?.release, { commit: 'a', id: 1 });
    await pass(600);
    await anotherAgent({ boots: true });
    assert.deepEqual([output(), containers()], ['False AwaitingApproval', before]);
  });

  it('goes ahead when it is approved, and the event says by whom', async () => {
    await bring(release('a', APPROVAL));
    assert.deepEqual([output(), names()], ['False AwaitingApproval', []]);
    const { revision } = app().status?.next ?? {};
    await ask('approve', { to: String(revision), by: 'ada@laptop' });
    assert.equal(output(), 'True Settled');
    runs('a');
    assert.equal(app().status?.next, undefined);
    assert.deepEqual(events('Approved'), [`Revision ${revision} goes ahead: approved by ada@laptop`]);
  });

  it('is approved as it is, and as nothing else', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    await bring(release('b', APPROVAL));
    const { revision } = app().status?.next ?? {};
    await bring(release('c', APPROVAL));
    await ask('approve', { to: String(revision) });
    runs('a');
    assert.match(app().status?.refused?.approve?.message ?? '', /declares revision hello\.\w+ by now, and not hello\./);
    await ask('approve', { to: String(app().status?.next?.revision) });
    runs('c');
  });

  it('has to be approved again after another edit, also while its images are on the way', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    device.engine.images.serve('web:2', { content: 'web:2', held: true });
    await declare(release('b', APPROVAL));
    await agent().quiet();
    await store().request(keyOf('App', 'hello'), { approve: {} });
    await agent().quiet();
    assert.equal(app().status?.next?.approved?.by, 'somebody');
    await bring(release('c', APPROVAL));
    device.engine.images.release('web:2');
    await settle();
    assert.equal(output(), 'False AwaitingApproval');
    runs('a');
  });

  it('refuses an approval of nothing', async () => {
    await bring(release('a', NIGHT));
    await ask('approve');
    assert.match(app().status?.refused?.approve?.message ?? '', /^What App hello declares waits for nothing$/);
    assert.equal(output(), 'True Settled');
  });

  it('refuses an approval of what cannot run, which does not count once that is mended', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    const { web, db } = release('b', APPROVAL).services ?? {};
    assert.ok(web && db);
    const more = { volumes: ['spare:/spare'] };
    const of = release('b', APPROVAL, { services: { web: { ...web, ...more }, db } });
    await bring(of);
    assert.equal(output(), 'False InvalidRelease');
    await ask('approve');
    assert.match(app().status?.refused?.approve?.message ?? '', /^Revision hello\.\w+ cannot go ahead: .*spare/);
    assert.deepEqual([app().status?.next?.approved, events('Approved').length], [undefined, 1]);
    await agent().propose([
      { apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec: of },
      {
        apiVersion: API_VERSION,
        kind: 'Volume',
        metadata: { name: 'hello.spare' },
        spec: { app: 'hello', appId: 1, volumeName: 'spare', reclaim: 'Retain' },
      },
    ]);
    await settle();
    assert.equal(output(), 'False AwaitingApproval');
    runs('a');
  });

  it('runs at once where nothing runs, but for an approval', async () => {
    await bring(release('a', NIGHT));
    runs('a');
  });

  it('waits for its window, and says until when', async () => {
    await bring(release('a', NIGHT));
    await until('12:00');
    const before = containers();
    await bring(release('b', NIGHT));
    assert.equal(output(), 'False OutsideWindow');
    assert.match(ready()?.message ?? '', /waits until 2026-\d\d-\d\d 02:00 GMT\+00:00 \(UTC\), when its window opens/);
    const { revision, until: opens } = app().status?.next ?? {};
    assert.match(opens ?? '', /T02:00:00\.000Z$/);
    assert.deepEqual(events('OutsideWindow'), [`Revision ${revision} is on the device and waits until ${opens}`]);
    await until('23:59');
    assert.deepEqual(containers(), before);
    await until('01:59');
    assert.deepEqual([output(), containers()], ['False OutsideWindow', before]);
    await pass(2);
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  it('goes at once in an open window, and follows another window', async () => {
    await bring(release('a', NIGHT));
    await until('12:00');
    await bring(release('b', NIGHT));
    assert.equal(output(), 'False OutsideWindow');
    await bring(release('b', { window: { cron: '0 11 * * *', duration: '2h', timeZone: 'UTC' } }));
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  it('is finished once it is begun, though its window closes and another agent comes', async () => {
    await bring(release('a', NIGHT));
    await until('12:00');
    await bring(release('b', NIGHT));
    await until('01:59');
    let began = false;
    device.engine.before = async (verb) => {
      if (verb === 'stopContainer' && !began) {
        began = true;
        throw new Error('Not now');
      }
    };
    for (let minute = 0; minute < 3 && !began; minute += 1) {
      device.clock.advance(MINUTE_MS / 2);
      await agent().quiet();
    }
    assert.ok(began);
    await device.halt();
    device.clock.advance(5 * 60 * MINUTE_MS);
    await device.boot();
    await settle();
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  it('follows a clock that is set', async () => {
    await bring(release('a', NIGHT));
    await until('12:00');
    await bring(release('b', NIGHT));
    device.clock.set(-365 * 24 * 60 * MINUTE_MS);
    await pass(90);
    assert.equal(output(), 'False OutsideWindow');
    await until('01:50');
    runs('a');
    await pass(60);
    runs('b');
  });

  it('waits for a boot of the device, and not for another agent', async () => {
    await bring(release('a', REBOOT));
    runs('a');
    await bring(release('b', REBOOT));
    const before = containers();
    assert.equal(output(), 'False AwaitingReboot');
    await pass(600);
    await anotherAgent();
    assert.deepEqual([output(), containers()], ['False AwaitingReboot', before]);
    await anotherAgent({ boots: true });
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  it('comes with the next boot also when the power fails as soon as it is seen', async () => {
    await bring(release('a', REBOOT));
    await agent().flush();
    await declare(release('b', REBOOT));
    for (let turn = 0; turn < 10 && !app().status?.next?.reason; turn += 1) {
      await agent().quiet();
      device.clock.step();
    }
    assert.equal(app().status?.next?.bootId, 'boot-1');
    device.kill();
    device.boots += 1;
    await device.boot();
    await settle();
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  it('waits for another boot when the App was suspended at the first', async () => {
    await bring(release('a', REBOOT));
    await bring(release('b', REBOOT));
    await declare(release('b', REBOOT, { suspend: true }));
    await agent().quiet();
    await device.halt();
    device.boots += 1;
    await device.boot();
    await agent().quiet();
    device.clock.advance(600 * MINUTE_MS);
    await agent().quiet();
    assert.equal(output(), 'False Suspended');
    await bring(release('b', REBOOT));
    assert.equal(output(), 'False AwaitingReboot');
    runs('a');
    await anotherAgent({ boots: true });
    runs('b');
  });

  it('waits for another boot when its images came after the first', async () => {
    await bring(release('a', REBOOT));
    device.engine.images.serve('web:2', { content: 'web:2', held: true });
    await declare(release('b', REBOOT));
    await agent().quiet();
    assert.equal(output(), 'False ImagesNotReady');
    await agent().flush();
    device.kill();
    device.boots += 1;
    await device.boot();
    await agent().quiet();
    device.engine.images.release('web:2');
    await settle();
    assert.equal(output(), 'False AwaitingReboot');
    runs('a');
    await anotherAgent({ boots: true });
    runs('b');
  });

  it('is kept as it runs meanwhile: repaired, restarted, and not forced', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    await bring(release('b', APPROVAL));
    const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web'))?.id ?? '';
    device.engine.docker.stopContainer(web);
    device.engine.docker.removeContainer(web);
    await settle();
    runs('a');
    const repaired = containers();
    await ask('restart');
    runs('a');
    assert.notDeepEqual(containers(), repaired);
    const restarted = containers();
    await ask('force');
    assert.deepEqual(containers(), restarted);
    assert.equal(output(), 'False AwaitingApproval');
    assert.equal(app().status?.lock, undefined);
  });

  it('takes no volume from what runs when volumes are cleaned up', async () => {
    const volumes = () => device.engine.docker.volumes.map(({ name }) => name).sort();
    await bring(release('a', APPROVAL, { volumes: { data: {}, old: {} } }));
    await ask('approve');
    await bring(release('b', APPROVAL, { volumes: { data: {} } }));
    await ask('approve');
    await bring(release('c', APPROVAL));
    await ask('cleanup');
    runs('b');
    assert.deepEqual(volumes(), ['1_data']);
    await ask('approve');
    await ask('cleanup');
    assert.deepEqual(volumes(), []);
  });

  it('leaves no image of an edit before, also where it needs no download itself', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    await bring(release('b', APPROVAL));
    assert.ok(device.engine.images.seen('web:2'));
    await bring(release('a', APPROVAL, { services: { web: { image: 'web:1', environment: { OF: 'c' } } } }));
    await pass(10);
    assert.equal(output(), 'False AwaitingApproval');
    assert.deepEqual(
      ['web:1', 'web:2', 'db:1'].filter((name) => device.engine.images.seen(name)),
      ['web:1', 'db:1'],
    );
    runs('a');
  });

  it('waits as a whole: a service that it no longer has, too', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    const { web } = release('a', APPROVAL).services ?? {};
    await bring(release('a', APPROVAL, { services: web ? { web } : {} }));
    runs('a');
    await bring(release('a', APPROVAL, { release: null }));
    runs('a');
    await ask('approve');
    assert.deepEqual(names(), []);
  });

  it('is no new release when it is taken back, or when the App is deleted', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    const before = containers();
    await bring(release('b', APPROVAL));
    await bring(release('a', APPROVAL));
    assert.deepEqual([output(), containers(), app().status?.next], ['True Settled', before, undefined]);
    await bring(release('b', APPROVAL));
    await agent().propose([]);
    await agent().settle();
    assert.deepEqual(names(), []);
  });

  /** Its `web` gives its image up before it downloads the next one, or only stops. */
  const makingRoom = (
    commit: string,
    rollout: Rollout = APPROVAL,
    { strategy = 'delete-then-download', image = '' } = {},
  ): AppSpec => {
    const of = release(commit, rollout);
    const { image: usual = '', ...web } = of.services?.web ?? {};
    const labels = { 'io.balena.update.strategy': strategy };
    return { ...of, services: { ...of.services, web: { ...web, image: image || usual, labels } } };
  };

  it('stops nothing to make room for its images before its time', async () => {
    await bring(makingRoom('a'));
    await ask('approve');
    const before = containers();
    await bring(makingRoom('b'));
    assert.deepEqual([output(), containers()], ['False AwaitingApproval', before]);
    assert.ok(device.engine.images.seen('web:1'));
    assert.equal(device.engine.images.seen('web:2'), undefined);
    await ask('approve');
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  for (const strategy of ['kill-then-download', 'delete-then-download'])
    it(`brings back what made room for another one that is taken back meanwhile, with ${strategy}`, async () => {
      await bring(makingRoom('a', APPROVAL, { strategy }));
      await ask('approve');
      const before = names();
      await bring(makingRoom('b', APPROVAL, { strategy, image: 'web:typo' }));
      await store().request(keyOf('App', 'hello'), { approve: {} });
      await minutes(1);
      assert.deepEqual(names(), ['db_8_1_a'], 'web has made room');
      const { revision } = app().status?.next ?? {};
      assert.equal(app().status?.promoting, revision);
      await declare(makingRoom('c', APPROVAL, { strategy }));
      // Agents that die on the way back, again and again.
      for (let lives = 0; lives < 5; lives += 1) {
        for (let turn = 0; turn < lives; turn += 1) await new Promise((next) => setImmediate(next));
        device.kill();
        await device.boot();
      }
      await minutes(10);
      assert.equal(output(), 'False AwaitingApproval');
      assert.deepEqual([names(), app().status?.lock, app().status?.promoting], [before, undefined, undefined]);
      assert.deepEqual(app().status?.release, { commit: 'a', id: 1 });
      assert.deepEqual(commits(), ['a']);
      await ask('approve');
      assert.equal(output(), 'True Settled');
      runs('c');
    });

  it('goes ahead when what it would interrupt is down for another one, and gone', async () => {
    const local = (commit: string) => makingRoom(commit, NIGHT, { image: `built:${commit}` });
    device.engine.images.add('built:a', { content: 'a' });
    await bring(local('a'));
    await until('12:00');
    await bring(local('b'));
    await until('02:01').catch(() => undefined);
    await minutes(5);
    assert.deepEqual(names(), ['db_8_1_a'], 'web has made room');
    const { id = '' } = device.engine.images.seen('built:a') ?? {};
    for (const tag of device.engine.images.seen(id)?.tags ?? []) device.engine.docker.removeImage(tag);
    assert.equal(device.engine.images.seen(id), undefined);
    await minutes(120);
    await bring(release('c', NIGHT));
    runs('c');
  });

  it('is approved as a whole: what made room for it does not let something else pass', async () => {
    await bring(makingRoom('a'));
    await ask('approve');
    await bring(makingRoom('b', APPROVAL, { image: 'web:typo' }));
    await store().request(keyOf('App', 'hello'), { approve: {} });
    await minutes(1);
    assert.deepEqual(names(), ['db_8_1_a']);
    const more = makingRoom('b', APPROVAL, { image: 'web:typo' });
    const db = { image: 'db:1', imageId: 8, environment: { MORE: '1' } };
    await declare({ ...more, services: { ...more.services, db } });
    await minutes(10);
    assert.equal(output(), 'False AwaitingApproval');
    assert.deepEqual(names(), ['db_8_1_a', 'web_7_1_a'], 'what ran is there again');
  });

  it('is finished by another agent once services have made room for it', async () => {
    await bring(makingRoom('a', NIGHT));
    await until('12:00');
    device.engine.images.serve('web:2', { content: 'web:2', held: true });
    await bring(makingRoom('b', NIGHT));
    await until('01:59');
    await minutes(2);
    assert.deepEqual(names(), ['db_8_1_a']);
    await agent().flush();
    await device.halt();
    device.clock.advance(5 * 60 * MINUTE_MS);
    device.engine.images.release('web:2');
    await device.boot();
    await settle();
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  /** The services of the release are declared, and nobody knows yet whether it is good. */
  const untilPromoted = async (commit: string) => {
    for (let turn = 0; turn < 100; turn += 1) {
      await agent().quiet();
      const [latest] = latestFirst(store().list('Revision'));
      if (latest?.spec.release?.commit === commit) return;
      device.clock.advance(20);
    }
    assert.fail('it is not promoted');
  };
  const outcomes = () =>
    latestFirst(store().list('Revision')).map(({ spec, status }) => `${spec.release?.commit} ${status?.phase}`);

  it('leaves the one before to come to its end, which is what clients see then', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    device.engine.before = async (verb) => {
      if (verb === 'startContainer') throw new Error('Not now');
    };
    await declare(release('b', {}));
    await untilPromoted('b');
    await declare(release('c', APPROVAL));
    await agent().quiet();
    device.engine.before = undefined;
    await settle();
    runs('b');
    assert.equal(output(), 'False AwaitingApproval');
    await pass(1);
    assert.deepEqual(outcomes(), ['b Good', 'a Superseded']);
    assert.deepEqual(app().status?.release, { commit: 'b', id: 1 });
    assert.match(app().status?.images?.web ?? '', /web/);
    assert.equal(events('Released').at(-1), 'Completed release b');
  });

  it('does not keep one that is bad while another waits', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    await declare(release('b', {}));
    await untilPromoted('b');
    await declare(release('c', APPROVAL));
    for (let turn = 0; turn < 50 && !names().includes('web_7_1_b'); turn += 1) {
      await agent().quiet();
      device.clock.advance(20);
    }
    device.engine.docker.setHealth('web_7_1_b', 'unhealthy');
    await settle();
    await pass(1);
    runs('a');
    assert.equal(output(), 'False AwaitingApproval');
    assert.deepEqual(outcomes(), ['a Good', 'b Bad']);
    assert.deepEqual(app().status?.release, { commit: 'a', id: 1 });
    assert.equal(app().status?.rollback, undefined);
    await anotherAgent();
    runs('a');
    await ask('approve');
    assert.equal(output(), 'True Settled');
    runs('c');
  });

  it('does not make a release wait that is gone back to, nor one that is tried again', async () => {
    const failing = 'web:2';
    device.engine.after = (verb, [id]) => {
      const container = device.engine.docker.containers.find((one) => one.id === id);
      if (verb === 'startContainer' && container?.image === device.engine.images.seen(failing)?.id)
        device.engine.docker.setHealth(String(id), 'unhealthy');
    };
    await bring(release('a', APPROVAL));
    await ask('approve');
    await bring(release('b', APPROVAL));
    await ask('approve');
    assert.equal(output(), 'False RolledBack');
    runs('a');
    await ask('approve');
    assert.match(app().status?.refused?.approve?.message ?? '', /is refused .*supercargo retry hello/);
    device.engine.after = undefined;
    await ask('retry', { by: 'ada' });
    assert.equal(output(), 'True Settled');
    runs('b');
    await ask('rollback');
    runs('a');
    assert.deepEqual(
      latestFirst(store().list('Revision')).map(({ spec }) => spec.release?.commit),
      ['a', 'b'],
    );
  });

  it('does not have one tried again that is refused, when that is declared once more', async () => {
    device.engine.after = (verb, [id]) => {
      const container = device.engine.docker.containers.find((one) => one.id === id);
      if (verb === 'startContainer' && container?.image === device.engine.images.seen('web:2')?.id)
        device.engine.docker.setHealth(String(id), 'unhealthy');
    };
    await bring(release('a', NIGHT));
    await until('02:05');
    await bring(release('b', NIGHT));
    assert.deepEqual(outcomes(), ['a Good', 'b Bad']);
    const before = containers();
    await until('12:00');
    await bring(release('c', NIGHT));
    assert.deepEqual([output(), app().status?.rollback], ['False OutsideWindow', undefined]);
    await anotherAgent();
    await bring(release('b', NIGHT));
    assert.equal(output(), 'False RolledBack');
    await until('02:05');
    assert.deepEqual([output(), containers(), outcomes()], ['False RolledBack', before, ['a Good', 'b Bad']]);
    device.engine.after = undefined;
    await until('12:00');
    await bring(release('c', NIGHT));
    await until('02:05');
    runs('c');
    await bring(release('b', NIGHT));
    assert.equal(output(), 'True Settled');
    runs('b');
  });

  it('is an update under way for clients of the compatible API', async () => {
    await bring(release('a', APPROVAL));
    await ask('approve');
    assert.equal(appState(store()), 'applied');
    await bring(release('b', APPROVAL));
    assert.equal(appState(store()), 'applying');
  });

  it('refuses its approval while the App is suspended', async () => {
    await bring(release('a', APPROVAL));
    await bring(release('a', APPROVAL, { suspend: true }));
    await ask('approve');
    assert.match(app().status?.refused?.approve?.message ?? '', /is suspended/);
    assert.deepEqual(names(), []);
  });
});
