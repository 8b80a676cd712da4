import { uptime } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../../api/platform/errors.js';
import { readKernelFile } from '../../../api/platform/read-file.js';

/** Identifies the boot and measures the time since it: the only clock that is right at once on a device without a battery. */
export interface BootClock {
  read(): Promise<{ readonly bootId: string; readonly uptimeMs: number }>;
}

/** Reads the kernel's own boot id and uptime; from a host root with a `proc` of its own first. */
export const kernelBootClock = (hostRoot: string): BootClock => ({
  async read() {
    const bootId = (await procText(hostRoot, 'sys/kernel/random/boot_id'))?.trim() ?? 'unknown';
    const seconds = Number.parseFloat((await procText(hostRoot, 'uptime')) ?? '');
    return { bootId, uptimeMs: Math.round((Number.isFinite(seconds) ? seconds : uptime()) * 1000) };
  },
});

/** Reads a file of `/proc`, the host's if it can be seen from here; undefined when there is none. */
export async function procText(hostRoot: string, path: string): Promise<string | undefined> {
  for (const root of new Set([join(hostRoot, 'proc'), '/proc'])) {
    try {
      return (await readKernelFile(join(root, path))).toString();
    } catch (error) {
      if (errorCode(error) === undefined) throw error; // missing, not ours to read, or no file of the kernel
    }
  }
  return undefined;
}
