import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openStore } from '../../../api/store/document-store.js';
import type { Store } from '../../../api/store/store.js';
import type { SyncReport } from '../../../api/store/sync-report.js';
import { gitSourceController } from '../../../controllers/git-source/controller.js';
import { Loop } from '../../../controllers/runtime/loop.js';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { API_VERSION, type GitSource } from '../../../crds/model/kinds.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import { FakeClock, PUNCTUALITIES } from '../../setup/fake-clock.js';
import { until } from '../../setup/until.js';

const TAKEN = { commit: 'a'.repeat(40), author: 'Ada', subject: 'Begin', time: '2026-01-01T00:00:00Z' };
const NEXT = { ...TAKEN, commit: 'b'.repeat(40), ref: 'branch main' };
const GOOD: SyncReport = {
  seen: TAKEN,
  applied: { ...TAKEN, ref: 'branch main' },
  declares: ['App/a'],
  accepted: { created: ['App/a'], changed: [], deleted: [], refused: [] },
};
const DOWN: SyncReport = { failure: { reason: 'Unreachable', message: 'git fetch: no route', final: false } };
const BAD: SyncReport = { failure: { reason: 'InvalidDocuments', message: 'a.yaml:1: bad', final: true } };
const HELD: SyncReport = {
  held: { commit: TAKEN.commit, removes: ['App/a'] },
  failure: { reason: 'PruneHeld', message: 'held', final: true },
};

