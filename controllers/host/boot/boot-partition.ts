import { join } from 'node:path';
import { parseMap } from '../../../crds/model/maps.js';
import { type HostFs, nodeHostFs } from '../fs.js';
import { BOOT_BACKENDS, type BootBackend, type BootBackendName, type BootDevice } from './backend.js';
import type { BootFiles } from './boot-files.js';
import { OdmdataDevice } from './odmdata-device.js';
import { SplashFiles } from './splash-files.js';
import { BootFileError, type BootValues, type DesiredValues } from './values.js';

/** One kind of boot file that this device has, with its present content. */
export interface SeenBackend {
  readonly backend: BootBackend;
  readonly text: string | undefined;
  readonly now: BootValues;
  /** Why its file cannot be parsed; `now` is empty then. */
  readonly error?: string;
}

export interface SeenBoot {
  /** The host has a boot partition of balenaOS. */
  readonly hasBoot: boolean;
  readonly backends: readonly SeenBackend[];
  /** Members of config.json; undefined without one that can be parsed. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
}

export interface BootPartitionOptions {
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
  readonly device: BootDevice;
  readonly files: BootFiles;
  readonly fs?: HostFs;
}

const FILES = {
  'extlinux.conf': 'extlinux/extlinux.conf',
  'extra_uEnv.txt': 'extra_uEnv.txt',
  'config.txt': 'config.txt',
  'configfs.json': 'configfs.json',
  'power and fan': 'config.json',
} as const;

/** Reads and writes the files of the boot partition that hold settings. Decides nothing. */
export class BootPartition {
  readonly #folder: string;
  readonly #fs: HostFs;
  readonly #splash: SplashFiles;
  readonly #odmdata: OdmdataDevice;

  constructor(private readonly options: BootPartitionOptions) {
    this.#folder = join(options.hostRoot, 'mnt/boot');
    this.#fs = options.fs ?? nodeHostFs;
    this.#splash = new SplashFiles(options.hostRoot, options.files);
    this.#odmdata = new OdmdataDevice(options.hostRoot);
  }

  async see(): Promise<SeenBoot> {
    const hasBoot = (await this.#fs.list(this.#folder)).length > 0;
    if (!hasBoot) return { hasBoot, backends: [], config: undefined };
    const backends: SeenBackend[] = [];
    for (const backend of BOOT_BACKENDS.filter((one) => one.matches(this.options.device))) {
      const seen = await this.#look(backend);
      if (seen.text !== undefined || !backend.needsFile) backends.push(seen);
    }
    return {
      hasBoot,
      backends,
      config: parseMap((await this.options.files.read(join(this.#folder, 'config.json'))) ?? ''),
    };
  }

  async #look(backend: BootBackend): Promise<SeenBackend> {
    try {
      const text = await this.#read(backend.name);
      return { backend, text, now: backend.read(text) };
    } catch (error) {
      if (error instanceof BootFileError) return { backend, text: undefined, now: {}, error: error.message };
      throw error;
    }
  }

  /** Sets those keys in the file as it is at this moment, because others write it too. Returns whether its bytes changed. */
  async set(backend: BootBackend, wanted: DesiredValues): Promise<boolean> {
    const { name } = backend;
    if (name === 'splash image' || name === 'ODMDATA') {
      const before = await this.#read(name);
      const after = backend.edit(before, wanted);
      if (after === (before ?? '')) return false;
      await (name === 'ODMDATA' ? this.#odmdata : this.#splash).write(after);
      return true;
    }
    return this.options.files.update(this.#path(name), (text) => backend.edit(text, wanted));
  }

  /** Restores a former text; undefined: there was no file. */
  async restore({ name }: BootBackend, text: string | undefined): Promise<void> {
    if (name === 'splash image') return this.#splash.write(text ?? '');
    if (name === 'ODMDATA') return text === undefined ? undefined : this.#odmdata.write(text);
    if (text === undefined) return this.options.files.remove(this.#path(name));
    await this.options.files.update(this.#path(name), () => text);
  }

  /** Sets members of config.json and keeps all others; undefined removes one. Returns whether its bytes changed. */
  async configure(members: Readonly<Record<string, unknown>>): Promise<boolean> {
    return this.options.files.update(join(this.#folder, 'config.json'), (text) => {
      const fields = parseMap(text ?? '');
      if (!fields) throw new Error('config.json of the boot partition is not a JSON object; it was left as it is');
      return JSON.stringify({ ...fields, ...members });
    });
  }

  #read(name: BootBackendName): Promise<string | undefined> {
    if (name === 'splash image') return this.#splash.read();
    return name === 'ODMDATA' ? this.#odmdata.read() : this.options.files.read(this.#path(name));
  }

  #path(name: keyof typeof FILES): string {
    return join(this.#folder, FILES[name]);
  }
}
