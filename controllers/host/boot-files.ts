import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FileCalls, nodeFileCalls } from './file-calls.js';

/**
 * Files of the boot partition. FAT cannot rename in one step, so each write leaves a copy beside the file that carries
 * its own checksum until the file is complete; whoever reads next finishes what was interrupted. The names are those of
 * the host OS's own `fatrw`, which shares these files with us (host reference §5). One call at a time.
 */
export class BootFiles {
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(private readonly calls: FileCalls = nodeFileCalls) {}

  /** The text of the last write that was complete; undefined when there is no such file. */
  read(path: string): Promise<string | undefined> {
    return this.#inTurn(() => this.#read(path));
  }

  /** Replaces the file; a crash leaves the old text or the new one. Makes missing folders. */
  write(path: string, text: string): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(dirname(path), { recursive: true });
      const bytes = Buffer.from(text);
      const sidecar = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.${md5(bytes)}.md5sum`);
      try {
        await this.calls.write(sidecar, bytes);
        await this.calls.sync(dirname(path));
        const written = await this.calls.read(sidecar);
        if (!written || md5(written) !== md5(bytes)) throw new Error('what was written reads differently');
      } catch (cause) {
        await this.calls.remove(sidecar).catch(() => undefined); // the first error is the one to tell
        throw new Error(`Could not write ${path}`, { cause });
      }
      await this.#complete(path, sidecar, bytes);
    });
  }

  /** Removes the file and what an interrupted write left of it. */
  remove(path: string): Promise<void> {
    return this.#inTurn(async () => {
      const folder = dirname(path);
      for (const { name } of await this.#sidecars(path)) await this.calls.remove(join(folder, name));
      await this.calls.remove(path);
      await this.calls.sync(folder);
    });
  }

  async #read(path: string): Promise<string | undefined> {
    const folder = dirname(path);
    let recovered: Buffer | undefined;
    for (const { name, sum } of await this.#sidecars(path)) {
      const sidecar = join(folder, name);
      const bytes = sum === undefined ? undefined : await this.calls.read(sidecar);
      if (bytes && md5(bytes) === sum) {
        await this.#complete(path, sidecar, bytes);
        recovered = bytes;
      } else await this.calls.remove(sidecar);
    }
    return (recovered ?? (await this.calls.read(path)))?.toString('utf8');
  }

  /** From a sidecar that is complete to the file. */
  async #complete(path: string, sidecar: string, bytes: Buffer): Promise<void> {
    const temporary = sidecar.replace(/\.md5sum$/, '.tmp');
    const folder = dirname(path);
    await this.calls.write(temporary, bytes);
    await this.calls.sync(folder);
    await this.calls.rename(temporary, path);
    await this.calls.sync(path);
    await this.calls.sync(folder);
    await this.calls.remove(sidecar);
    await this.calls.sync(folder);
  }

  /** What writes of that file left; `sum` where the copy may be complete. */
  async #sidecars(path: string): Promise<readonly { readonly name: string; readonly sum?: string | undefined }[]> {
    const prefix = `.${basename(path)}.`;
    return (await this.calls.list(dirname(path))).flatMap((name) => {
      if (!name.startsWith(prefix)) return [];
      const match = /^[0-9a-f]{8}\.([0-9a-f]{32})\.(md5sum|tmp)$/.exec(name.slice(prefix.length));
      return match ? [{ name, ...(match[2] === 'md5sum' ? { sum: match[1] } : {}) }] : [];
    });
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(action);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