describe('the GitSource controller', () => {
  let folder: string;
  let store: Store;
  let clock: FakeClock;
  let loop: Loop;
  let report: SyncReport;
  let syncs: string[];
  let pushes: string[];
  let pushFails: boolean;
  let inputs: string;
  /** What happens while the repository is looked at. */
  let meanwhile: () => Promise<void>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'git-source-'));
    const log = pino({ level: 'silent' });
    clock = new FakeClock();
    store = await openStore({ folder, now: () => clock.now(), log });
    report = GOOD;
    syncs = [];
    pushes = [];
    pushFails = false;
    inputs = 'one';
    meanwhile = async () => undefined;
    start();
  });

  const start = (): void => {
    const log = pino({ level: 'silent' });
    const repositories = {
      sync: async (_source: GitSource, confirmed: ReadonlySet<string>) => {
        syncs.push([...confirmed].join());
        await meanwhile();
        return report;
      },
      inputs: () => inputs,
      pushStatus: async (_source: GitSource, text: string) => {
        if (pushFails) throw new Error('git push: refused');
        pushes.push(text);
        return `commit${pushes.length}`;
      },
      remove: async () => {
        syncs.push('removed');
        return { created: [], changed: [], deleted: [], refused: [] };
      },
    };
    const device = () => ({ name: 'kitchen', uuid: 'u', deviceType: 't', arch: 'amd64', version: '1' });
    const controller = gitSourceController({ store, repositories, clock, random: () => 0, device });
    const backoffMs = { first: 1000, max: 60_000 };
    loop = new Loop({ ...controller, backoffMs }, { store, clock, random: () => 0, log });
    loop.start();
  };
  afterEach(async () => {
    await loop.stop();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const quiet = (): Promise<unknown> =>
    until(
      'passes end',
      () => loop.isQuiet,
      (is) => is,
      { everyMs: 1 },
    );
  const put = async (spec: Partial<GitSourceSpec> = {}): Promise<void> => {
    const document = {
      apiVersion: API_VERSION as typeof API_VERSION,
      kind: 'GitSource' as const,
      metadata: { name: 'fleet' },
      spec: { url: '/srv/x', interval: '60s', ...spec },
    };
    await store.put('api', { document });
    await quiet();
  };
  const ask = async (name: 'sync' | 'confirm'): Promise<string | undefined> => {
    const requests = await store.request('GitSource/fleet', { [name]: {} });
    await quiet();
    return requests[name]?.id;
  };
  const source = (): GitSource => {
    const found = store.get('GitSource', 'fleet');
    assert.ok(found);
    return found;
  };
  const later = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await quiet();
  };
  const reason = (): string | undefined => conditionOf(source(), 'Ready')?.reason;
  const events = (): readonly string[] => store.events('GitSource/fleet').map((one) => `${one.reason}: ${one.message}`);

  it('takes a commit, says so, and looks again after the interval', async () => {
    await put();
    assert.ok(isReady(source()));
    assert.equal(source().status?.applied?.commit, TAKEN.commit);
    assert.deepEqual(events(), [`Applied: Took ${'a'.repeat(12)} (Begin) of branch main: created App/a`]);
    assert.equal(syncs.length, 1);
    await later(59_000);
    assert.equal(syncs.length, 1);
    await later(2_000);
    assert.equal(syncs.length, 2);
    assert.equal(events().length, 1);
  });

  for (const punctuality of PUNCTUALITIES) {
    it(`looks at every turn when timers fire ${punctuality}`, async () => {
      await loop.stop();
      clock = new FakeClock(clock.now(), punctuality);
      start();
      await put();
      for (let turn = 1; turn <= 5; turn += 1) {
        assert.equal(syncs.length, turn);
        for (let left = 4; left > 0 && syncs.length === turn; left -= 1) {
          clock.step();
          await quiet();
        }
      }
      assert.equal(syncs.length, 6);
    });
  }

  it('goes on with its turns after a start', async () => {
    await put();
    await loop.stop();
    await later(30_000);
    start();
    await quiet();
    assert.equal(syncs.length, 1);
    await later(31_000);
    assert.equal(syncs.length, 2);
  });

  const YEAR_MS = 365 * 86_400_000;
  for (const byMs of [-YEAR_MS, -8 * 3_600_000, 2 * 86_400_000]) {
    it(`looks at its turn though the clock was set by ${byMs / 3_600_000} h, and shows the time by the new one`, async () => {
      await put();
      await later(30_000);
      clock.set(byMs);
      loop.resync();
      await quiet();
      assert.equal(syncs.length, 1);
      assert.equal(source().status?.nextSyncAt, new Date(clock.now() + 30_000).toISOString());
      await later(31_000);
      assert.equal(syncs.length, 2);
    });

    it(`looks within the interval when the clock was set by ${byMs / 3_600_000} h before the start`, async () => {
      await put();
      await loop.stop();
      clock.set(byMs);
      start();
      await quiet();
      await later(61_000);
      assert.ok(syncs.length >= 2, `${syncs.length} looks`);
    });

    it(`looks in time though the clock is set by ${byMs / 3_600_000} h while it looks`, async () => {
      meanwhile = async () => {
        meanwhile = async () => undefined;
        clock.set(byMs);
      };
      await put();
      assert.equal(source().status?.nextSyncAt, new Date(clock.now() + 60_000).toISOString());
      await later(61_000);
      assert.equal(syncs.length, 2);
    });
  }

  it('follows the time of day with a cron, also when the clock is set', async () => {
    await put({ interval: undefined, cron: '0 0 1 1 *' });
    const next = Date.parse(source().status?.nextSyncAt ?? '') - clock.now();
    clock.set(next + 1000);
    loop.resync();
    await quiet();
    assert.equal(syncs.length, 2);
  });

  it('does nothing when everything is looked at in between', async () => {
    await put();
    loop.resync();
    await quiet();
    assert.equal(syncs.length, 1);
    store.touch('GitSource/fleet');
    await quiet();
    assert.equal(syncs.length, 2);
  });

  it('tries again with back-off what may pass, and keeps what was applied', async () => {
    await put();
    report = DOWN;
    await later(61_000);
    assert.equal(reason(), 'Retrying');
    assert.equal(source().status?.failure?.reason, 'Unreachable');
    assert.equal(source().status?.applied?.commit, TAKEN.commit);
    const before = syncs.length;
    await later(1_100);
    await later(2_100);
    assert.equal(syncs.length, before + 2);
    report = GOOD;
    await later(5_000);
    assert.ok(isReady(source()));
    assert.equal(source().status?.failure, undefined);
    assert.deepEqual(
      events().map((one) => one.split(':')[0]),
      ['Applied', 'Unreachable', 'Recovered'],
    );
  });

  it('is stalled by junk, does not retry it, and looks for something better when it is time', async () => {
    report = BAD;
    await put();
    assert.equal(reason(), 'InvalidDocuments');
    assert.equal(conditionOf(source(), 'Stalled')?.status, 'True');
    await later(30_000);
    assert.equal(syncs.length, 1);
    report = GOOD;
    await later(31_000);
    assert.ok(isReady(source()));
  });

  it('passes on what was confirmed, and nothing else', async () => {
    report = HELD;
    await put();
    assert.equal(reason(), 'PruneHeld');
    report = GOOD;
    await ask('confirm');
    assert.deepEqual(syncs, ['', 'App/a']);
    assert.ok(isReady(source()));
    assert.deepEqual([source().status?.held, source().status?.refused], [undefined, undefined]);
    const id = await ask('confirm');
    assert.equal(source().status?.handled?.confirm, id);
    assert.equal(source().status?.refused?.confirm?.message, 'Nothing waits to be confirmed');
  });

  it('still knows what waits for a confirmation while the server is away', async () => {
    await put();
    report = HELD;
    await ask('sync');
    report = DOWN;
    await ask('sync');
    assert.deepEqual(source().status?.held, HELD.held);
    report = GOOD;
    await ask('confirm');
    assert.equal(syncs.at(-1), 'App/a');
    assert.equal(source().status?.held, undefined);
  });

  it('takes no confirmation from before what is held was known', async () => {
    await put();
    report = HELD;
    // The request arrives while a look at the repository is under way, which then finds something to hold.
    let id: string | undefined;
    meanwhile = async () => {
      meanwhile = async () => undefined;
      id = (await store.request('GitSource/fleet', { confirm: {} })).confirm?.id;
      clock.advance(1000);
    };
    await ask('sync');
    assert.deepEqual(syncs.slice(-2), ['', '']);
    assert.equal(source().status?.handled?.confirm, id);
    assert.match(source().status?.refused?.confirm?.message ?? '', /something else by now; look again/);
    report = GOOD;
    await ask('confirm');
    assert.equal(syncs.at(-1), 'App/a');
  });

  it('takes a confirmation that is earlier than what it confirms, because the clock was set back', async () => {
    report = HELD;
    await put();
    clock.set(-8 * 3_600_000);
    report = GOOD;
    await ask('confirm');
    assert.equal(syncs.at(-1), 'App/a');
  });

  it('says what became of a request', async () => {
    await put();
    report = BAD;
    const id = await ask('sync');
    assert.equal(source().status?.handled?.sync, id);
    assert.deepEqual(source().status?.refused?.sync, { reason: 'Failed', message: 'a.yaml:1: bad' });
  });

  it('leaves a suspended source alone, and refuses what is asked of it', async () => {
    await put({ suspend: true });
    assert.equal(reason(), 'Suspended');
    await ask('sync');
    await later(120_000);
    assert.deepEqual(syncs, []);
    assert.match(source().status?.refused?.sync?.message ?? '', /suspended/);
    await put({ suspend: false });
    assert.ok(isReady(source()));
  });

  it('looks again when the device is another', async () => {
    await put();
    inputs = 'two';
    loop.resync();
    await quiet();
    assert.equal(syncs.length, 2);
  });

  it('lets go of a source once what it declared was taken back', async () => {
    await put();
    await store.delete('api', 'GitSource/fleet');
    await quiet();
    await until(
      'it is gone',
      () => store.get('GitSource', 'fleet'),
      (seen) => seen === undefined,
    );
    assert.deepEqual(syncs, ['', 'removed']);
    await later(120_000);
    assert.equal(syncs.length, 2);
  });

  it('pushes the status once for each change, and is as ready when it cannot', async () => {
    await put({ statusBranch: 'status' });
    assert.match(pushes[0] ?? '', /name: kitchen[\s\S]*commit: a{40}/);
    assert.equal(source().status?.pushed, 'commit1');
    await later(61_000);
    await later(61_000);
    assert.equal(pushes.length, 1);
    pushFails = true;
    report = { ...GOOD, applied: NEXT };
    await later(61_000);
    assert.ok(isReady(source()));
    assert.match(events().at(-1) ?? '', /^StatusNotPushed: git push: refused/);
  });
});
