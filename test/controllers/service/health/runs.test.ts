import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import {
  hasFinished,
  type Look,
  lookAtRuns,
  type RunFacts,
  recordedRun,
} from '../../../../controllers/service/health/runs.js';
import type { ServiceStatus } from '../../../../crds/model/types.js';
import { aContainer, UNLIMITED } from '../service-states.js';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

/** A container as it looks at one moment, and what is known beside it. */
type Moment = Partial<SeenContainer> & Partial<Look>;

const policy = (Name: string, MaximumRetryCount = 0) => ({ ...UNLIMITED, RestartPolicy: { Name, MaximumRetryCount } });
const running = (since: number, more: Moment = {}): Moment => ({ state: 'running', startedAt: at(since), ...more });
const ended = (second: number, exitCode: number, more: Moment = {}): Moment => ({
  state: 'exited',
  finishedAt: at(second),
  exitCode,
  ...more,
});
const restarting = (second: number, exitCode: number, restartCount: number): Moment =>
  ended(second, exitCode, { state: 'restarting', restartCount });

/** Runs that end with 1 after so many seconds and are begun again a second later, and how the next one looks now. */
function slowLoop(runs: readonly number[], now: Moment = {}): readonly Moment[] {
  const moments: Moment[] = [running(1)];
  let start = 1;
  for (const [index, seconds] of runs.entries()) {
    const [end, restartCount] = [start + seconds, index + 1];
    moments.push({ ...restarting(end, 1, restartCount), startedAt: at(start), at: at(end) });
    start = end + 1;
    const isLast = restartCount === runs.length;
    moments.push(running(start, { finishedAt: at(end), restartCount, at: at(start), ...(isLast ? now : {}) }));
  }
  return moments;
}

/** Looks at each moment with what the status said after the one before; what a status of the first says is nothing. */
function follow(moments: readonly Moment[], first: ServiceStatus = { lastAction: INSTALLING }) {
  let status: ServiceStatus = first;
  let facts: RunFacts = {};
  const news: string[] = [];
  for (const { requested = false, ranMs = 0, at: now = at(0), ...seen } of moments) {
    const container = aContainer(seen);
    const { news: what, ...reported } = lookAtRuns(status, container, { requested, ranMs, at: now });
    facts = reported;
    news.push(`${what.exits}/${what.starts}`);
    const { id, name, createdAt, startedAt, image, restartCount = 0 } = container;
    status = {
      ...facts,
      ...(container.state === 'exited' ? { exitCode: container.exitCode } : {}),
      container: { id, name, createdAt, image, restartCount, ...(startedAt ? { startedAt } : {}) },
    };
  }
  return { news: news.join(' '), facts };
}
const INSTALLING = { reason: 'Installing', because: 'there was none', at: at(0) };
const STARTING = { reason: 'Starting', because: 'spec changed', at: at(0) };

/** What a status tells of another container of the service. */
const another = (second: number, restartCount = 0) => ({
  id: 'c2',
  name: 'web_2_1_a',
  createdAt: at(second),
  startedAt: at(second),
  image: 'sha256:2',
  restartCount,
});

