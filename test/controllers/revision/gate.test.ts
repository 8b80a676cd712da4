import assert from 'node:assert/strict';
import {
  type GateFacts,
  type GatePart,
  type GateSettings,
  judge,
  type Verdict,
} from '../../../controllers/revision/gate.js';

const SETTINGS = { deadlineMs: 600_000, minReadyMs: 10_000, maxRestarts: 3 };
const part = (more: Partial<GatePart> = {}): GatePart => ({ name: 'web', restarts: 0, ranMs: 60_000, ...more });
const STARTING = { notReady: 'its healthcheck has not said anything yet' };
const PORT = { notReady: 'PortInUse: port 80 is taken' };

interface Row extends Partial<Omit<GateFacts, 'parts'>> {
  readonly it: string;
  readonly parts?: readonly GatePart[];
  readonly settings?: Partial<GateSettings>;
  readonly want: string;
}

/** Each row is a release whose services have been well for a minute, when nothing else is said. */
const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'is good': [
    { it: 'when all was well for the minimum time', want: 'good: Every service was well for 10 s' },
    { it: 'in the very moment in which that is over', wellMs: 10_000, want: 'good: Every service was well for 10 s' },
    {
      it: 'at once without a minimum time',
      wellMs: 0,
      parts: [part({ ranMs: 0 })],
      settings: { minReadyMs: 0 },
      want: 'good: Every service was well for 0 s',
    },
    { it: 'when it has no services', parts: [], want: 'good: Every service was well for 10 s' },
    {
      it: 'when a one-shot has ended well',
      parts: [part({ ranMs: undefined as never })],
      want: 'good: Every service was well for 10 s',
    },
    {
      it: 'though the deadline is over, for what is well by then',
      watchedMs: 601_000,
      want: 'good: Every service was well for 10 s',
    },
    {
      it: 'after restarts that are not too many',
      parts: [part({ restarts: 3 })],
      want: 'good: Every service was well for 10 s',
    },
    {
      it: 'but for what was not well before either, which it says',
      parts: [part(), { name: 'db', restarts: 0, isExcused: true }],
      want: 'good: Every service was well for 10 s, but for db, which was not before either',
    },
    {
      it: 'at the deadline, with what was to end and goes on',
      watchedMs: 600_000,
      parts: [part({ isToEnd: true })],
      want: 'good: Every service was well for 10 s',
    },
    {
      it: 'after its deadline when it is held, with what was to end and goes on',
      watchedMs: 700_000,
      parts: [part({ isToEnd: true, restarts: 9 })],
      settings: { isHeld: true },
      want: 'good: Every service was well for 10 s',
    },
    {
      it: 'when it is held, was well for as long as that, and nobody knows for how long it was watched',
      wellMs: 600_000,
      parts: [part({ isToEnd: true })],
      settings: { isHeld: true },
      want: 'good: Every service was well for 10 s',
    },
  ],
  'is waited for': [
    {
      it: 'before the minimum time is over',
      wellMs: 4_000,
      want: 'open 6000: Every service is well; it counts after 10 s',
    },
    { it: 'when a timer fires 1 ms early', wellMs: 9_999, want: 'open 1: Every service is well; it counts after 10 s' },
    {
      it: 'while a container is younger than that',
      parts: [part(), part({ name: 'db', ranMs: 3_000 })],
      want: 'open 7000: Every service is well; it counts after 10 s',
    },
    {
      it: 'before a healthcheck has said anything',
      wellMs: undefined,
      watchedMs: 1_000,
      parts: [part(STARTING)],
      want: 'open 599000: Waiting for web (its healthcheck has not said anything yet)',
    },
    {
      it: 'while a port is taken',
      wellMs: undefined,
      parts: [part(PORT)],
      want: 'open 600000: Waiting for web (PortInUse: port 80 is taken)',
    },
    {
      it: 'without an end while images are on their way',
      wellMs: undefined,
      watchedMs: 700_000,
      paused: 'images are on their way',
      parts: [part(PORT)],
      want: 'open: Waiting for web (PortInUse: port 80 is taken); images are on their way',
    },
    {
      it: 'until a one-shot has ended',
      parts: [part({ name: 'migrate', isToEnd: true })],
      want: 'open 600000: Waiting for migrate to end',
    },
    {
      it: 'with few names',
      wellMs: undefined,
      parts: ['a', 'b', 'c', 'd', 'e'].map((name) => part({ name, notReady: 'x' })),
      want: 'open 600000: Waiting for a (x), b (x), c (x) and 2 more',
    },
    {
      it: 'until a one-shot has ended while it is held, too',
      parts: [part({ name: 'migrate', isToEnd: true })],
      settings: { isHeld: true },
      want: 'open 540000: Waiting for migrate to end',
    },
    {
      it: 'without an end when it is held',
      wellMs: undefined,
      watchedMs: 700_000,
      parts: [part({ ...PORT, restarts: 9 })],
      settings: { isHeld: true },
      want: 'open: Waiting for web (PortInUse: port 80 is taken)',
    },
    { it: 'when nobody has looked at it', wellMs: undefined, want: 'open 600000: Waiting for what was promoted' },
  ],
  'is bad': [
    {
      it: 'with what condemns it',
      parts: [part(), part({ name: 'db', fault: { reason: 'CommandNotFound', message: 'no such command' } })],
      want: 'bad CommandNotFound: db: no such command',
    },
    {
      it: 'with that also in a pause',
      paused: 'images are on their way',
      parts: [part({ fault: { reason: 'Unhealthy', message: 'it is' } })],
      want: 'bad Unhealthy: web: it is',
    },
    {
      it: 'with one restart too many',
      parts: [part({ restarts: 4, notReady: 'CrashLoop: exited with 1' })],
      want: 'bad CrashLoop: web was restarted 4 times, more than 3 times: CrashLoop: exited with 1',
    },
    {
      it: 'with the first restart where none is allowed',
      settings: { maxRestarts: 0 },
      parts: [part({ restarts: 1 })],
      want: 'bad CrashLoop: web was restarted once, more than 0 times',
    },
    {
      it: 'at the deadline',
      wellMs: undefined,
      watchedMs: 600_000,
      parts: [part(PORT)],
      want: 'bad ProgressDeadlineExceeded: Not well 600 s after the promotion: web (PortInUse: port 80 is taken)',
    },
  ],
};

const text = (verdict: Verdict): string => {
  switch (verdict.is) {
    case 'good':
      return `good: ${verdict.message}`;
    case 'bad':
      return `bad ${verdict.reason}: ${verdict.message}`;
    case 'open':
      return `open${verdict.forMs === undefined ? '' : ` ${verdict.forMs}`}: ${verdict.message}`;
  }
};

describe('a release', () => {
  for (const [is, rows] of Object.entries(TABLES)) {
    describe(is, () => {
      for (const { it: name, settings, want, parts = [part()], ...facts } of rows) {
        it(name, () => {
          const all: GateFacts = { parts, watchedMs: 0, paused: undefined, wellMs: 60_000, ...facts };
          assert.equal(text(judge(all, { ...SETTINGS, ...settings })), want);
        });
      }
    });
  }
});
