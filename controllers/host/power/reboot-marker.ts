import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';
import { type HostFs, nodeHostFs } from '../fs.js';

/**
 * The file by which a host's programs know that a restart of the device is due (docs/reference/host.md §12). It is a
 * message to others: the agent itself compares what was booted with what is there.
 */
export class RebootMarker {
  readonly #path: string;

  constructor(
    hostRoot: string,
    private readonly fs: HostFs = nodeHostFs,
  ) {
    this.#path = join(hostRoot, 'tmp/balena-supervisor/reboot-after-apply');
  }

  /** Tells whether it was written since the device was started; an earlier one has had its effect. */
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
