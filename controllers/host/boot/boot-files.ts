import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode } from '../../../api/platform/errors.js';
import { Turns } from '../../../api/platform/turns.js';
import { type HostFs, nodeHostFs } from '../fs.js';

/**
 * Reads and writes files of the boot partition. FAT cannot rename atomically, so each write leaves a copy with a
 * checksum beside the file until the file is complete; the next reader finishes what was interrupted. The names are
 * those of the host OS's own `fatrw`, which shares these files with us (docs/reference/host.md §5). One call at a time.
 */
export class BootFiles {
  readonly #turns = new Turns();

  constructor(private readonly fs: HostFs = nodeHostFs) {}

  /** Returns the text of the last complete write; undefined when there is no such file. */
  async read(path: string): Promise<string | undefined> {
    return (await this.readBytes(path))?.toString('utf8');
  }

  readBytes(path: string): Promise<Buffer | undefined> {
    return this.#turns.run(() => this.#read(path));
  }

  /** Replaces the file; a crash leaves the old text or the new one. Creates missing folders. */
  write(path: string, content: string | Uint8Array): Promise<void> {
    return this.#turns.run(() => this.#write(path, Buffer.from(content)));
  }

  /**
   * Changes a file that others write too: the change begins with what it contains at this moment. Writes only when the
   * bytes differ; returns whether they did.
   */
  update(path: string, change: (text: string | undefined) => string): Promise<boolean> {
    return this.#turns.run(async () => {
      const before = await this.#read(path);
      const after = Buffer.from(change(before?.toString('utf8')));
      if (before?.equals(after) ?? after.length === 0) return false;
      await this.#write(path, after);
      return true;
    });
  }

  /** Removes the file and what an interrupted write left of it. */
  remove(path: string): Promise<void> {
    return this.#turns.run(async () => {
      const folder = dirname(path);
      for (const { name } of await this.#sidecars(path)) await this.fs.remove(join(folder, name));
      await this.fs.remove(path);
      await this.fs.sync(folder);
    });
  }

  async #write(path: string, bytes: Buffer): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const sidecar = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.${md5(bytes)}.md5sum`);
    try {
      await this.fs.write(sidecar, bytes);
      await this.fs.sync(dirname(path));
      const written = await this.fs.read(sidecar);
      if (!written || md5(written) !== md5(bytes)) throw new Error('what was written reads differently');
      await this.#replace(path, sidecar, bytes);
    } catch (cause) {
      // A copy that stayed would become the file at the next read, although this write fails.
      await this.fs.remove(sidecar).catch(() => undefined); // the first error is thrown
      throw new Error(`Could not write ${path}`, { cause });
    }
    await this.#tidy(path, sidecar);
  }

  async #read(path: string): Promise<Buffer | undefined> {
    const folder = dirname(path);
    let recovered: Buffer | undefined;
    for (const { name, sum } of await this.#sidecars(path)) {
      const sidecar = join(folder, name);
      const bytes = sum === undefined ? undefined : await this.fs.read(sidecar);
      if (bytes && md5(bytes) === sum) recovered = bytes;
      await this.#unlessUnwritable(async () => {
        if (bytes && md5(bytes) === sum) await this.#replace(path, sidecar, bytes);
        await this.#tidy(path, sidecar);
      });
    }
    return recovered ?? (await this.fs.read(path));
  }

  /** Replaces the file by a complete copy. */
  async #replace(path: string, sidecar: string, bytes: Buffer): Promise<void> {
    const temporary = sidecar.replace(/\.md5sum$/, '.tmp');
    const folder = dirname(path);
    try {
      await this.fs.write(temporary, bytes);
      await this.fs.sync(folder);
      await this.fs.rename(temporary, path);
    } catch (error) {
      await this.fs.remove(temporary).catch(() => undefined); // the first error is thrown
      if (!hasCode(error, 'EBUSY')) throw error;
      await this.fs.write(path, bytes); // mounted by itself: it cannot be replaced, only written
    }
    await this.fs.sync(path);
    await this.fs.sync(folder);
  }

  async #tidy(path: string, sidecar: string): Promise<void> {
    await this.fs.remove(sidecar);
    await this.fs.sync(dirname(path));
  }

  /** Ignores a full or read-only partition, which can be read all the same: its leftovers wait. */
  async #unlessUnwritable(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!hasCode(error, 'ENOSPC', 'EROFS', 'EDQUOT')) throw error;
    }
  }

  /** Returns the copies that writes of that file have left; `sum` where the copy may be complete. */
  async #sidecars(path: string): Promise<readonly { readonly name: string; readonly sum?: string | undefined }[]> {
    const prefix = `.${basename(path)}.`;
    return (await this.fs.list(dirname(path))).flatMap((name) => {
      if (!name.startsWith(prefix)) return [];
      const match = /^[0-9a-f]{8}\.([0-9a-f]{32})\.(md5sum|tmp)$/.exec(name.slice(prefix.length));
      return match ? [{ name, ...(match[2] === 'md5sum' ? { sum: match[1] } : {}) }] : [];
    });
  }
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
