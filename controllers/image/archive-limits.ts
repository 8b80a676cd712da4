import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Cancel, Clock } from '../../api/platform/clock.js';
import { NotEnoughDisk } from '../engine/images/disk-space.js';
import { ArchiveError } from '../engine/images/tar-file.js';

const GIBIBYTE = 1024 ** 3;
/** Highest ratio of unpacked to packed bytes: programs pack to a third, zeros to a thousandth. More is a bomb, or a file with holes. */
const BEST_RATIO = 100;
/** Number of looks without progress, a quarter of a minute each, after which a reading counts as stuck. */
const SILENT_LOOKS = 4;
const LOOK_EVERY_MS = 15_000;

/**
 * Throws for an archive that unpacks to more bytes than it may: `ArchiveError` above both a GiB and a hundred times the
 * file's size on its disk, `NotEnoughDisk` above the `room` that there is (undefined: unknown). Pure.
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
 * Watches a reading: calls `look` every quarter of a minute, and `silent` once `progress` has not changed for four
 * looks. It counts looks and not time, because a machine that was asleep has not waited for a disk.
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
    await nextTurn(); // bytes that have arrived meanwhile count first
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
