import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appState } from '../../../../api/http/supervisor/app-state.js';
import { isKeptName } from '../../../../controllers/image/kept-names.js';
import { conditionOf, isReady, isSettled } from '../../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION, keyOf } from '../../../../crds/model/kinds.js';
import { latestFirst } from '../../../../crds/model/revisions.js';
import type { AppSpec } from '../../../../crds/model/types.js';
import { Device, type DeviceSettings } from '../../../simulation/device.js';
import { noFaults } from '../../../simulation/fault-plan.js';

const release = (commit: string, image: string, more: Partial<AppSpec> = {}): AppSpec => ({
  appId: 1,
  release: { commit, id: 1 },
  services: {
    web: { image, imageId: 7, environment: { SECRET: 'hushhush', OF: commit }, volumes: ['data:/data'] },
    db: { image: 'db:1', imageId: 8 },
  },
  volumes: { data: {} },
  ...more,
});
const GOOD = release('a', 'web:1');
const BAD = release('b', 'web:2');
/** Its `web` gives its image up before it downloads the next one. */
const deletingFirst = (of: AppSpec): AppSpec => {
  const labels = { 'io.balena.update.strategy': 'delete-then-download' };
  return { ...of, services: { ...of.services, web: { image: 'web:1', ...of.services?.web, labels } } };
};

