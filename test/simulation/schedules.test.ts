import { Schedule } from './schedule.js';

/** Schedules that are played; more with SUPERCARGO_SCHEDULES. */
const COUNT = Number(process.env.SUPERCARGO_SCHEDULES ?? 300);
/** Repeats one schedule, or begins with another one. */
const SEED = process.env.SUPERCARGO_SEED;
const FIRST = Number(SEED ?? 1);

describe('all controllers together, by chance', () => {
  it(`end where a fresh device would, after any of ${COUNT} schedules`, async () => {
    const count = SEED !== undefined && process.env.SUPERCARGO_SCHEDULES === undefined ? 1 : COUNT;
    for (let seed = FIRST; seed < FIRST + count; seed += 1) {
      const schedule = new Schedule(seed);
      try {
        await schedule.play();
      } catch (cause) {
        throw new Error(`SUPERCARGO_SEED=${seed}\n${schedule.story.join('\n')}`, { cause });
      } finally {
        schedule.end();
      }
    }
  }).timeout(COUNT * 1_000 + 60_000);
});