describe('lookAtRuns', () => {
  const CASES: readonly (readonly [it: string, moments: readonly Moment[], want: string, more?: ServiceStatus])[] = [
    ['has no news of a container that runs', [running(1), running(1)], '0/0 0/0; 0 restarts'],
    [
      'tells an end and a start',
      [running(1), ended(5, 1), running(6, { finishedAt: at(5) })],
      '0/0 1/0 0/1; 1 restarts',
    ],
    [
      'tells the end of one that had exited at once, before anybody looked',
      [ended(1, 1, { updatable: policy('no') })],
      '1/0; 0 restarts',
    ],
    [
      'tells an end once, however often it is looked at',
      [running(1), ended(5, 0), ended(5, 0)],
      '0/0 1/0 0/0; 0 restarts',
    ],
    [
      'tells what one that was made just now has done before anybody looked',
      [running(9, { finishedAt: at(8), restartCount: 2 })],
      '2/2; 2 restarts',
    ],
    [
      'as one that an update has made beside another',
      [ended(1, 1, { updatable: policy('no') })],
      '1/0; 0 restarts',
      { lastAction: STARTING, container: another(0) },
    ],
    [
      "and takes one that is older than that other for another agent's",
      [ended(1, 1, { updatable: policy('no') })],
      '0/0; 0 restarts',
      { lastAction: STARTING, container: another(10) },
    ],
    [
      'tells the ends of the container that leaves, whatever the new one did',
      [running(9, { finishedAt: at(8), restartCount: 2 })],
      '2/2; 2 restarts',
      {
        exitCode: 1,
        container: another(5, 1),
        outgoing: { ...another(0), id: 'c1', name: 'web_1_1_a', startedAt: at(1) },
      },
    ],
    [
      'tells the end of one that the engine could not remove',
      [running(1), ended(5, 1, { state: 'dead' })],
      '0/0 1/0; 0 restarts',
    ],
    [
      'tells nothing of a one-shot that could not be started, until it is',
      [
        { state: 'exited', startedAt: undefined, exitCode: 127, updatable: policy('no') },
        running(6, { updatable: policy('no') }),
      ],
      '0/0 0/0; 0 restarts',
    ],
    [
      'does not count what was asked for before it has come',
      [running(1), running(1, { requested: true })],
      '0/0 0/0; 0 restarts',
    ],
    [
      'does not count what was asked for',
      [running(1), ended(5, 143, { requested: true }), running(6, { finishedAt: at(5) })],
      '0/0 0/0 0/1; 0 restarts',
    ],
    [
      'counts no restart when somebody asks for another run of a one-shot',
      [
        running(1),
        ended(5, 0, { updatable: policy('no') }),
        running(9, { finishedAt: at(5), updatable: policy('no') }),
      ],
      '0/0 1/0 0/1; 0 restarts',
    ],
    [
      'tells a restart by hand that it has not seen the middle of',
      [running(1), running(6, { finishedAt: at(5) })],
      '0/0 1/1; 1 restarts',
    ],
    [
      'counts what the engine did between two looks',
      [running(1), running(9, { finishedAt: at(8), restartCount: 2, at: at(9) })],
      '0/0 2/2; 2 restarts',
    ],
    [
      'and the end that it was not begun again after',
      [running(1), ended(9, 1, { restartCount: 2, updatable: policy('on-failure', 2) })],
      '0/0 3/0; 2 restarts',
    ],
    [
      'takes back no restart when it looks at an end again',
      [running(1), running(6, { finishedAt: at(5) }), ended(9, 1), ended(9, 1)],
      '0/0 1/1 1/0 0/0; 1 restarts',
    ],
    [
      'and none when it is stopped',
      [running(1), running(6, { finishedAt: at(5) }), ended(9, 143, { requested: true })],
      '0/0 1/1 0/0; 1 restarts',
    ],
    [
      'calls a restart after a failure a loop',
      [running(1), restarting(5, 1, 1), running(6, { finishedAt: at(5), restartCount: 1 })],
      '0/0 1/0 0/1; 1 restarts, loops',
    ],
    [
      'and one that it has seen neither the start nor the end of',
      [restarting(5, 1, 57)],
      '0/0; 57 restarts, loops',
      {},
    ],
    [
      'and one whose failure was seen before the engine began it again',
      [running(1), ended(5, 1), running(6, { finishedAt: at(5), restartCount: 1 })],
      '0/0 1/0 0/1; 1 restarts, loops',
    ],
    [
      'and one after success not, before the third',
      [running(1), restarting(5, 0, 1), running(6, { finishedAt: at(5), restartCount: 1 }), restarting(8, 0, 2)],
      '0/0 1/0 0/1 1/0; 2 restarts',
    ],
    [
      'calls three restarts in five minutes a loop',
      [
        running(1),
        restarting(5, 0, 1),
        restarting(100, 0, 2),
        { ...restarting(200, 0, 3), at: at(200) },
        running(201, { finishedAt: at(200), restartCount: 3, at: at(201) }),
      ],
      '0/0 1/0 1/0 1/0 0/1; 3 restarts, loops',
    ],
    [
      'to the very second',
      [
        running(1),
        { ...restarting(5, 0, 1), at: at(5) },
        { ...restarting(200, 0, 2), at: at(200) },
        { ...restarting(305, 0, 3), at: at(305) },
      ],
      '0/0 1/0 1/0 1/0; 3 restarts, loops',
    ],
    [
      'whatever was before them',
      [
        running(1),
        { ...restarting(5, 0, 1), at: at(5) },
        { ...restarting(400, 0, 2), at: at(400) },
        { ...restarting(500, 0, 3), at: at(500) },
        { ...restarting(600, 0, 4), at: at(600) },
      ],
      '0/0 1/0 1/0 1/0 1/0; 4 restarts, loops',
    ],
    [
      'but not three in six',
      [
        running(1),
        { ...restarting(5, 0, 1), at: at(5) },
        { ...restarting(200, 0, 2), at: at(200) },
        { ...restarting(365, 0, 3), at: at(365) },
      ],
      '0/0 1/0 1/0 1/0; 3 restarts',
    ],
    [
      'counts them across a clock that is set back a year',
      [
        running(1),
        { ...restarting(5, 0, 1), at: at(5) },
        { ...restarting(9, 0, 2), at: at(9) },
        { ...restarting(9 - 31_536_000, 0, 3), at: at(9 - 31_536_000) },
      ],
      '0/0 1/0 1/0 1/0; 3 restarts, loops',
    ],
    [
      'lets a loop of short runs end after a minute',
      slowLoop([5, 5], { ranMs: 60_000 }),
      '0/0 1/0 0/1 1/0 0/1; 2 restarts',
    ],
    [
      'but not one that crashes each time after 70 s',
      slowLoop([70, 70], { ranMs: 69_000 }),
      '0/0 1/0 0/1 1/0 0/1; 2 restarts, loops',
    ],
    [
      'which has to run for twice the longest run, in whole minutes',
      slowLoop([70, 70, 20], { ranMs: 179_999 }),
      '0/0 1/0 0/1 1/0 0/1 1/0 0/1; 3 restarts, loops',
    ],
    [
      'and then is out of its loop',
      slowLoop([70, 70, 20], { ranMs: 180_000 }),
      '0/0 1/0 0/1 1/0 0/1 1/0 0/1; 3 restarts',
    ],
    [
      'as after ten minutes, however long its runs were',
      slowLoop([590, 590], { ranMs: 600_000 }),
      '0/0 1/0 0/1 1/0 0/1; 2 restarts',
    ],
    ['and not a moment before', slowLoop([590, 590], { ranMs: 599_999 }), '0/0 1/0 0/1 1/0 0/1; 2 restarts, loops'],
    [
      'asks for a minute after the first end, however long it had run',
      slowLoop([590], { ranMs: 60_000 }),
      '0/0 1/0 0/1; 1 restarts',
    ],
    [
      'and after a run of ten minutes, whatever was before',
      slowLoop([5, 300, 600], { ranMs: 60_000 }),
      '0/0 1/0 0/1 1/0 0/1 1/0 0/1; 3 restarts',
    ],
    [
      'and when somebody has started it by hand meanwhile',
      [
        ...slowLoop([5, 300]),
        ended(400, 137, { startedAt: at(307), restartCount: 2 }),
        running(401, { finishedAt: at(400) }),
        restarting(402, 1, 1),
        running(403, { finishedAt: at(402), restartCount: 1, ranMs: 60_000 }),
      ],
      '0/0 1/0 0/1 1/0 0/1 1/0 0/1 1/0 0/1; 4 restarts',
    ],
    [
      'believes no health that has not lasted before',
      slowLoop([70, 70], { ranMs: 139_000, health: 'healthy' }),
      '0/0 1/0 0/1 1/0 0/1; 2 restarts, loops',
    ],
    [
      'and one that lasts twice as long',
      slowLoop([70, 70], { ranMs: 140_000, health: 'healthy' }),
      '0/0 1/0 0/1 1/0 0/1; 2 restarts',
    ],
    [
      'knows how long a run was whose end it has not seen',
      [
        ...slowLoop([70]),
        running(142, { finishedAt: at(141), restartCount: 2, at: at(142) }),
        running(142, { finishedAt: at(141), restartCount: 2, ranMs: 69_000 }),
      ],
      '0/0 1/0 0/1 1/1 0/0; 2 restarts, loops',
    ],
    [
      'and one whose start it has not seen',
      [
        running(1),
        { ...restarting(100, 1, 3), startedAt: at(30) },
        running(101, { finishedAt: at(100), restartCount: 3, ranMs: 69_000 }),
      ],
      '0/0 3/0 0/1; 3 restarts, loops',
    ],
    [
      'takes no time before a start that it has not seen for a run',
      [
        running(1),
        restarting(500, 1, 1),
        running(505, { finishedAt: at(503), restartCount: 2 }),
        running(505, { finishedAt: at(503), restartCount: 2, ranMs: 60_000 }),
      ],
      '0/0 1/0 1/1 0/0; 2 restarts',
    ],
    [
      'takes a clock that is set back during a run for no run at all',
      [
        ...slowLoop([70]),
        ended(-500, 1, { state: 'restarting', restartCount: 2, startedAt: at(72) }),
        running(-499, { finishedAt: at(-500), restartCount: 2, ranMs: 60_000 }),
      ],
      '0/0 1/0 0/1 1/0 0/1; 2 restarts',
    ],
    [
      'lets the loop end after a minute',
      [running(1), restarting(5, 1, 1), running(6, { finishedAt: at(5), restartCount: 1, ranMs: 60_000 })],
      '0/0 1/0 0/1; 1 restarts',
    ],
    [
      'or when it is healthy',
      [running(1), restarting(5, 1, 1), running(6, { finishedAt: at(5), restartCount: 1, health: 'healthy' })],
      '0/0 1/0 0/1; 1 restarts',
    ],
    [
      'or has ended for good',
      [
        running(1, { updatable: policy('on-failure', 1) }),
        { ...restarting(5, 1, 1), updatable: policy('on-failure', 1) },
        ended(6, 1, { startedAt: at(6), restartCount: 1, updatable: policy('on-failure', 1) }),
      ],
      '0/0 1/0 1/0; 1 restarts',
    ],
    [
      'calls it no loop when somebody stops and starts it by hand, however often',
      [running(1), ...[2, 3, 4].flatMap((n) => [ended(n, 137), running(n, { finishedAt: at(n) })])],
      '0/0 1/0 0/1 1/0 0/1 1/0 0/1; 3 restarts',
    ],
    [
      'takes a container that another agent left as it is, and its restarts for past',
      [running(1, { restartCount: 57, finishedAt: at(0) })],
      '0/0; 57 restarts',
      {},
    ],
    [
      'and what an earlier version wrote',
      [running(1, { restartCount: 2, finishedAt: at(0) })],
      '0/0; 2 restarts',
      { container: { id: 'c1', name: 'web_1_1_a', createdAt: at(0), image: 'sha256:1' } },
    ],
  ];
  for (const [it_, moments, want, first] of CASES) {
    it(it_, () => {
      const { news, facts } = follow(moments, first);
      const { restarts = 0, crashLoopSince } = facts;
      assert.equal(`${news}; ${restarts} restarts${crashLoopSince === undefined ? '' : ', loops'}`, want);
    });
  }

  const FACTS: readonly (readonly [it: string, moments: readonly Moment[], want: RunFacts, more?: ServiceStatus])[] = [
    [
      'since when it runs and is unhealthy',
      [running(1), running(1, { health: 'unhealthy', at: at(7) }), running(1, { health: 'unhealthy', at: at(9) })],
      { runningSince: at(1), unhealthySince: at(7) },
    ],
    [
      'the same of one that is paused',
      [running(1), running(1, { state: 'paused', health: 'unhealthy', at: at(7) })],
      { runningSince: at(1), unhealthySince: at(7) },
    ],
    [
      'the same of one that another agent left',
      [running(1, { health: 'unhealthy', at: at(7) })],
      { runningSince: at(1), unhealthySince: at(7) },
      {},
    ],
    [
      'how it ended, and no longer that it runs',
      [running(1), ended(5, 3, { health: 'unhealthy' })],
      { lastExit: { exitCode: 3, finishedAt: at(5) } },
    ],
    [
      'that its end was asked for',
      [running(1), ended(5, 143, { requested: true })],
      { lastExit: { exitCode: 143, finishedAt: at(5), requested: true } },
    ],
    [
      'how it ended while it waits to be begun again',
      [running(1), { ...restarting(5, 3, 1), at: at(5) }],
      {
        lastExit: { exitCode: 3, finishedAt: at(5) },
        restarts: 1,
        recentRestarts: [at(5)],
        crashLoopSince: at(5),
      },
    ],
    [
      'how it ended once it runs again',
      [running(1), ended(5, 3), running(6, { finishedAt: at(5) })],
      { lastExit: { exitCode: 3, finishedAt: at(5) }, restarts: 1, runningSince: at(6) },
    ],
    [
      'no code of an end that was over before anybody looked: it is shown no more',
      [running(1), running(6, { finishedAt: at(5) })],
      { lastExit: { finishedAt: at(5) }, restarts: 1, runningSince: at(6) },
    ],
    [
      'no run of a loop longer than it was because we end it',
      [...slowLoop([5, 5]), ended(300, 143, { startedAt: at(13), restartCount: 2, requested: true })],
      {
        lastExit: { exitCode: 143, finishedAt: at(300), requested: true },
        restarts: 2,
        recentRestarts: [at(6), at(12)],
        longestRunSeconds: 5,
      },
    ],
    [
      'the run that somebody pauses the next one of',
      [...slowLoop([70]), running(142, { state: 'paused', finishedAt: at(141), restartCount: 2, at: at(142) })],
      {
        lastExit: { finishedAt: at(141) },
        restarts: 2,
        recentRestarts: [at(71), at(142)],
        longestRunSeconds: 69,
        runningSince: at(142),
      },
    ],
    [
      'the run that began in the moment of the end before it',
      [
        ...slowLoop([70]).slice(0, 2),
        running(71, { finishedAt: at(71), restartCount: 1, at: at(71) }),
        running(142, { finishedAt: at(141), restartCount: 2, at: at(142) }),
      ],
      {
        lastExit: { finishedAt: at(141) },
        restarts: 2,
        recentRestarts: [at(71), at(142)],
        longestRunSeconds: 70,
        runningSince: at(142),
        crashLoopSince: at(71),
      },
    ],
    [
      'the longest run that it has seen, when others are over before anybody looked',
      [...slowLoop([70, 70]), running(400, { finishedAt: at(399), restartCount: 4, at: at(400) })],
      {
        lastExit: { finishedAt: at(399) },
        restarts: 4,
        recentRestarts: [at(142), at(400), at(400)],
        longestRunSeconds: 70,
        runningSince: at(400),
        crashLoopSince: at(71),
      },
    ],
  ];
  for (const [it_, moments, want, first] of FACTS) {
    it(`tells ${it_}`, () => assert.deepEqual(follow(moments, first).facts, want));
  }

  it('takes a container that no status was written about as it is', () => {
    const look = { requested: false, ranMs: 0, at: at(7) };
    assert.deepEqual(lookAtRuns(undefined, aContainer(), look), {
      runningSince: at(1),
      news: { exits: 0, starts: 0 },
    });
  });
});

