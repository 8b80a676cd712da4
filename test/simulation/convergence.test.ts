import { ScenarioRun } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

describe('all controllers together', () => {
  for (const scenario of SCENARIOS) {
    it(`${scenario.it}, and then rests`, async () => {
      const run = new ScenarioRun(scenario);
      try {
        await run.complete();
        await run.rest();
        await run.restart('halt');
        await run.rest();
        await run.restart('kill');
      } finally {
        await run.end();
      }
    });
  }
});
