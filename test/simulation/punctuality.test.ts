import { PUNCTUALITIES } from '../setup/fake-clock.js';
import { ScenarioRun } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

/** A timer that fires early must look again, one that fires late must not have missed anything. */
for (const punctuality of PUNCTUALITIES.filter((one) => one !== 'exact')) {
  describe(`all controllers together, when every timer fires ${punctuality}, end where they would`, () => {
    for (const scenario of SCENARIOS) {
      it(`${scenario.it}`, async () => {
        // What is seen on the way depends on when one looks; where it ends does not.
        const { obstacle } = scenario;
        const onTheWay = obstacle && { obstacle: { ...obstacle, seen: () => undefined } };
        const run = new ScenarioRun({ ...scenario, ...onTheWay, settings: { ...scenario.settings, punctuality } });
        try {
          await run.complete();
          await run.rest();
        } finally {
          await run.end();
        }
      });
    }
  });
}
