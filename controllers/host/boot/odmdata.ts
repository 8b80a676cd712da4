import { BootFileError } from './values.js';

/** Offsets of the byte in the eMMC boot partition of a Jetson TX2 (docs/reference/host.md §4.5). */
export const ODMDATA_OFFSETS: readonly number[] = [1659, 5243, 18043];

/** The byte of each mode, 1 to 6. */
const BYTES: readonly number[] = [0x00, 0x01, 0x06, 0x07, 0x02, 0x03];

/** Returns the mode that the bytes mean. Pure; throws when they differ or mean none. */
export function odmdataMode(bytes: readonly number[]): string {
  const [byte] = bytes;
  if (byte === undefined || bytes.some((one) => one !== byte)) {
    throw new BootFileError('The ODMDATA bytes of the boot partition differ from each other');
  }
  const index = BYTES.indexOf(byte);
  if (index < 0) throw new BootFileError(`The ODMDATA byte ${byte} of the boot partition is not known`);
  return String(index + 1);
}

/** Returns the byte for a mode; undefined for an invalid mode. Pure. */
export const odmdataByte = (mode: string): number | undefined =>
  /^[1-6]$/.test(mode) ? BYTES[Number(mode) - 1] : undefined;
