import { tryPoints } from './crash-matrix/memory.js';
import { SCENARIOS } from './scenarios.js';

/** Steps of one scenario that are tried with each fault; `npm run crash-matrix` tries them all. */
const TRIED = process.env.SUPERCARGO_CRASHES === 'all' ? Number.POSITIVE_INFINITY : 6;

describe('whatever befalls any one step', () => {
  for (const scenario of SCENARIOS) {
    it(`it still ${scenario.it}`, async () => {
      const { failures } = await tryPoints(scenario, TRIED);
      const [first] = failures;
      if (first) throw first.error;
    }).timeout(300_000);
  }
});
