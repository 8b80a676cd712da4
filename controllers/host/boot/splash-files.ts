import { join } from 'node:path';
import type { BootFiles } from './boot-files.js';
import { splashPicture, splashVariable } from './splash.js';

const ACTIVE = ['balena-logo.png', 'resin-logo.png'] as const;
const DEFAULT = 'balena-logo-default.png';

/** The picture that the host shows while it boots, and the one that it came with. */
export class SplashFiles {
  readonly #folder: string;

  constructor(
    hostRoot: string,
    private readonly files: BootFiles,
  ) {
    this.#folder = join(hostRoot, 'mnt/boot/splash');
  }

  /** Returns the picture as the variable has it; undefined when it is the one that the host came with, or when there is none. */
  async read(): Promise<string | undefined> {
    const active = await this.files.readBytes(await this.#active());
    const original = await this.files.readBytes(join(this.#folder, DEFAULT));
    if (!active || !original || active.equals(original)) return undefined;
    return splashVariable(active);
  }

  /** Shows that picture; the empty text restores the one that the host came with, of which a copy is kept. */
  async write(variable: string): Promise<void> {
    const path = await this.#active();
    const original = join(this.#folder, DEFAULT);
    const active = await this.files.readBytes(path);
    const kept = await this.files.readBytes(original);
    if (!kept && active) await this.files.write(original, active);
    const picture = splashPicture(variable) ?? kept;
    if (picture && !active?.equals(picture)) await this.files.write(path, picture);
  }

  async #active(): Promise<string> {
    for (const name of ACTIVE)
      if (await this.files.readBytes(join(this.#folder, name))) return join(this.#folder, name);
    return join(this.#folder, ACTIVE[0]);
  }
}
