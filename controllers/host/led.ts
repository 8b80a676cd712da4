import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

export interface LedOptions {
  /** Brightness file of the LED, as sysfs has it. */
  readonly path: string;
  readonly log: { readonly warn: (details: object, message: string) => void };
  readonly after: (ms: number, call: () => void) => unknown;
}

/** Half a blink, ms. */
const HALF_MS = 200;
const IDENTIFY_MS = 15_000;

/** Blinks the LED for a while, so that somebody finds the device. Does nothing without an LED, or while it blinks. */
export function ledBlinker({ path, log, after }: LedOptions): () => void {
  let left = 0;
  const next = (): void => {
    left -= 1;
    writeFile(path, left > 0 && left % 2 === 1 ? '1' : '0').then(
      () => {
        if (left > 0) after(HALF_MS, next);
      },
      (error: unknown) => {
        left = 0;
        log.warn({ err: error }, `Could not set the LED ${path}`);
      },
    );
  };
  return () => {
    if (left > 0 || !existsSync(path)) return;
    left = IDENTIFY_MS / HALF_MS + 1;
    next();
  };
}
