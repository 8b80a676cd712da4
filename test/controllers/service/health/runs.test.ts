import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import { type Look, lookAtRuns } from '../../../../controllers/service/health/runs.js';
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
  const news: string[] = [];
  for (const { requested = false, ranMs = 0, at: now = at(0), ...seen } of moments) {
    const container = aContainer(seen);
    const { news: what, ...facts } = lookAtRuns(status, container, { requested, ranMs, at: now });
    news.push(`${what.exits}/${what.starts}`);
    const { id, name, createdAt, startedAt, image, restartCount = 0 } = container;
    status = {
      ...facts,
      ...(container.state === 'exited' ? { exitCode: container.exitCode } : {}),
      container: { id, name, createdAt, image, restartCount, ...(startedAt ? { startedAt } : {}) },
    };
  }
  const { restarts = 0, crashLoopSince, lastExit, unhealthySince, runningSince } = status;
  return {
    news: news.join(' '),
    restarts,
    loops: crashLoopSince !== undefined,
    lastExit,
    unhealthySince,
    runningSince,
  };
}
const INSTALLING = { reason: 'Installing', because: 'there was none', at: at(0) };

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
      'calls a restart after a failure a loop',
      [running(1), restarting(5, 1, 1), running(6, { finishedAt: at(5), restartCount: 1 })],
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
      const { news, restarts, loops } = follow(moments, first);
      assert.equal(`${news}; ${restarts} restarts${loops ? ', loops' : ''}`, want);
    });
  }

  it('says since when it runs, is unhealthy, and how it ended', () => {
    assert.deepEqual(
      follow([
        running(1),
        running(1, { health: 'unhealthy', at: at(7) }),
        running(1, { health: 'unhealthy', at: at(9) }),
      ]),
      {
        news: '0/0 0/0 0/0',
        restarts: 0,
        loops: false,
        lastExit: undefined,
        unhealthySince: at(7),
        runningSince: at(1),
      },
    );
    const { lastExit, unhealthySince, runningSince } = follow([running(1), ended(5, 3, { health: 'unhealthy' })]);
    assert.deepEqual(
      { lastExit, unhealthySince, runningSince },
      {
        lastExit: { exitCode: 3, finishedAt: at(5) },
        unhealthySince: undefined,
        runningSince: undefined,
      },
    );
  });
});
