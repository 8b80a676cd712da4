import { FAULTS, type Fault } from '../fault-plan.js';
import { type InjectedFault, type Scenario, ScenarioRun } from '../scenario.js';

const KILLS: readonly Fault[] = ['kill-before', 'kill-after'];

/** What came of one scenario with one thing that befell each of its steps in turn. */
export interface Outcome {
  readonly steps: number;
  /** Points that were tried, by fault, and those that did not come to the same end. */
  readonly tried: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly injected: InjectedFault; readonly error: Error }[];
  /** ms on the device's clock: the longest that a service which was up has been down when nothing happened. */
  readonly downMs: number;
  /** The same over all points at which the agent was killed, less what its restart took. */
  readonly worstDownMs: number;
}

/** Tries at most so many points of each fault, spread over the scenario. Throws when it fails without any fault. */
export async function tryPoints(scenario: Scenario, most = Number.POSITIVE_INFINITY): Promise<Outcome> {
  const undisturbed = await attempt(scenario);
  const stride = Math.max(1, Math.ceil(undisturbed.steps / most));
  const tried: Record<string, number> = {};
  const failures: Outcome['failures'][number][] = [];
  let worstDownMs = 0;
  for (const [index, fault] of FAULTS.entries()) {
    for (let at = index % stride; at < undisturbed.steps; at += stride) {
      tried[fault] = (tried[fault] ?? 0) + 1;
      const injected = { at, fault };
      try {
        const { downMs, restartMs } = await attempt(scenario, injected);
        if (!KILLS.includes(fault)) continue;
        worstDownMs = Math.max(worstDownMs, downMs - restartMs);
        if (downMs > undisturbed.downMs + restartMs) {
          throw new Error(
            `A service was down for ${downMs} ms, not ${undisturbed.downMs} and a restart of ${restartMs}`,
          );
        }
      } catch (cause) {
        failures.push({ injected, error: new Error(`${fault} at step ${at}`, { cause }) });
      }
    }
  }
  return { steps: undisturbed.steps, tried, failures, downMs: undisturbed.downMs, worstDownMs };
}

async function attempt(
  scenario: Scenario,
  injected?: InjectedFault,
): Promise<{ readonly steps: number; readonly downMs: number; readonly restartMs: number }> {
  const run = new ScenarioRun(scenario, injected);
  try {
    const steps = await run.complete();
    await run.rest();
    return { steps, downMs: run.downMs, restartMs: run.restartMs };
  } finally {
    await run.end();
  }
}
