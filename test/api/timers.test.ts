import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Client } from '../../api/cli/client/client.js';
import { Mirror } from '../../api/cli/client/watch.js';
import { endAfter } from '../../api/http/resources/watch.js';
import { commander } from '../../api/http/supervisor/commands.js';
import { hostConfigPatcher } from '../../api/http/supervisor/host-config-change.js';
import { StrangerBodies } from '../../api/http/webhooks/stranger-bodies.js';
import { pause } from '../../api/platform/clock.js';
import { runProgram } from '../../api/platform/run-program.js';
import { settledWithin, timeoutSignal, withTimeout } from '../../api/platform/time-limit.js';
import { aDocument, aService } from '../setup/documents.js';
import { FakeClock, PUNCTUALITIES } from '../setup/fake-clock.js';
import { fire as fireTimers, withOwnTimers } from '../setup/own-timers.js';
import { until } from '../setup/until.js';

const silent = { warn: () => undefined };

for (const punctuality of PUNCTUALITIES) {
  describe(`of the API, when timers fire ${punctuality}`, () => {
    let clock: FakeClock;
    beforeEach(() => {
      clock = new FakeClock(undefined, punctuality);
    });
    const fire = (times: number): Promise<void> => fireTimers(clock, times);

    it('a watch ends when its time is over, with its last word', async () => {
      const output: string[] = [];
      const stream = { end: () => void output.push('end') };
      endAfter(stream, 60, () => output.push('bookmark'), clock);
      endAfter(stream, 60, () => output.push('of one that has ended before'), clock)();
      await fire(1);
      assert.deepEqual([output, clock.planned], [['bookmark', 'end'], []]);
    });

    it('who waits for a command gets the answer that it is under way, or how it ended', async () => {
      let document = aService();
      const received = new Set<() => void>();
      const command = commander({
        store: {
          get: () => document as never,
          request: async () => {
            document = aService({ requests: { restart: { id: 'r', at: '', force: false } } as never });
          },
          watch: (listener: () => void) => {
            received.add(listener);
            return () => received.delete(listener);
          },
          withdraw: async () => undefined,
          flush: async () => undefined,
        } as never,
        clock,
      });
      const late = command('Service/hello.web', 'restart', { force: false });
      await nextTurn();
      await fire(1);
      assert.match(JSON.stringify(await late), /still under way after 120 s, and will be carried out/);
      const done = command('Service/hello.web', 'restart', { force: false });
      await nextTurn();
      document = aService({
        requests: { restart: { id: 'r', at: '', force: false } } as never,
        status: { handled: { restart: 'r' } } as never,
      });
      for (const listener of [...received]) listener();
      assert.deepEqual([await done, clock.planned, received.size], [{ is: 'done' }, [], 0]);
    });

    it('a body that does not come is given up, one that comes is read', async () => {
      const bodies = new StrangerBodies(5_000, clock);
      const slow = bodies.read(new PassThrough());
      await fire(1);
      assert.equal(await slow, 'late');
      const source = new PassThrough();
      const whole = bodies.read(source);
      source.end('payload');
      assert.deepEqual([String(await whole), clock.planned], ['payload', []]);
    });

    it('a change of the host is waited for until it is made, and not for ever', async () => {
      const settings = (generation: number, status: object) =>
        aDocument('HostConfig', 'network', { hostname: 'a' } as never, {
          ...{ generation, origin: 'api', status: status as never },
        });
      const unsettled = settings(1, {});
      let document = unsettled;
      const store = {
        get: () => document,
        put: async () => ({ refused: [], created: [], changed: ['HostConfig/network'] }),
        delete: async () => undefined,
        isPending: () => false,
      } as never;
      const host = {
        network: async () => ({ hostname: 'a' }),
        underLocks: async (_: boolean, action: () => Promise<unknown>) => ({ is: 'done', value: await action() }),
      } as never;
      const change = hostConfigPatcher({ store, host, log: silent, deadlineMs: 1_000, clock });
      const outcome = async (): Promise<unknown> => {
        let ended: unknown;
        void change({ hostname: 'b' }, false).then((end) => {
          ended = end;
        });
        for (let count = 0; ended === undefined && count < 100; count += 1) await fire(1);
        return ended;
      };
      assert.match(JSON.stringify(await outcome()), /not applied within 1 s/);
      const ready = { type: 'Ready', status: 'True', reason: 'Settled', message: '', lastTransitionTime: '' };
      setImmediate(() => {
        document = settings(1, { observedGeneration: 1, conditions: [{ ...ready, observedGeneration: 1 }] });
      });
      assert.deepEqual([await outcome(), clock.planned], [{ is: 'done' }, []]);
    });

    it('limits of time come, and go with what ends before', async () => {
      await withOwnTimers(clock, async () => {
        const never = new Promise<never>(() => undefined);
        const late = assert.rejects(
          settledWithin(10_000, never, () => new Error('late')),
          /late/,
        );
        const signal = timeoutSignal(10_000);
        const given = assert.rejects(
          withTimeout(10_000, new AbortController().signal, (limit) => pause(clock, 1e9, limit)),
          /Not done within 10 s/,
        );
        await fire(3);
        await Promise.all([late, given]);
        assert.equal(signal.aborted, true);
        assert.equal(await settledWithin(10_000, Promise.resolve(1), assert.fail as never), 1);
        assert.equal(await withTimeout(10_000, new AbortController().signal, async () => 1), 1);
        assert.deepEqual(clock.planned, []);
      });
    });

    it('a program that does not end is ended, with what it has started', async () => {
      await withOwnTimers(clock, async () => {
        const env = { PATH: process.env.PATH ?? '' };
        const run = runProgram('sh', { args: ['-c', 'sleep 60 & wait'], env, timeoutMs: 200, limitBytes: 1_000 });
        await fire(1);
        assert.equal((await run).ended, 'timeout');
        let looks = 0;
        const watch = async (): Promise<string | undefined> => {
          looks += 1;
          return looks < 3 ? undefined : 'too much';
        };
        const watched = runProgram('sleep', { args: ['60'], env, timeoutMs: 1e8, limitBytes: 1_000, watch });
        await fire(3);
        assert.equal((await watched).ended, 'too much');
        assert.deepEqual(clock.planned, []);
      });
    });
  });
}

describe('times that are longer than what Node can wait for at once', () => {
  const MONTH_MS = 31 * 86_400_000;

  it('do not end a watch at its begin', async () => {
    let isEnded = false;
    const end = (): void => {
      isEnded = true;
    };
    const cancel = endAfter({ end }, MONTH_MS / 1_000);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(isEnded, false);
    cancel();
  });

  it('do not end the wait of a command of the CLI at its begin', async () => {
    const client = {
      ask: async () => ({ metadata: { resourceVersion: '1' }, items: [] }),
      async *lines(_path: string, signal: AbortSignal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    } as unknown as Client;
    let ended: string | undefined;
    let looks = 0;
    const mirror = new Mirror(client, ['/x']);
    const look = (): string | undefined => {
      looks += 1;
      return looks > 3 ? 'seen' : undefined;
    };
    const waiting = mirror.until(look, MONTH_MS);
    void waiting.then((result) => {
      ended = result ?? 'late';
    });
    const ask = (): string | undefined => {
      mirror.lookAgain();
      return ended;
    };
    assert.equal(await until('it has an end', ask, (end) => end !== undefined, { everyMs: 3 }), 'seen');
  });
});
