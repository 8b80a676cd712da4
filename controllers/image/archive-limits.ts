import { setImmediate as nextTurn } from 'node:timers/promises';
import { NotEnoughDisk } from '../engine/images/disk-space.js';
import { ArchiveError } from '../engine/images/tar-file.js';
import type { Cancel, Clock } from '../runtime/delays.js';

const GIBIBYTE = 1024 ** 3;
/** Programs pack to a third, zeros to a thousandth. What packs better than this is a bomb, or a hole. */
const BEST_RATIO = 100;
/** Looks at a reading without anything new after which it has stopped for good: a minute. */
const SILENT_LOOKS = 4;
const LOOK_EVERY_MS = 15_000;

/**
 * Throws for an archive that unpacks to more than it may, in bytes: `ArchiveError` for more than a GiB and a hundred times
 * what the file takes on its disk, `NotEnoughDisk` for more than the `room` that there is (undefined: nobody can tell). Pure.
 */
export function checkUnpacked(bytes: number, takes: number, room: number | undefined): void {
  if (bytes > GIBIBYTE + BEST_RATIO * takes) {
    throw new ArchiveError(
      `it unpacks to ${megabytes(bytes)} or more, which is no image: it takes ${megabytes(takes)}`,
    );
  }
  if (room !== undefined && bytes > room) {
    throw new NotEnoughDisk(
      `not enough room: it unpacks to ${megabytes(bytes)} or more, and ${megabytes(room)} may be filled`,
    );
  }
}

/**
 * Looks after a reading every quarter of a minute: calls `look` each time, and `silent` once `progress` has not changed for
 * four looks. Looks are counted, not time: a machine that was asleep has not waited for a disk.
 */
export function watchReading(
  clock: Clock,
  reading: { readonly progress: () => number; readonly look: () => void; readonly silent: () => void },
): Cancel {
  let last = reading.progress();
  let looks = 0;
  let ended = false;
  let timer: Cancel = () => undefined;
  const plan = (): void => {
    if (!ended) timer = clock.after(LOOK_EVERY_MS, () => void check());
  };
  const check = async (): Promise<void> => {
    await nextTurn(); // what has come meanwhile is taken in first
    if (ended) return;
    const now = reading.progress();
    looks = now === last ? looks + 1 : 0;
    last = now;
    if (looks >= SILENT_LOOKS) return reading.silent();
    reading.look();
    plan();
  };
  plan();
  return () => {
    ended = true;
    timer();
  };
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`;
