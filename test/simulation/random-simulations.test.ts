import { Simulation } from './simulation.js';

/** Simulations that are run; more with SUPERCARGO_SIMULATIONS. */
const COUNT = Number(process.env.SUPERCARGO_SIMULATIONS ?? 300);
/** Repeats one simulation, or begins with another one. */
const SEED = process.env.SUPERCARGO_SEED;
const FIRST = Number(SEED ?? 1);

describe('all controllers together, in random simulations', () => {
  it(`end where a fresh device would, after any of ${COUNT} simulations`, async () => {
    const count = SEED !== undefined && process.env.SUPERCARGO_SIMULATIONS === undefined ? 1 : COUNT;
    for (let seed = FIRST; seed < FIRST + count; seed += 1) {
      const simulation = new Simulation(seed);
      try {
        await simulation.run();
      } catch (cause) {
        throw new Error(`SUPERCARGO_SEED=${seed}\n${simulation.trace.join('\n')}`, { cause });
      } finally {
        simulation.end();
      }
    }
  }).timeout(COUNT * 1_000 + 60_000);
});