describe('toldOf', () => {
  const outgoing = { ...another(0), id: 'c1', restarts: 3 };
  const status: ServiceStatus = { restarts: 1, container: another(5), outgoing };
  const cases: readonly (readonly [it: string, status: ServiceStatus | undefined, id: string, restarts?: number])[] = [
    ['tells of the container', status, 'c2', 1],
    ['tells of the one that leaves', status, 'c1', 3],
    ['tells nothing of any other', status, 'c3'],
    ['tells nothing before a status is written', undefined, 'c2'],
  ];
  for (const [it_, reported, id, restarts] of cases) {
    it(it_, () => assert.equal(recordedRun(reported, id)?.restarts, restarts));
  }
});

describe('a container has finished for good', () => {
  type Row = {
    readonly it: string;
    readonly policy: string;
    readonly most?: number;
    readonly code?: number;
    readonly restarts?: number;
    readonly error?: string;
    readonly state?: 'running' | 'created';
    readonly want: boolean;
  };
  const rows: readonly Row[] = [
    { it: 'when it was to run once and ended well', policy: 'no', want: true },
    { it: 'when it was to run once and failed', policy: 'no', code: 1, want: true },
    {
      it: 'not when its only start failed: it has not run',
      policy: 'no',
      code: 127,
      error: 'no such file',
      want: false,
    },
    { it: 'not while it runs', policy: 'no', state: 'running', want: false },
    { it: 'not before it was started', policy: 'no', state: 'created', want: false },
    { it: 'when on-failure ended well', policy: 'on-failure', want: true },
    { it: 'not when on-failure failed', policy: 'on-failure', code: 1, want: false },
    { it: 'not when the last start of on-failure failed', policy: 'on-failure', error: 'no such file', want: false },
    {
      it: 'when on-failure failed as often as it may',
      policy: 'on-failure',
      most: 3,
      restarts: 3,
      code: 1,
      want: true,
    },
    {
      it: 'also when the last of those starts failed',
      policy: 'on-failure',
      most: 3,
      restarts: 3,
      error: 'x',
      want: true,
    },
    { it: 'not one failure earlier', policy: 'on-failure', most: 3, restarts: 2, code: 1, want: false },
    { it: 'not when it may fail without limit', policy: 'on-failure', most: 0, restarts: 99, code: 1, want: false },
    { it: 'never under always, whoever stopped it', policy: 'always', want: false },
    { it: 'never under unless-stopped', policy: 'unless-stopped', want: false },
    { it: 'not under always for a count that is of on-failure', policy: 'always', most: 3, restarts: 3, want: false },
  ];
  for (const { it: what, policy, most = 0, code = 0, restarts, error = '', state = 'exited', want } of rows) {
    it(what, () => {
      const container = aContainer({
        state,
        exitCode: code,
        error,
        ...(restarts === undefined ? {} : { restartCount: restarts }),
      });
      assert.equal(hasFinished({ Name: policy, MaximumRetryCount: most }, container), want);
    });
  }
});
