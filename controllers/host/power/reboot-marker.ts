import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';
import { type HostFs, nodeHostFs } from '../fs.js';

/**
 * The file by which a host's programs know that a restart of the device is due (docs/reference/host.md §12). It is a
 * message to others: we ourselves compare what was booted with what is there.
 */
export class RebootMarker {
  readonly #path: string;

  constructor(
    hostRoot: string,
    private readonly fs: HostFs = nodeHostFs,
  ) {
    this.#path = join(hostRoot, 'tmp/balena-supervisor/reboot-after-apply');
  }

  /** Whether it speaks of a boot that began before it was written; one from before the last start has had its effect. */
  async isPending(bootedAtMs: number): Promise<boolean> {
    try {
      return (await stat(this.#path)).mtimeMs > bootedAtMs;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async write(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await this.fs.write(this.#path, Buffer.alloc(0));
  }

  async remove(): Promise<void> {
    await this.fs.remove(this.#path);
  }
}
