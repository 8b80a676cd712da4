import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import type { RunFacts } from '../../../../controllers/service/health/runs.js';
import { exitText, unwellOf } from '../../../../controllers/service/health/unwell.js';
import { aContainer } from '../service-states.js';

/** What is said of a container that is as its document wants it. Each row is one that runs, and has for a second. */
interface Row {
  readonly it: string;
  readonly facts?: RunFacts;
  readonly seen?: Partial<SeenContainer>;
  readonly policy?: { readonly Name: string; readonly MaximumRetryCount: number };
  readonly ranMs?: number;
  readonly want: string;
}

const ALWAYS = { Name: 'always', MaximumRetryCount: 0 };
const NO = { Name: 'no', MaximumRetryCount: 0 };
const AT = '2026-01-01T00:00:00Z';
const exit = (exitCode: number, requested = false): RunFacts => ({ lastExit: { exitCode, finishedAt: AT, requested } });
const looping = (more: RunFacts = {}): RunFacts => ({ ...exit(1), crashLoopSince: AT, ...more });
const RESTARTED = 'CrashLoop: Container web_1_1_a exited with 1 and is restarted; it is well when it has run for';

const rows: readonly Row[] = [
  { it: 'is well', want: 'well' },
  { it: 'is well after an end that is past', facts: exit(1), want: 'well' },
  {
    it: 'is done when it has ended without an error',
    facts: exit(0),
    seen: { state: 'exited', exitCode: 0 },
    policy: NO,
    want: 'well',
  },
  {
    it: 'is done when somebody asked for its end, whatever it ended with',
    facts: exit(137, true),
    seen: { state: 'exited', exitCode: 137 },
    policy: NO,
    want: 'well',
  },
  {
    it: 'has failed when it ended with an error and nothing starts it again',
    facts: exit(2),
    seen: { state: 'exited', exitCode: 2 },
    policy: NO,
    want: 'Failed: Container web_1_1_a exited with 2, and restart: no does not start it again; asking for a start does, or another definition',
  },
  {
    it: 'has failed, and not in a loop, when it is not started any more',
    facts: looping(),
    seen: { state: 'exited', exitCode: 1 },
    policy: NO,
    want: 'Failed: Container web_1_1_a exited with 1, and restart: no does not start it again; asking for a start does, or another definition',
  },
  {
    it: 'has failed before anybody noted its end',
    seen: { state: 'exited', exitCode: 3 },
    policy: NO,
    want: 'Failed: Container web_1_1_a exited with 3, and restart: no does not start it again; asking for a start does, or another definition',
  },
  {
    it: 'is in a loop until it has run for a minute',
    facts: looping(),
    want: `${RESTARTED} 60 s or is healthy, after 59000 ms`,
  },
  {
    it: 'is in a loop while it does not run, for as long as that takes',
    facts: looping(),
    seen: { state: 'restarting' },
    want: `${RESTARTED} 60 s or is healthy`,
  },
  {
    it: 'has to run for twice its longest run that was too short, in whole minutes',
    facts: looping({ longestRunSeconds: 45 }),
    want: `${RESTARTED} 120 s or is healthy after 90 s, after 119000 ms`,
  },
  {
    it: 'has to be healthy for no more than that',
    facts: looping({ longestRunSeconds: 45 }),
    seen: { health: 'healthy' },
    want: `${RESTARTED} 120 s or is healthy after 90 s, after 89000 ms`,
  },
  {
    it: 'gains nothing by its health when both take as long',
    facts: looping({ longestRunSeconds: 60 }),
    want: `${RESTARTED} 120 s, after 119000 ms`,
  },
  {
    it: 'is looked at at once when its time is over',
    facts: looping(),
    ranMs: 60_000,
    want: `${RESTARTED} 60 s or is healthy, after 1 ms`,
  },
  {
    it: 'is in a loop whose last end nobody saw',
    facts: { crashLoopSince: AT },
    want: 'CrashLoop: Container web_1_1_a exited and is restarted; it is well when it has run for 60 s or is healthy, after 59000 ms',
  },
  {
    it: 'is unhealthy',
    facts: { unhealthySince: AT },
    seen: { health: 'unhealthy' },
    want: 'Unhealthy: Container web_1_1_a is unhealthy: its healthcheck fails',
  },
  {
    it: 'is in a loop rather than unhealthy',
    facts: looping({ unhealthySince: AT }),
    want: `${RESTARTED} 60 s or is healthy, after 59000 ms`,
  },
];

describe('what is wrong with a container for which nothing is left to do: it', () => {
  for (const { it: is, facts = {}, seen, policy = ALWAYS, ranMs = 1_000, want } of rows) {
    it(is, () => {
      const unwell = unwellOf(facts, aContainer(seen), { policy, ranMs });
      const soon = unwell?.forMs === undefined ? '' : `, after ${unwell.forMs} ms`;
      assert.equal(unwell ? `${unwell.reason}: ${unwell.message}${soon}` : 'well', want);
    });
  }

  it('is unhealthy for as long as nothing else helps, when its restarts are used up', () => {
    const unwell = unwellOf({ unhealthySince: AT }, aContainer({ health: 'unhealthy' }), {
      ...{ policy: ALWAYS, ranMs: 1_000, exhausted: 2 },
    });
    assert.equal(
      unwell?.message,
      'Container web_1_1_a is unhealthy: its healthcheck fails; it was restarted 2 times, and is not restarted any more until it is healthy',
    );
  });

  it('has ended with a number where there is one', () => {
    assert.equal(exitText(exit(0).lastExit), 'exited with 0');
    assert.equal(exitText(undefined), 'exited');
  });

  it('names a restart policy with its number', () => {
    const container = aContainer({ state: 'exited', exitCode: 1, restartCount: 3 } as Partial<SeenContainer>);
    const unwell = unwellOf(exit(1), container, { policy: { Name: 'on-failure', MaximumRetryCount: 3 }, ranMs: 0 });
    assert.match(unwell?.message ?? 'well', /restart: on-failure:3 does not start it again/);
  });
});
