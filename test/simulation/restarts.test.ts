import assert from 'node:assert/strict';
import type { Device } from './device.js';
import { ScenarioRun } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import type { Served } from './serving.js';

/** Longer than anything that serves others takes to come up, s: the look whether the device has to boot among it. */
const PAUSE_S = 30;

/** What the agent of a device serves once it has come to rest. */
async function servedBy(device: Device): Promise<Served> {
  const { agent, engine, clock } = device;
  const { serving } = agent ?? {};
  if (!agent || !serving) throw new Error('No agent serves');
  const pass = async (): Promise<void> => {
    for (let second = 0; second < PAUSE_S; second += 1) {
      clock.advance(1_000);
      await agent.quiet();
    }
  };
  await pass();
  return serving.view(async () => {
    for (const { name, state } of engine.docker.containers) if (state === 'running') engine.docker.print(name, name);
    await pass();
  });
}

describe('an agent that starts again serves what the one before it served', () => {
  // One that asks the engine once more says when it did.
  for (const scenario of SCENARIOS.filter(({ asksAgain }) => asksAgain === undefined)) {
    it(`${scenario.it}`, async () => {
      const run = new ScenarioRun({ ...scenario, settings: { ...scenario.settings, serves: true } });
      try {
        await run.complete();
        const first = await servedBy(run.device);
        for (const how of ['halt', 'kill'] as const) {
          await run.restart(how);
          assert.deepEqual(await servedBy(run.device), first, how);
        }
      } finally {
        await run.end();
      }
    });
  }
});