describe('a bad release', () => {
  let device: Device;
  /** Images whose containers never work. */
  const failing = new Set<string>();
  /** Images whose healthchecks never say anything. */
  const starting = new Set<string>();
  const start = async (settings: DeviceSettings = {}) => {
    device = new Device(settings);
    for (const name of ['web:1', 'web:2', 'web:3', 'db:1']) device.engine.images.serve(name, { content: name });
    failing.clear();
    starting.clear();
    device.engine.after = (verb, [id]) => {
      if (verb !== 'startContainer') return;
      const container = device.engine.docker.containers.find((one) => one.id === id);
      const isOneOf = (images: ReadonlySet<string>) =>
        [...images].some((name) => device.engine.images.seen(name)?.id === container?.image);
      if (isOneOf(failing)) device.engine.docker.setHealth(String(id), 'unhealthy');
      if (isOneOf(starting)) device.engine.docker.setHealth(String(id), 'starting');
    };
    await device.boot();
  };
  beforeEach(() => start());
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const store = () => agent().store;
  const declare = (of: AppSpec, origin: 'files' | 'local' = 'files') => {
    const documents: AnyDeclared[] = [{ apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec: of }];
    return agent().propose(documents, origin);
  };
  const bring = async (of: AppSpec, origin: 'files' | 'local' = 'files') => {
    await declare(of, origin);
    await agent().settle();
  };
  const app = () => store().get('App', 'hello') ?? assert.fail('no App');
  const condition = (type: string) => conditionOf(app(), type);
  const output = () => `${condition('Ready')?.status} ${condition('Ready')?.reason}`;
  const containers = () =>
    device.engine.docker.containers.map(({ id, name, state }) => `${id} ${name} ${state}`).sort();
  const names = () => device.engine.docker.containers.map(({ name }) => name).sort();
  const outcomes = () =>
    latestFirst(store().list('Revision')).map(
      ({ spec, status }) => `${spec.number} ${spec.release?.commit} ${status?.phase}`,
    );
  const reboot = async () => {
    await agent().flush();
    await device.halt();
    await device.boot();
    await agent().settle();
  };
  /** Lets time pass, second by second, whatever is settled. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      await agent().quiet();
      device.clock.advance(1_000);
    }
    await agent().quiet();
  };
  /** As long as the agent runs for so many seconds, and the device is off for so many after that. */
  const restart = async (seconds: number, off: number) => {
    await pass(seconds);
    await agent().flush();
    await device.halt();
    device.clock.advance(off * 1_000);
    await device.boot();
  };
  const rolledBack = () => {
    assert.deepEqual(names(), ['db_8_1_a', 'web_7_1_a']);
    assert.equal(output(), 'False RolledBack');
    assert.equal(condition('Stalled')?.reason, 'RolledBack');
    assert.equal(condition('Available')?.status, 'True');
    assert.deepEqual(app().status?.release, { commit: 'a', id: 1 });
  };

  /** Does that once the web service of that release is started. */
  const whenStarted = (commit: string, act: () => void) => {
    const { after: before } = device.engine;
    device.engine.after = (verb, args) => {
      before?.(verb, args);
      const started = device.engine.docker.containers.find(({ id }) => id === args[0]);
      if (verb === 'startContainer' && started?.name === `web_7_1_${commit}`) act();
    };
  };
  /** Nothing is called or written when everything is looked at again. */
  const rests = async () => {
    const from = agent().steps.length;
    for (const loop of agent().loops) loop.resync();
    await agent().settle();
    assert.deepEqual(agent().steps.slice(from), []);
  };

  it('is verified before the App is Ready, which the compatible API does not know', async () => {
    await declare(GOOD);
    for (let turn = 0; turn < 8; turn += 1) {
      await agent().quiet();
      device.clock.advance(50);
    }
    assert.deepEqual([output(), app().status?.phase], ['False Verifying', 'Verifying']);
    assert.deepEqual([isSettled(app()), isReady(app()), appState(store())], [true, false, 'applied']);
    assert.deepEqual(app().status?.release, { commit: 'a', id: 1 });
    await agent().settle();
    assert.deepEqual([output(), app().status?.phase], ['True Settled', 'Settled']);
  });

  it('goes, and the one before comes back: whole, and only what changed', async () => {
    await bring(GOOD);
    const db = () =>
      containers()
        .find((one) => one.includes(' db_'))
        ?.split(' ')[0];
    const before = db();
    const volume = device.engine.docker.volume('1_data');
    failing.add('web:2');
    await bring(BAD);
    rolledBack();
    assert.equal(db(), before);
    assert.deepEqual(device.engine.docker.volume('1_data'), volume);
    const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web'));
    assert.ok(web?.options.Env?.includes('OF=a'));
    assert.deepEqual(outcomes(), ['3 a Good', '2 b Bad']);
    assert.match(
      condition('Ready')?.message ?? '',
      /^Revision hello\.\w+ is refused \(web: .*unhealthy.*\), and hello\.\w+ runs again; volumes keep their data\. /,
    );
    assert.equal(appState(store()), 'applied');
  });

  const idOf = (prefix: string): string =>
    device.engine.docker.containers.find(({ name }) => name.startsWith(prefix))?.id ?? assert.fail(prefix);
  const labelled = (strategy: string, commit: string, web: string, db: string): AppSpec => {
    const of = release(commit, web);
    return {
      ...of,
      services: {
        web: { ...of.services?.web, image: web, labels: { 'io.balena.update.strategy': strategy } },
        db: { image: db, imageId: 8 },
      },
    };
  };

  it('is not made of a service that was ill before, and that the last good one has alike', async () => {
    await bring(GOOD);
    await bring(release('a2', 'web:2'));
    device.engine.docker.setHealth(idOf('db'), 'unhealthy');
    await agent().settle();
    assert.equal(output(), 'False ServicesNotHealthy');
    await bring(release('c', 'web:3'));
    assert.deepEqual(outcomes(), ['3 c Good', '2 a2 Superseded', '1 a Superseded']);
    const [latest] = latestFirst(store().list('Revision'));
    assert.match(latest?.status?.message ?? '', /, but for db, which was not before either$/);
    // What it changes itself is looked at as ever.
    failing.add('web:2');
    await bring(BAD);
    assert.deepEqual(outcomes().slice(0, 2), ['5 c Good', '4 b Bad']);
  });

  it('is not made of a service that was ill before, when the clock was set back in between', async () => {
    await bring(GOOD);
    device.engine.docker.setHealth(idOf('db'), 'unhealthy');
    await agent().settle();
    device.clock.set(-8 * 60 * 60_000);
    await bring(release('c', 'web:3'));
    assert.deepEqual(outcomes(), ['2 c Good', '1 a Superseded']);
  });

  it('is made of what an edit before it broke, which was no better', async () => {
    await bring(GOOD);
    failing.add('web:2');
    const broken = release('b', 'web:2');
    await declare(broken);
    await agent().quiet();
    await bring({
      ...broken,
      services: { ...broken.services, db: { image: 'db:1', imageId: 9, environment: { A: '1' } } },
    });
    assert.equal(output(), 'False RolledBack');
    assert.match(outcomes().join(), /^\d a Good/);
  });

  it('does not end the way back of services that make room first', async () => {
    device.engine.images.serve('db:2', { content: 'db:2' });
    await bring(labelled('delete-then-download', 'a', 'web:1', 'db:1'));
    failing.add('db:2');
    await bring(labelled('delete-then-download', 'b', 'web:2', 'db:2'));
    rolledBack();
    assert.deepEqual(outcomes(), ['3 a Good', '2 b Bad']);
  });

  it('is not made of a service whose turn has not come, while another one makes room', async () => {
    device.engine.images.serve('db:2', { content: 'db:2' });
    await bring(labelled('kill-then-download', 'a', 'web:1', 'db:1'));
    device.engine.docker.setHealth(idOf('db'), 'unhealthy');
    await agent().settle();
    await bring(labelled('kill-then-download', 'b', 'web:2', 'db:2'));
    assert.equal(output(), 'True Settled');
    assert.deepEqual(outcomes(), ['2 b Good', '1 a Superseded']);
  });

  it('tells what its container printed last, and no secrets', async () => {
    await bring(GOOD);
    failing.add('web:2');
    const { after } = device.engine;
    device.engine.after = (verb, args) => {
      if (verb === 'startContainer') device.engine.docker.print(String(args[0]), 'cannot open the door with hushhush');
      return after?.(verb, args);
    };
    await bring(BAD);
    assert.match(condition('Ready')?.message ?? '', /It printed last: cannot open the door with \*\*\*$/);
    const reported = [
      store()
        .list('Revision')
        .map(({ status }) => status),
      app().status,
      store().events(),
    ];
    assert.ok(!JSON.stringify(reported).includes('hush'));
  });

  it('is not tried again: not by its source, not by another agent, not when it is declared once more', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    failing.clear();
    const before = containers();
    await reboot();
    rolledBack();
    await bring(BAD);
    await bring({ ...BAD, revisionHistoryLimit: 3 });
    rolledBack();
    const [last, first] = Object.entries(BAD.services ?? {});
    await bring({ ...BAD, services: Object.fromEntries([first, last].filter((one) => one !== undefined)) });
    rolledBack();
    assert.deepEqual(containers(), before);
    const { resourceVersion } = store();
    for (const loop of agent().loops) loop.resync();
    await agent().settle();
    assert.equal(store().resourceVersion, resourceVersion, 'a settled device writes nothing');
  });

  it('is not started again after a power failure on the way back, not even where the way back makes room first', async () => {
    await bring(deletingFirst(GOOD));
    failing.add('web:2');
    await declare(deletingFirst(BAD));
    const isBack = () => app().status?.rollback !== undefined;
    let killed = false;
    device.observer = {
      afterStep: (what) => {
        if (killed || device.agent === undefined || !what.includes('stopContainer') || !isBack()) return;
        killed = true;
        device.kill();
      },
    };
    for (let turn = 0; turn < 200 && !killed; turn += 1) {
      await agent().quiet();
      if (!killed) device.clock.advance(50);
    }
    assert.ok(killed);
    await device.boot();
    await agent().settle();
    rolledBack();
    assert.deepEqual(outcomes(), ['3 a Good', '2 b Bad']);
  });

  it('is forgotten when its source goes back to the one before, and tried when it comes again', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const before = containers();
    await bring(GOOD);
    assert.deepEqual([output(), app().status?.rollback], ['True Settled', undefined]);
    assert.deepEqual(containers(), before);
    failing.clear();
    await bring(BAD);
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  /** A release whose download never ends. */
  const NEVER = release('c', 'web:never');
  const neverDownloads = async (of: AppSpec = NEVER) => {
    device.engine.images.serve('web:never', { content: 'never', held: true });
    await declare(of);
    await pass(5);
    assert.equal(output(), 'False ImagesNotReady');
  };

  it('is not tried again after one whose download never ends, but when somebody asks for that', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const [before, refused] = [containers(), app().status?.rollback];
    await neverDownloads();
    assert.deepEqual([app().status?.rollback, app().status?.quarantine], [undefined, refused]);
    await neverDownloads(release('d', 'web:never'));
    failing.clear();
    await bring(BAD);
    rolledBack();
    assert.deepEqual([containers(), outcomes()], [before, ['3 a Good', '2 b Bad']]);
    assert.deepEqual([app().status?.rollback, app().status?.quarantine], [refused, undefined]);
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  it('is not tried again when the engine is away just when another one takes its place', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const before = containers();
    device.engine.images.serve('web:never', { content: 'never', held: true });
    device.engine.goAway();
    await pass(2);
    await declare(NEVER);
    await pass(5);
    device.engine.comeBack();
    await pass(60);
    assert.equal(output(), 'False ImagesNotReady');
    failing.clear();
    await bring(BAD);
    rolledBack();
    assert.deepEqual([containers(), outcomes()], [before, ['3 a Good', '2 b Bad']]);
  });

  it('is not tried again when the agent dies anywhere while another one takes its place', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const before = containers();
    device.engine.images.serve('web:never', { content: 'never', held: true });
    failing.clear();
    for (let fatal = 0, survived = false; !survived; fatal += 1) {
      let steps = 0;
      device.faultPlan = () =>
        steps++ === Math.floor(fatal / 2) ? (fatal % 2 ? 'kill-after' : 'kill-before') : 'none';
      await declare(NEVER);
      await pass(2);
      await agent().flush();
      survived = !agent().isDead;
      device.faultPlan = noFaults;
      if (!survived) {
        device.kill();
        await device.boot();
      }
      await bring(BAD);
      rolledBack();
      assert.deepEqual([containers(), outcomes()], [before, ['3 a Good', '2 b Bad']], `killed at step ${fatal}`);
    }
  });

  it('is not brought back by another one whose download never ends, where somebody went back by hand', async () => {
    await bring(GOOD);
    await bring(BAD);
    await store().request(keyOf('App', 'hello'), { rollback: {} });
    await agent().settle();
    await neverDownloads();
    await bring(BAD);
    rolledBack();
    assert.equal(app().status?.rollback?.reason, 'ByHand');
  });

  it('is tried again after another one that was promoted, whatever came of that', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    await declare(release('c', 'web:3'));
    for (let turn = 0; turn < 100 && !outcomes()[0]?.startsWith('4 c'); turn += 1) {
      await agent().quiet();
      device.clock.advance(20);
    }
    assert.deepEqual(outcomes(), ['4 c Candidate', '3 a Good', '2 b Bad']);
    failing.clear();
    await bring(BAD);
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  it('is followed by another one, good or bad', async () => {
    await bring(GOOD);
    failing.add('web:2').add('web:3');
    await bring(BAD);
    await bring(release('c', 'web:3'));
    rolledBack();
    failing.clear();
    await bring(release('d', 'web:3'));
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_d', 'web_7_1_d']]);
  });

  it('is not tried again by another origin, which has to wait until the first one gives it up', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const [before, refused] = [containers(), app().status?.rollback];
    await bring(BAD, 'local');
    assert.match(store().problems()[0]?.message ?? '', /App\/hello belongs to files; local cannot declare it/);
    rolledBack();
    assert.deepEqual([containers(), app().status?.rollback], [before, refused]);
  });

  it('is tried by another source that takes the App over: that is another App, with the data of this one', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const { uid } = app().metadata;
    const takeOver = () =>
      store().propose({
        origin: 'git/fleet',
        documents: [{ document: { apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec: BAD } }],
      });
    const { refused } = await takeOver();
    assert.match(refused[0]?.message ?? '', /App\/hello belongs to files; git\/fleet cannot declare it/);
    rolledBack();
    failing.clear();
    await agent().propose([]);
    await agent().settle();
    assert.deepEqual([names(), store().get('App', 'hello')], [[], undefined]);
    await takeOver();
    await agent().settle();
    assert.notEqual(app().metadata.uid, uid);
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
    assert.deepEqual(outcomes(), ['1 b Good']);
    assert.ok(!agent().steps.includes('removeVolume'));
  });

  it('is the last of 1,000 edits in a minute, of which it alone is looked at', async function () {
    this.timeout(60_000);
    await bring(GOOD);
    failing.add('web:2');
    const from = agent().steps.length;
    for (let edit = 0; edit < 1_000; edit += 1) {
      await declare(release('b', 'web:2', { services: { web: { image: 'web:2', environment: { EDIT: `${edit}` } } } }));
      device.clock.advance(60);
      if (edit % 200 === 0) await agent().quiet();
    }
    await declare(BAD);
    await agent().settle();
    rolledBack();
    const history = latestFirst(store().list('Revision'));
    assert.ok(history.length <= 7, `${history.length} revisions`);
    const undecided = history.filter(({ status }) => !['Good', 'Bad', 'Superseded'].includes(status?.phase ?? ''));
    assert.deepEqual(undecided, []);
    assert.deepEqual(
      app().status?.rollback?.from,
      history.find(({ status }) => status?.phase === 'Bad')?.metadata.name,
    );
    const pulls = agent()
      .steps.slice(from)
      .filter((step) => step === 'pullImage');
    assert.equal(pulls.length, 1, 'its image is the same in all of them');
  });

  it('goes, and the one before runs with an empty volume where that was purged since', async () => {
    await bring(GOOD);
    starting.add('web:2');
    await declare(BAD);
    await pass(5);
    const before = device.engine.docker.volume('1_data');
    await store().request(keyOf('App', 'hello'), { purge: {} });
    await pass(5);
    assert.equal(app().status?.handled?.purge, app().requests.purge?.id);
    const web = device.engine.docker.containers.find(({ name }) => name === 'web_7_1_b');
    device.engine.docker.setHealth(web?.id ?? '', 'unhealthy');
    await agent().settle();
    rolledBack();
    assert.deepEqual(
      device.engine.docker.volumes.map(({ name }) => name),
      ['1_data'],
    );
    assert.notEqual(device.engine.docker.volume('1_data'), before, 'it is another one');
  });

  it('is not tried again after another bad one, but when somebody asks for that', async () => {
    await bring(GOOD);
    failing.add('web:2').add('web:3');
    await bring(BAD);
    await bring(release('c', 'web:3'));
    rolledBack();
    assert.deepEqual(outcomes(), ['5 a Good', '4 c Bad', '2 b Bad']);
    await bring(BAD);
    rolledBack();
    assert.deepEqual(outcomes(), ['5 a Good', '4 c Bad', '2 b Bad']);
    assert.equal(
      app().status?.rollback?.from,
      store()
        .list('Revision')
        .find(({ spec }) => spec.number === 2)?.metadata.name,
    );
    assert.match(condition('Ready')?.message ?? '', /is refused \(web: Container web_7_1_b is unhealthy/);
    await reboot();
    rolledBack();
    failing.clear();
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  it('is tried after another bad one where both are asked for at once', async () => {
    await bring(GOOD);
    failing.add('web:2').add('web:3');
    await bring(BAD);
    await bring(release('c', 'web:3'));
    failing.clear();
    await declare(BAD);
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  it('is tried again when somebody asks for that', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    rolledBack();
    assert.deepEqual(outcomes().slice(0, 2), ['5 a Good', '4 b Bad']);
    failing.clear();
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    assert.match(app().status?.refused?.retry?.message ?? '', /nothing to try again/);
  });

  it('stays where the App says hold, and as a posted target state', async () => {
    await bring({ ...GOOD, rollout: { onFailure: 'hold' } });
    failing.add('web:2');
    await bring({ ...BAD, rollout: { onFailure: 'hold' } });
    assert.deepEqual([output(), names()], ['False ServicesNotHealthy', ['db_8_1_b', 'web_7_1_b']]);
    assert.deepEqual(outcomes(), ['2 b Bad', '1 a Good']);
  });

  it('stays as a posted target state, but for a label that says otherwise', async () => {
    await bring(GOOD, 'local');
    failing.add('web:2');
    await bring(BAD, 'local');
    assert.deepEqual([output(), names()], ['False ServicesNotHealthy', ['db_8_1_b', 'web_7_1_b']]);
    const { web, db } = BAD.services ?? {};
    const labels = { 'io.supercargo.rollout.on-failure': 'rollback' };
    await bring(
      { ...BAD, services: { web: { image: 'web:2', ...web }, db: { image: 'db:1', ...db, labels } } },
      'local',
    );
    rolledBack();
  });

  it('stays when there is nothing to go back to, and is good once it is well', async () => {
    failing.add('web:2');
    await bring(BAD);
    assert.equal(output(), 'False ServicesNotHealthy');
    assert.deepEqual(outcomes(), ['1 b Bad']);
    const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web'));
    device.engine.docker.setHealth(web?.id ?? '', 'healthy');
    await pass(20);
    assert.deepEqual(outcomes(), ['1 b Good']);
    assert.equal(output(), 'True Settled');
  });

  it('stays, and is good once it is well, with a service that does not restart and goes on', async () => {
    failing.add('web:2');
    await bring({ ...BAD, services: { ...BAD.services, db: { image: 'db:1', restart: 'no' } } });
    assert.deepEqual(outcomes(), ['1 b Bad']);
    const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web'));
    device.engine.docker.setHealth(web?.id ?? '', 'healthy');
    await pass(620);
    assert.deepEqual(outcomes(), ['1 b Good']);
    assert.equal(output(), 'True Settled');
  });

  it('stays when nothing ran before it, which somebody may go back to by hand', async () => {
    await bring({ ...GOOD, services: {} });
    failing.add('web:2');
    await bring(BAD);
    assert.deepEqual([output(), names()], ['False ServicesNotHealthy', ['db_8_1_b', 'web_7_1_b']]);
    assert.deepEqual(outcomes(), ['2 b Bad', '1 a Good']);
    await store().request(keyOf('App', 'hello'), { rollback: {} });
    await agent().settle();
    assert.deepEqual([output(), names()], ['False RolledBack', []]);
    assert.match(condition('Available')?.message ?? '', /has no services, so that nothing runs$/);
  });

  it('goes once the application lets it', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await declare(BAD);
    for (let turn = 0; turn < 4 && !names().includes('web_7_1_b'); turn += 1) {
      await agent().quiet();
      device.clock.advance(50);
    }
    const lock = join(device.folder, 'locks/1/web/updates.lock');
    await mkdir(dirname(lock), { recursive: true });
    await writeFile(lock, 'mine');
    for (let turn = 0; turn < 20; turn += 1) {
      await agent().quiet();
      device.clock.advance(1_000);
    }
    if (names().includes('web_7_1_b')) assert.equal(condition('Ready')?.reason, 'UpdatesLocked');
    await rm(lock, { force: true });
    await agent().settle();
    rolledBack();
  });

  it('says so when the one before is not well either, and stays there', async () => {
    await bring(GOOD);
    failing.add('web:2').add('web:1');
    await bring(BAD);
    assert.deepEqual(names(), ['db_8_1_a', 'web_7_1_a']);
    assert.equal(output(), 'False RollbackFailed');
    assert.equal(condition('Available')?.status, 'False');
    await reboot();
    assert.deepEqual([output(), names()], ['False RollbackFailed', ['db_8_1_a', 'web_7_1_a']]);
  });

  it('brings back the very image that ran, though its name leads elsewhere', async () => {
    const id = (image: string) => device.engine.images.seen(image)?.id;
    device.engine.images.add('local:1');
    await bring(release('a', 'local:1'));
    const ran = id('local:1');
    device.engine.images.serve('other:1', { content: 'another' });
    device.engine.images.add('other:1');
    await device.engine.tagImage(id('other:1') ?? '', 'local:1', new AbortController().signal);
    await agent().relist();
    failing.add('local:1');
    await bring(release('b', 'local:1'));
    const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web'));
    assert.equal(web?.image, ran);
    rolledBack();
  });

  describe('whose one before ran an image that was built on the device', () => {
    const images = () => device.engine.images;
    const id = (image: string) => images().seen(image)?.id ?? assert.fail(`no ${image}`);
    const isThere = (image: string) =>
      images()
        .list()
        .some((one) => one.id === image);
    const kept = () =>
      images()
        .list()
        .flatMap(({ tags }) => tags.filter(isKeptName));
    const prune = () =>
      images().prune((image) =>
        device.engine.docker.containers.flatMap((one) => (one.image === image ? [one.id] : [])),
      );
    let before: string;
    beforeEach(async () => {
      images().add('local:1');
      before = id('local:1');
      await bring(release('a', 'local:1'));
      assert.deepEqual(kept(), [], 'it has a name');
      images().add('local:1', { content: 'rebuilt' });
      await agent().settle();
    });

    it('finds that image, though it has lost its name and somebody prunes', async () => {
      failing.add('local:1');
      let pruned = 0;
      whenStarted('b', () => {
        prune();
        pruned += 1;
      });
      await bring(release('b', 'local:1'));
      assert.equal(pruned, 1);
      rolledBack();
      assert.equal(device.engine.docker.containers.find(({ name }) => name.startsWith('web'))?.image, before);
      assert.deepEqual(kept(), [`supercargo.io/kept:${before.slice(7, 19)}`]);
      await rests();
    });

    it('keeps it no longer than until a good one takes its place, and does not delete it', async () => {
      assert.equal(kept().length, 1);
      await bring(release('b', 'local:1'));
      assert.deepEqual([output(), kept(), isThere(before)], ['True Settled', [], true]);
      await rests();
      prune();
      assert.equal(isThere(before), false);
    });

    for (const fault of ['kill-before', 'kill-after', 'fail', 'lose'] as const)
      for (const at of [0, 1])
        it(`keeps it, and no longer, where call ${at} about its name ends with ${fault}`, async () => {
          images().add('local:1', { content: 'built once more' }); // what was built before never ran
          const works = async () => {
            for (let lives = 0; lives < 3; lives += 1) {
              if (agent().isDead) await device.boot();
              await declare(release('b', 'local:1'));
              await agent().settle();
            }
          };
          let calls = 0;
          device.faultPlan = (what) => (/^(tag|remove)Image$/.test(what) && calls++ === at ? fault : 'none');
          await works();
          assert.ok(calls > at);
          device.faultPlan = () => 'none';
          await works();
          assert.deepEqual([output(), kept(), isThere(before)], ['True Settled', [], true]);
          images().add('local:1', { content: 'built at last' });
          calls = 0;
          device.faultPlan = (what) => (what === 'tagImage' && calls++ === 0 ? fault : 'none');
          await works();
          device.faultPlan = () => 'none';
          await works();
          assert.equal(kept().length, 1);
          await rests();
        });

    it('keeps it no longer than its App is there', async () => {
      assert.equal(kept().length, 1);
      await agent().propose([]);
      await agent().settle();
      assert.deepEqual([names(), kept(), isThere(before)], [[], [], true]);
    });

    it('says so when somebody has removed it by force', async () => {
      failing.add('local:1');
      whenStarted('b', () => {
        for (const name of kept()) images().remove(name, () => []);
      });
      await bring(release('b', 'local:1'));
      assert.equal(output(), 'False RollbackFailed');
      assert.match(condition('Ready')?.message ?? '', /ran as local:1 is gone from the device/);
      await rests();
    });

    it('gets its name back that somebody has taken away, and loses one that it does not need', async () => {
      images().tag(before, 'local:before');
      await agent().settle();
      assert.deepEqual(kept(), []);
      images().add('local:before', { content: 'another' });
      await agent().settle();
      assert.equal(kept().length, 1);
    });
  });

  it('has its whole time, however often and long the device is off meanwhile', async () => {
    await bring(GOOD);
    starting.add('web:2');
    await declare(BAD);
    for (let times = 0; times < 12; times += 1) await restart(3, 3_600);
    assert.deepEqual(outcomes(), ['2 b Candidate', '1 a Good']);
  });

  it('is bad on a device that restarts every half minute, too', async () => {
    await bring(GOOD);
    starting.add('web:2');
    await declare(BAD);
    await pass(5);
    for (let times = 0; times < 31; times += 1) await restart(30, 10);
    await agent().quiet();
    assert.ok(outcomes().includes('2 b Bad'), outcomes().join());
    await agent().settle();
    rolledBack();
  });

  it('goes, and the one before has the time that its own services ask for', async () => {
    const slow = { healthcheck: { test: ['CMD', 'true'], start_period: '30m' } };
    const webIsHealthy = async () => {
      const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web'));
      device.engine.docker.setHealth(web?.id ?? '', 'healthy');
      await agent().settle();
    };
    await declare({ ...GOOD, services: { ...GOOD.services, web: { image: 'web:1', imageId: 7, ...slow } } });
    await pass(5);
    await webIsHealthy();
    failing.add('web:2');
    starting.add('web:1');
    await declare(BAD);
    await pass(1_000);
    assert.deepEqual(outcomes(), ['3 a Candidate', '2 b Bad']);
    await webIsHealthy();
    rolledBack();
  });

  it('finds the images of the one before on the device, though that was gone back to and runs by digests', async () => {
    await bring(GOOD);
    await bring(BAD);
    await store().request(keyOf('App', 'hello'), { rollback: {} });
    await agent().settle();
    rolledBack();
    const web = () => device.engine.docker.containers.find(({ name }) => name.startsWith('web'));
    const ran = web()?.image ?? '';
    starting.add('web:3');
    await declare(release('c', 'web:3', { rollout: { progressDeadlineSeconds: 1_800 } }));
    await pass(60);
    assert.deepEqual([output(), names()], ['False Verifying', ['db_8_1_c', 'web_7_1_c']]);
    assert.ok(device.engine.images.seen(ran), 'it is needed on the way back');
    for (const image of ['web:1', 'web:2', 'db:1']) device.engine.images.withdraw(image);
    device.engine.docker.setHealth(web()?.id ?? '', 'unhealthy');
    await agent().settle();
    rolledBack();
  });

  it('gives its image up where the disk has room for one', async () => {
    await device.stop();
    const taken = () => new Set(device.engine.images.list().map(({ id }) => id)).size;
    await start({ disk: { free: () => 2_900 - 1_000 * taken(), sizeOf: () => 900 } });
    await bring(deletingFirst(GOOD));
    failing.add('web:2');
    await bring(deletingFirst(BAD));
    rolledBack();
  });

  it('is not gone back from by hand to what is unknown, runs or was bad', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const [good, bad] = latestFirst(store().list('Revision'));
    const ask = async (to?: string) => {
      await store().request(keyOf('App', 'hello'), { rollback: to === undefined ? {} : { to } });
      await agent().settle();
      return app().status?.refused?.rollback?.message ?? '';
    };
    assert.match(await ask('hello.nothing'), /has no revision hello\.nothing/);
    assert.match(await ask(good?.metadata.name), /is what runs/);
    assert.match(await ask(bad?.metadata.name), /was bad .*supercargo retry hello/);
    assert.match(await ask(), /no earlier revision/);
    rolledBack();
  });

  it('is not needed for going back by hand, and what was declared does not come back by itself', async () => {
    await bring(GOOD);
    await bring(BAD);
    await store().request(keyOf('App', 'hello'), { rollback: {} });
    await agent().settle();
    assert.equal(app().status?.rollback?.reason, 'ByHand');
    rolledBack();
    await bring(BAD);
    await reboot();
    rolledBack();
    await store().request(keyOf('App', 'hello'), { retry: {} });
    await agent().settle();
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  it('is not needed for going back by hand, which ends with a way back to what is declared', async () => {
    await bring(GOOD);
    await bring(BAD);
    const declared = latestFirst(store().list('Revision'))[0]?.metadata.name ?? assert.fail('no Revision');
    for (const to of [undefined, declared]) {
      await store().request(keyOf('App', 'hello'), { rollback: {} });
      await agent().settle();
      rolledBack();
      await store().request(keyOf('App', 'hello'), { rollback: to === undefined ? {} : { to } });
      await agent().settle();
      assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
      assert.deepEqual([app().status?.rollback, app().status?.refused], [undefined, undefined]);
      assert.equal(app().status?.handled?.rollback, app().requests.rollback?.id);
    }
  });

  it('is neither gone back from nor tried again while the App is suspended, nor when that ends', async () => {
    await bring(GOOD);
    await bring(BAD);
    await declare({ ...BAD, suspend: true });
    await agent().quiet();
    await store().request(keyOf('App', 'hello'), { rollback: {}, retry: {} });
    await agent().quiet();
    const { handled, refused } = app().status ?? {};
    assert.deepEqual(Object.keys(refused ?? {}).sort(), ['retry', 'rollback']);
    assert.match(refused?.rollback?.message ?? '', /^App hello is suspended: /);
    assert.equal(handled?.retry, app().requests.retry?.id);
    await bring(BAD);
    assert.deepEqual([output(), names()], ['True Settled', ['db_8_1_b', 'web_7_1_b']]);
  });

  it('has its revision removed by hand: everything stays as it is', async () => {
    await bring(GOOD);
    failing.add('web:2');
    await bring(BAD);
    const before = containers();
    const { rollback } = app().status ?? {};
    await store().delete('App/hello', keyOf('Revision', rollback?.to ?? ''));
    await agent().settle();
    assert.equal(output(), 'False RollbackFailed');
    assert.deepEqual(containers(), before);
  });
});
