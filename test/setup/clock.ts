import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needFaketime } from './programs.js';

/** A time of day for one process, that a test may set while it runs. Its monotonic clock is the machine's. */
export interface ProcessClock {
  readonly env: Readonly<Record<string, string>>;
  /** `+8h`, `-1y`, `+0`: as far from the machine's time. */
  set(offset: string): Promise<void>;
}

/** libfaketime, installed when it is missing; the offset is kept in a file of that folder. */
export async function processClock(folder: string, offset: string): Promise<ProcessClock> {
  const library = await needFaketime();
  const file = join(folder, 'clock');
  const set = (text: string): Promise<void> => writeFile(file, `${text}\n`);
  await set(offset);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_RESET: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    set,
  };
}
