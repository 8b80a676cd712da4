import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { nodeDisk } from '../../api/platform/disk.js';
import { pathOf } from '../../api/store/persistence/document-files.js';
import { StatusFiles } from '../../api/store/persistence/status-files.js';
import { RefreshQueue } from '../../controllers/engine/cache/refresh-queue.js';
import { diskSpace } from '../../controllers/engine/images/disk-space.js';
import { type PowerRequestDeps, powerRequests } from '../../controllers/host/power/power-request.js';
import { collectWhenIdle } from '../../controllers/runtime/idle-gc.js';
import { repeat } from '../../controllers/runtime/variables.js';
import { watchOrphans } from '../../controllers/service/orphans.js';
import { rebootWhenSettled } from '../../controllers/service/reboots.js';
import { aServer, withKey } from '../api/http/a-server.js';
import { anApp, aService, notReady } from '../setup/documents.js';
import { FakeClock, PUNCTUALITIES } from '../setup/fake-clock.js';
import { fire as fireTimers, withOwnTimers } from '../setup/own-timers.js';
import { until } from '../setup/until.js';
import { aContainer } from './service/service-states.js';

const MIB = 1024 ** 2;
const silent = pino({ level: 'silent' });

for (const punctuality of PUNCTUALITIES) {
  describe(`outside of the passes, when timers fire ${punctuality}`, () => {
    let clock: FakeClock;
    beforeEach(() => {
      clock = new FakeClock(undefined, punctuality);
    });
    const fire = (times: number): Promise<void> => fireTimers(clock, times);

    it('orphans are reported', async () => {
      const reported: number[] = [];
      const stop = watchOrphans({
        store: {
          get: () => undefined,
          list: () => [],
          watch: () => () => undefined,
          report: (_, problems) => reported.push(problems.length),
        },
        cache: { hasSynced: true, containers: () => [aContainer()], onChange: () => () => undefined },
        clock,
      });
      await fire(2);
      stop();
      assert.deepEqual([reported, clock.planned], [[1], []]);
    });

    it('everything that is marked is looked at, again after a failure', async () => {
      const looked: string[] = [];
      const refreshQueue = new RefreshQueue({
        look: async (key) => {
          looked.push(key);
          if (looked.length === 1) throw new Error('not now');
        },
        failed: () => undefined,
        ...{ delayMs: 20, atOnce: 1, clock },
      });
      for (const key of ['a', 'b', 'a', 'c']) refreshQueue.mark(key);
      await fire(12);
      assert.deepEqual(looked.toSorted(), ['a', 'a', 'b', 'c']);
      assert.deepEqual(clock.planned, []);
    });

    it('what is repeated goes on, also when its interval changes', async () => {
      let done = 0;
      const received: (() => void)[] = [];
      const changes = (changed: () => void) => {
        received.push(changed);
        return () => undefined;
      };
      const stop = repeat({ clock, intervalMs: () => 60_000, changes, action: () => (done += 1) });
      await fire(2);
      for (const changed of received) changed();
      await fire(3);
      assert.equal(done, 5);
      stop();
      assert.deepEqual(clock.planned, []);
    });

    it('a heap at rest is collected', async () => {
      let mib = 20;
      const received: (() => void)[] = [];
      const heap = {
        onCollected: (call: () => void) => {
          received.push(call);
          return () => undefined;
        },
        size: () => mib * MIB,
        collect: () => {
          mib = 20;
        },
      };
      collectWhenIdle(heap, clock);
      mib = 40;
      for (const call of received) call();
      await fire(4);
      assert.deepEqual([mib, clock.planned], [20, []]);
    });

    it('a disk that fills up ends the pull', async () => {
      let freeMib = 500;
      const space = diskSpace({
        engine: {
          info: async () => ({ version: '', apiVersion: '', rootDir: '/docker', logDriver: '', machine: 'x86_64' }),
          listImages: async () => [],
          inspectImage: async () => undefined,
        },
        ...{ hostRoot: '/', minFreeBytes: 100 * MIB, clock },
        freeBytes: async () => freeMib * MIB,
        describe: async () => undefined,
      });
      const pulling = space.within('r/web:1', {}, new AbortController().signal, (stop) => {
        return new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
      });
      const failed = assert.rejects(pulling, /not enough room/);
      await fire(3);
      freeMib = 50;
      await fire(1);
      await failed;
      assert.deepEqual(clock.planned, []);
    });

    it('the device boots for who waits for that, once its lock is free, and goes down', async () => {
      const documents = [
        aService({ status: notReady('RebootRequired') }),
        anApp({ status: notReady('ChildrenNotReady') }),
      ];
      const ended: string[] = [];
      const after = (ms: number, call: () => void) => clock.after(ms, call);
      const requestPower = powerRequests({
        hostRoot: '/nowhere',
        power: { obstacle: () => undefined, end: async (verb) => void ended.push(verb) } as PowerRequestDeps['power'],
        locks: { during: async (_, action) => ({ is: 'done', value: await action() }) } as PowerRequestDeps['locks'],
        ...{ logLine: () => undefined, log: silent, after },
      });
      let isLocked = true;
      const stop = rebootWhenSettled({
        store: {
          list: ((kind: string) => documents.filter((one) => one.kind === kind)) as never,
          watch: () => () => undefined,
        },
        reboot: async () =>
          isLocked ? { is: 'locked', message: 'Updates are locked' } : requestPower('reboot', false),
        ...{ after, logs: { system: () => undefined } },
      });
      await fire(3);
      assert.deepEqual(ended, []);
      isLocked = false;
      await fire(3);
      stop();
      assert.deepEqual([ended, clock.planned], [['reboot'], []]);
    });

    it('statuses come to the disk', async () => {
      const root = mkdtempSync(join(tmpdir(), 'timers-'));
      const paths = (['App/hello', 'App/other'] as const).map((key) => pathOf(root, 'status', key));
      const written = (): number => paths.filter((path) => existsSync(path)).length;
      for (const path of paths) mkdirSync(dirname(path), { recursive: true });
      try {
        await withOwnTimers(clock, async () => {
          const wanted = () => ({ uid: 'u', resourceVersion: '1', status: {} });
          const files = new StatusFiles({ root, disk: nodeDisk, log: silent, wanted, delayMs: 200, retryMs: 60_000 });
          files.changed('App/hello');
          await fire(1);
          files.changed('App/other'); // while the first is written
          const next = (): number => {
            clock.step();
            return written();
          };
          await until('both are there', next, (count) => count === 2);
          files.stop();
        });
        assert.equal(written(), 2);
      } finally {
        rmSync(root, { recursive: true });
      }
    });

    it('hooks that were called in the quiet time are passed on', async () => {
      const bench = await aServer({ secrets: { read: async () => 'secret' } });
      try {
        await bench.store.propose({
          origin: 'files',
          documents: [
            {
              document: {
                apiVersion: 'supercargo.io/v1',
                kind: 'GitSource',
                metadata: { name: 'fleet' },
                spec: { url: 'https://git.example.org/x', webhook: { secret: 'hook' } },
              },
            },
          ],
        });
        let touched = 0;
        bench.store.watch(({ parts }) => {
          if (parts.length === 0) touched += 1;
        });
        const call = () =>
          bench.server.inject({ method: 'POST', url: '/hooks/fleet', headers: withKey, payload: '{}' });
        await withOwnTimers(clock, async () => {
          for (let count = 0; count < 5; count += 1) assert.equal((await call()).statusCode, 202);
          assert.equal(touched, 1);
          await fire(2);
          assert.equal(touched, 2);
        });
      } finally {
        await bench.close();
      }
    });
  });
}
