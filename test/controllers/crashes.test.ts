import assert from 'node:assert/strict';
import type { Fate } from '../setup/device.js';
import { type Mishap, Run } from '../setup/scenario.js';
import { SCENARIOS } from './scenarios.js';

const KILLS: readonly Fate[] = ['kill-before', 'kill-after'];
const FATES: readonly Fate[] = ['kill-before', 'kill-after', 'fail', 'lose'];
/** Steps of one scenario that are tried with each fate; all of them with SUPERCARGO_CRASHES=all. */
const TRIED = process.env.SUPERCARGO_CRASHES === 'all' ? Number.POSITIVE_INFINITY : 6;

describe('whatever befalls any one step', () => {
  for (const scenario of SCENARIOS) {
    it(`it still ${scenario.it}`, async () => {
      const { steps, downMs } = await attempt();
      const stride = Math.max(1, Math.ceil(steps / TRIED));
      for (const [index, fate] of FATES.entries()) {
        for (let at = index % stride; at < steps; at += stride) {
          const run = await attempt({ at, fate });
          if (KILLS.includes(fate)) {
            const most = downMs + run.restartMs;
            assert.ok(run.downMs <= most, `${fate} at step ${at}: down for ${run.downMs} ms, not ${most} at most`);
          }
        }
      }

      async function attempt(mishap?: Mishap): Promise<{ steps: number; downMs: number; restartMs: number }> {
        const run = new Run(scenario, mishap);
        try {
          const taken = await run.complete();
          await run.rest();
          return { steps: taken, downMs: run.downMs, restartMs: run.restartMs };
        } catch (cause) {
          throw new Error(mishap ? `${mishap.fate} at step ${mishap.at}` : 'without any mishap', { cause });
        } finally {
          await run.end();
        }
      }
    }).timeout(300_000);
  }
});
