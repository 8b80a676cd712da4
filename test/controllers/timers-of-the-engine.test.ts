import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { firewall } from '../../controllers/agent/components.js';
import { Gateway } from '../../controllers/agent/gateway.js';
import type { DockerHttp } from '../../controllers/engine/client/docker-http.js';
import { pullImage } from '../../controllers/engine/client/engine-streams.js';
import { EngineKeeper, type Finding } from '../../controllers/engine/engine-keeper.js';
import { TraitsReader } from '../../controllers/engine/engine-traits.js';
import { RequestWatch } from '../../controllers/engine/request-watch.js';
import { MemoryEngine } from '../../controllers/engine/simulated/memory-engine.js';
import { ledBlinker } from '../../controllers/host/led.js';
import { allLocks } from '../../controllers/host/locks/all-locks.js';
import { watchHostFiles } from '../../controllers/host/watch-files.js';
import { watchReading } from '../../controllers/image/archive-limits.js';
import { Loop } from '../../controllers/runtime/loop.js';
import { decodeVariables } from '../../crds/model/device-variables.js';
import { aNetwork } from '../setup/documents.js';
import { FakeClock, PUNCTUALITIES } from '../setup/fake-clock.js';
import { fire as fireTimers, withOwnTimers } from '../setup/own-timers.js';
import { until } from '../setup/until.js';
import { flush } from './engine/scripted-engine.js';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;

