import type { Fate } from '../device.js';
import { type Mishap, Run, type Scenario } from '../scenario.js';

export const FATES: readonly Fate[] = ['kill-before', 'kill-after', 'fail', 'lose'];
const KILLS: readonly Fate[] = ['kill-before', 'kill-after'];

/** What came of one scenario with one thing that befell each of its steps in turn. */
export interface Outcome {
  readonly steps: number;
  /** Points that were tried, by fate, and those that did not come to the same end. */
  readonly tried: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly mishap: Mishap; readonly error: Error }[];
  /** ms on the device's clock: the longest that a service which was up has been down when nothing happened. */
  readonly downMs: number;
  /** The same over all points at which the agent was killed, less what its restart took. */
  readonly worstDownMs: number;
}

/** Tries at most so many points of each fate, spread over the scenario. Throws when it fails without any mishap. */
export async function tryPoints(scenario: Scenario, most = Number.POSITIVE_INFINITY): Promise<Outcome> {
  const calm = await attempt(scenario);
  const stride = Math.max(1, Math.ceil(calm.steps / most));
  const tried: Record<string, number> = {};
  const failures: Outcome['failures'][number][] = [];
  let worstDownMs = 0;
  for (const [index, fate] of FATES.entries()) {
    for (let at = index % stride; at < calm.steps; at += stride) {
      tried[fate] = (tried[fate] ?? 0) + 1;
      const mishap = { at, fate };
      try {
        const { downMs, restartMs } = await attempt(scenario, mishap);
        if (!KILLS.includes(fate)) continue;
        worstDownMs = Math.max(worstDownMs, downMs - restartMs);
        if (downMs > calm.downMs + restartMs) {
          throw new Error(`A service was down for ${downMs} ms, not ${calm.downMs} and a restart of ${restartMs}`);
        }
      } catch (cause) {
        failures.push({ mishap, error: new Error(`${fate} at step ${at}`, { cause }) });
      }
    }
  }
  return { steps: calm.steps, tried, failures, downMs: calm.downMs, worstDownMs };
}

async function attempt(
  scenario: Scenario,
  mishap?: Mishap,
): Promise<{ readonly steps: number; readonly downMs: number; readonly restartMs: number }> {
  const run = new Run(scenario, mishap);
  try {
    const steps = await run.complete();
    await run.rest();
    return { steps, downMs: run.downMs, restartMs: run.restartMs };
  } finally {
    await run.end();
  }
}
