import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages } from '../../controllers/engine/local/debian-packages.js';

/** Where Debian puts libfaketime: in the folder of the architecture. */
const FOLDER = '/usr/lib';

async function findLibrary(): Promise<string | undefined> {
  const folders = (await readdir(FOLDER)).filter((name) => name.endsWith('-linux-gnu') || name.includes('-linux-gnu'));
  return folders.map((name) => join(FOLDER, name, 'faketime/libfaketimeMT.so.1')).find((path) => existsSync(path));
}

/** A time of day for one process, that a test may set while it runs. Its monotonic clock is the machine's. */
export interface ProcessClock {
  readonly env: Readonly<Record<string, string>>;
  /** `+8h`, `-1y`, `+0`: as far from the machine's time. */
  set(offset: string): Promise<void>;
}

/** libfaketime, installed when it is missing; the offset is kept in a file of that folder. */
export async function processClock(folder: string, offset: string): Promise<ProcessClock> {
  if ((await findLibrary()) === undefined) {
    const say = (text: string): void => console.error(`    ${text}`);
    await installPackages(['libfaketime'], 'The tests need a clock that can be set', { env: process.env, say });
  }
  const library = await findLibrary();
  if (library === undefined) throw new Error('libfaketime is not to be found');
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