for (const punctuality of PUNCTUALITIES) {
  describe(`around the engine and the host, when timers fire ${punctuality}`, () => {
    let clock: FakeClock;
    beforeEach(() => {
      clock = new FakeClock(undefined, punctuality);
    });
    const fire = (times: number): Promise<void> => fireTimers(clock, times);

    it('the engine is looked after: started again when it has ended, named when it hangs', async () => {
      let runs = true;
      let finding: Finding | 'hangs' = { is: 'answers' };
      let starts = 0;
      const reported: string[] = [];
      const keeper = new EngineKeeper({
        daemon: {
          name: 'The engine',
          look: (signal) =>
            finding === 'hangs'
              ? new Promise((go) => signal.addEventListener('abort', () => go({ is: 'hangs' }), { once: true }))
              : Promise.resolve(finding),
          process: {
            isRunning: async () => runs,
            start: async () => {
              starts += 1;
              if (starts < 3) throw new Error('no room');
              runs = true;
            },
            restart: async () => undefined,
            tasks: async () => [],
          },
        },
        cache: { hasSynced: true, explain: () => undefined, onChange: () => () => undefined },
        ...{ clock, elapsedMs: () => clock.monotonic(), random: () => 0, log: { error: assert.fail } },
        emit: (_type, reason) => reported.push(reason),
      });
      keeper.start();
      await fire(2);
      runs = false;
      for (let count = 0; !runs && count < 40; count += 1) await fire(1);
      assert.deepEqual([starts, keeper.failure], [3, undefined]);
      finding = 'hangs';
      await fire(4);
      assert.match(keeper.failure ?? '', /does not answer within 15 s/);
      finding = { is: 'answers' };
      await fire(3);
      assert.deepEqual([keeper.failure, reported.at(-1)], [undefined, 'EngineAnswers']);
      await keeper.stop();
      assert.deepEqual(clock.planned, []);
    });

    it('requests without an answer are reported once they are overdue, each of them', async () => {
      const memory = new MemoryEngine();
      let release = (): void => undefined;
      const held = new Promise<void>((go) => {
        release = go;
      });
      memory.before = () => held;
      const watch = new RequestWatch({ clock, container: () => undefined });
      const reported: string[] = [];
      watch.onChange((about) => reported.push(about));
      const engine = watch.watch(memory);
      const asked = [engine.inspectContainer('a', never)];
      clock.advance(10_000);
      asked.push(engine.inspectContainer('b', never));
      await fire(4);
      assert.deepEqual([reported, watch.isOverdue, clock.planned], [['container/a', 'container/b'], true, []]);
      release();
      await Promise.all(asked);
      assert.equal(watch.isOverdue, false);
    });

    it('what the engine is like is asked until it says so, also when it is silent', async () => {
      let answer: 'refuses' | 'is silent' | 'answers' = 'refuses';
      let asked = 0;
      const info = (signal: AbortSignal) => {
        asked += 1;
        const output = { version: '', apiVersion: '', rootDir: '', logDriver: 'local', machine: 'armv7l' };
        if (answer === 'answers') return Promise.resolve(output);
        if (answer === 'refuses') return Promise.reject(new Error('busy'));
        return new Promise<typeof output>((_, no) => signal.addEventListener('abort', () => no(signal.reason)));
      };
      const cache = { hasSynced: true, onChange: () => () => undefined } as never;
      const reader = new TraitsReader({ engine: { info }, cache, clock, log, emulates: async () => false });
      await withOwnTimers(clock, async () => {
        await reader.start();
        answer = 'is silent';
        await fire(2);
        answer = 'answers';
        await fire(1);
      });
      assert.deepEqual([asked, reader.traits.machine, clock.planned], [3, 'armv7l', []]);
      reader.stop();
    });

    it('a silent pull is given up, one that goes on is not', async () => {
      const stream = new PassThrough();
      const http = {
        open: async ({ signal }: { signal: AbortSignal }) => {
          signal.addEventListener('abort', () => stream.destroy(signal.reason));
          return { status: 200, stream };
        },
        broken: (error: unknown) => error,
      } as unknown as DockerHttp;
      const received: number[] = [];
      const pull = pullImage(http, 'web:1', {}, (percent) => received.push(percent), never, 60_000, clock);
      pull.catch(() => undefined);
      await flush();
      const say = (current: number): void => {
        const message = { id: 'l', status: 'Downloading', progressDetail: { current, total: 100 } };
        stream.write(`${JSON.stringify({ id: 'l', status: 'Pulling fs layer' })}\n${JSON.stringify(message)}\n`);
      };
      for (let part = 10; part <= 50; part += 10) {
        clock.advance(40_000);
        say(part);
        await flush();
      }
      const before = received.length;
      assert.ok(before > 1, 'it goes on');
      await fire(3);
      await assert.rejects(pull, /Nothing has come for 1 minutes/);
      assert.deepEqual(clock.planned, []);
    });

    it('a reading that stands still is ended after its looks, and no other', async () => {
      let bytes = 0;
      let silent = 0;
      const reading = { progress: () => bytes, look: () => undefined, silent: () => (silent += 1) };
      const stop = watchReading(clock, reading);
      for (let count = 0; count < 6; count += 1) {
        bytes += 1;
        await fire(1);
      }
      assert.equal(silent, 0);
      await fire(4);
      assert.deepEqual([silent, clock.planned], [1, []]);
      stop();
    });

    it('the API listens on its network, whatever refuses it at first', async () => {
      let refusals = 3;
      const open: string[] = [];
      const network = aNetwork({ status: { gateway: '10.114.104.1' } as never });
      const gateway = new Gateway({
        store: { get: () => network, watch: () => () => undefined, record: () => undefined } as never,
        server: {
          listen: async (address) => {
            refusals -= 1;
            if (refusals >= 0) throw new Error('no such address');
            open.push(address);
            return async () => undefined;
          },
        },
        ...{ port: 48484, isElsewhere: false, clock, elapsedMs: () => clock.monotonic(), random: () => 0 },
      });
      gateway.start();
      await flush();
      await fire(3);
      assert.deepEqual([open, clock.planned], [['10.114.104.1:48484'], []]);
      await gateway.stop();
    });

    it('the firewall is set until it holds', async () => {
      let applied = 0;
      const part = firewall({
        store: { list: () => [], watch: () => () => undefined } as never,
        settings: { apiPort: 48484 },
        variables: () => decodeVariables({}, { localMode: false }).values,
        host: {
          firewall: {
            apply: async () => {
              applied += 1;
              return applied === 4;
            },
          },
        },
        clock,
      });
      void part.start();
      await flush();
      await fire(3);
      assert.deepEqual([applied, clock.planned], [4, []]);
      void part.stop();
    });

    it('a device that is to be found blinks for its time, and is dark then', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'led-'));
      const path = join(folder, 'brightness');
      writeFileSync(path, '0');
      const halves: number[] = [];
      const mine = clock;
      const after = (ms: number, call: () => void): void => {
        halves.push(ms);
        mine.after(ms, call);
      };
      ledBlinker({ path, log: { warn: assert.fail }, after })();
      const look = (): string => {
        mine.step();
        return `${halves.length} ${readFileSync(path, 'utf8')}`;
      };
      await until('it has ended', look, (seen) => seen === '75 0', { everyMs: 1 });
      rmSync(folder, { recursive: true });
    });

    it('an edit of the files of the host is noticed once it has ended', async () => {
      const hostRoot = mkdtempSync(join(tmpdir(), 'host-'));
      mkdirSync(join(hostRoot, 'etc'));
      let reported = 0;
      const stop = watchHostFiles({ hostRoot, log: { warn: assert.fail }, clock })(() => (reported += 1));
      const look = (): number => {
        clock.step();
        return reported;
      };
      await until('it is told that the watch has begun', look, (count) => count > 0);
      const before = reported;
      writeFileSync(join(hostRoot, 'etc/hostname'), 'other');
      await until('it is told of the edit', look, (count) => count > before);
      stop();
      assert.deepEqual(clock.planned, []);
      rmSync(hostRoot, { recursive: true });
    });

    it('the lock of an app that is held by ours is waited for, and not for ever', async () => {
      let isHeld = true;
      const taken: number[] = [];
      const locks = {
        isHeld: () => isHeld,
        claim: async (appId: number) => {
          taken.push(appId);
          return { is: 'held' };
        },
        release: async () => 'released',
        during: async (_: number, action: () => Promise<boolean>) => action(),
      } as never;
      const all = allLocks({ locks, appIds: () => [1], overrides: () => false, clock });
      let ended: unknown;
      const run = (): void => {
        void all
          .during(false, async () => 7)
          .then((result) => {
            ended = result;
          });
      };
      run();
      await flush();
      isHeld = false;
      for (let count = 0; ended === undefined && count < 5; count += 1) await fire(1);
      isHeld = true;
      const first = ended;
      ended = undefined;
      run();
      for (let count = 0; ended === undefined && count < 1_000; count += 1) await fire(1);
      assert.match(JSON.stringify([first, ended]), /^\[\{"is":"done","value":7\},\{"is":"locked"/);
      assert.deepEqual([taken, clock.planned], [[1], []]);
    });

    it('a pass that does not end is ended when the agent stops', async () => {
      const network = aNetwork();
      let reason: unknown;
      const store = { list: () => [network], get: () => network, watch: () => () => undefined, owned: () => [] };
      const loop = new Loop(
        {
          kind: 'Network',
          workers: 1,
          watches: () => () => undefined,
          reconcile: (_: object, signal: AbortSignal) =>
            new Promise((_go, no) =>
              signal.addEventListener('abort', () => {
                reason = signal.reason;
                no(signal.reason);
              }),
            ),
        } as never,
        { store: store as never, clock, random: () => 0, log },
      );
      loop.start();
      await nextTurn();
      const stopped = loop.stop(5_000);
      await fire(1);
      await stopped;
      assert.match(String(reason), /Stopping/);
      assert.deepEqual(clock.planned, []);
    });
  });
}
