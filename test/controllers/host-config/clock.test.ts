import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { watchClock } from '../../../controllers/runtime/clock-watch.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import { FakeClock, type Punctuality } from '../../setup/fake-clock.js';
import { FOLDERS } from '../../setup/folders.js';
import { FakeAgent, FakeHost } from './fake-host.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const PATH = 'mnt/boot/config.txt';
const MARKER = 'tmp/balena-supervisor/reboot-after-apply';
const BEFORE = 'gpu_mem=16\n';
const WANTED = 'gpu_mem=64\n';
const DEVICE: HostConfigSpec = { config: { HOST_CONFIG_gpu_mem: '64' } };

/** What befalls the clocks of a device: its timers, and the time of day at the worst moment of each test. */
const CLOCKS: readonly { readonly when: string; readonly punctuality: Punctuality; readonly setMs: number }[] = [
  { when: 'timers fire 1 ms early', punctuality: '1 ms early', setMs: 0 },
  { when: 'timers fire 1 h late', punctuality: '1 h late', setMs: 0 },
  { when: 'the clock is set back by 8 h', punctuality: 'exact', setMs: -8 * HOUR_MS },
  { when: 'the clock is set forward by 2 days', punctuality: 'exact', setMs: 2 * DAY_MS },
];

for (const { when, punctuality, setMs } of CLOCKS) {
  /** How late a look may be that is due. */
  const lateMs = punctuality === '1 h late' ? HOUR_MS : 0;

  describe(`settings of the host, when ${when}`, () => {
    let host: FakeHost;
    let folder: string;
    let clock: FakeClock;
    let agent: FakeAgent;
    beforeEach(async () => {
      host = await FakeHost.make(true);
      await host.put(PATH, BEFORE);
      folder = await mkdtemp(join(FOLDERS, 'data-'));
      clock = new FakeClock(undefined, punctuality);
      agent = await FakeAgent.start(host, folder, clock);
    });
    afterEach(async () => {
      await agent.stop();
      for (const one of [host.root, folder]) await rm(one, { recursive: true });
    });

    const apply = async (name: 'device' | 'network', spec: HostConfigSpec): Promise<void> => {
      await agent.declare(spec, name);
      await agent.quiet();
    };
    const start = async (): Promise<void> => {
      agent = await agent.startDevice(host, folder);
    };
    const restartAgent = async (): Promise<void> => {
      await agent.stop();
      agent = await FakeAgent.start(host, folder, clock);
      await agent.quiet();
    };

    describe('an unconfirmed change of boot files', () => {
      beforeEach(async () => {
        await apply('device', DEVICE);
        host.defaultRoute = false;
        await start();
        clock.set(setMs);
        assert.match(agent.ready('device'), /^Confirming: .*Missing: a default route/);
      });

      it('has its whole time, and no more', async () => {
        await agent.run(599 * SECOND_MS);
        assert.equal(await host.get(PATH), WANTED);
        await agent.run(2 * SECOND_MS + lateMs);
        assert.equal(await host.get(PATH), BEFORE);
        assert.ok(agent.events('device').some((one) => /^RollingBack: .*after 600 s it still lacked/.test(one)));
      });

      it('has its whole time over a restart of the agent, and no more', async () => {
        await agent.run(300 * SECOND_MS);
        await agent.stop();
        clock.set(setMs);
        await restartAgent();
        await agent.run(299 * SECOND_MS);
        assert.equal(await host.get(PATH), WANTED);
        await agent.run(2 * SECOND_MS + lateMs);
        assert.equal(await host.get(PATH), BEFORE);
      });

      it('stays when the proof comes in time', async () => {
        await agent.run(598 * SECOND_MS);
        host.defaultRoute = true;
        await agent.run(2 * SECOND_MS + lateMs);
        assert.equal(agent.ready('device'), 'True');
        await agent.run(DAY_MS);
        assert.equal(await host.get(PATH), WANTED);
      });

      it('starts again after a start of the device with another time of day', async () => {
        await agent.run(500 * SECOND_MS);
        clock.set(setMs);
        await start();
        await agent.run(599 * SECOND_MS);
        assert.equal(await host.get(PATH), WANTED);
        await agent.run(2 * SECOND_MS + lateMs);
        assert.equal(await host.get(PATH), BEFORE);
      });
    });

    describe('an unconfirmed change of the network', () => {
      const hostname = async () => JSON.parse((await host.get('mnt/boot/config.json')) ?? '').hostname;
      beforeEach(async () => {
        host.apiAnswers = false;
        await apply('network', { hostname: 'kiosk', confirm: { deadlineSeconds: 60 } });
        clock.set(setMs);
        assert.match(agent.ready('network'), /^Confirming: /);
      });

      it('has its whole time, and no more', async () => {
        await agent.run(59 * SECOND_MS);
        assert.equal(await hostname(), 'kiosk');
        await agent.run(2 * SECOND_MS + lateMs);
        assert.equal(await hostname(), undefined);
        assert.match(agent.ready('network'), /^RolledBack: /);
      });

      it('stays when the proof comes in time', async () => {
        await agent.run(58 * SECOND_MS);
        host.apiAnswers = true;
        await agent.run(2 * SECOND_MS + lateMs);
        assert.equal(agent.ready('network'), 'True');
        await agent.run(DAY_MS);
        assert.equal(await hostname(), 'kiosk');
      });
    });

    describe('a restart of the device', () => {
      const minuteOf = (ms: number): number => new Date(ms).getHours() * 60 + new Date(ms).getMinutes();
      /** When the restart is asked for, by the time of day; undefined when it is not within so long. */
      const askedAt = async (withinMs: number): Promise<number | undefined> => {
        await agent.run(withinMs, () => host.reported.length > 0);
        return host.reported.length > 0 ? clock.now() : undefined;
      };

      it('waits for its window as the clock shows it now, and happens in it', async () => {
        const hour = new Date(clock.now() + 2 * HOUR_MS).getHours();
        await apply('device', { ...DEVICE, reboot: `window(* ${hour} * * *)` });
        clock.set(setMs);
        const at = (await askedAt(DAY_MS + HOUR_MS)) ?? assert.fail('not within a day');
        assert.equal(new Date(at).getHours(), hour);
        assert.equal(host.reported.length, 1);
      });

      it('does not happen once the clock says that its window is over', async () => {
        const minute = minuteOf(clock.now());
        const [from, to] = [minute % 60, Math.min(59, (minute % 60) + 30)];
        const app = { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'hello' }, spec: {} } as const;
        await agent.store.put('files', { document: app });
        await apply('device', { ...DEVICE, reboot: `window(${from}-${to} ${Math.floor(minute / 60)} * * *)` });
        assert.match(agent.ready('device'), /waits for App hello to settle/);
        clock.set(setMs || HOUR_MS);
        const found = agent.store.get('App', 'hello') ?? assert.fail();
        agent.store.setStatus(found, { observedGeneration: 1, conditions: [] });
        const isOpen = (): boolean => minuteOf(clock.now()) >= minute && minuteOf(clock.now()) <= minute + 30;
        const was = isOpen(); // two days later at the same time of day it is open again
        await agent.run(10 * SECOND_MS + lateMs);
        assert.deepEqual(host.reported, was ? ['reboot'] : []);
        if (!was) assert.match(agent.ready('device'), /Its window begins at /);
      });

      it('is asked for again a minute after a lock has refused it, until it is let', async () => {
        host.powerAnswer = { is: 'locked', message: 'Lockfile exists for { appId: 1, service: web }' };
        await apply('device', DEVICE);
        assert.match(agent.ready('device'), /^RebootRequired: .*Lockfile exists/);
        clock.set(setMs);
        await agent.run(59 * SECOND_MS);
        assert.equal(host.reported.length, 1, 'too soon');
        await agent.run(SECOND_MS + lateMs);
        assert.equal(host.reported.length, 2, 'forgotten');
        host.powerAnswer = { is: 'scheduled' };
        await agent.run(60 * SECOND_MS + lateMs);
        assert.equal(host.reported.length, 3);
        assert.match(agent.ready('device'), /It was asked to and has not done so yet/);
        await agent.run(2 * HOUR_MS);
        assert.equal(host.reported.length, 3, 'asked twice');
      });

      it('is announced to the host by a file that is younger than the boot, whatever the clock shows', async () => {
        await apply('device', { ...DEVICE, reboot: 'never' });
        clock.set(setMs);
        agent.loop.resync();
        await agent.quiet();
        const bootedMs = clock.now() - (clock.monotonic() - host.bootedAtMs);
        assert.ok((await stat(join(host.root, MARKER))).mtimeMs > bootedMs);
      });
    });
  });
}

describe('a window that begins because the clock is set', () => {
  it('is used, however short it is', async () => {
    const host = await FakeHost.make(true);
    await host.put(PATH, BEFORE);
    const folder = await mkdtemp(join(FOLDERS, 'data-'));
    const clock = new FakeClock();
    const agent = await FakeAgent.start(host, folder, clock);
    const stop = watchClock(clock, () => agent.loop.resync());
    try {
      const at = new Date(clock.now() + 30 * 60_000);
      await agent.declare({ ...DEVICE, reboot: `window(${at.getMinutes()} ${at.getHours()} * * *)` }, 'device');
      await agent.quiet();
      clock.set(2 * DAY_MS + 30 * 60_000);
      await agent.run(10 * SECOND_MS);
      assert.deepEqual(host.reported, ['reboot']);
    } finally {
      stop();
      await agent.stop();
      for (const one of [host.root, folder]) await rm(one, { recursive: true });
    }
  });
});
