import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UnfitFileError } from '../../api/platform/read-file.js';
import { parseMap } from '../../crds/model/maps.js';
import { type HostFs, nodeHostFs } from './fs.js';

/** Boot files as they were, by name, and the keys of ours in them. */
export interface DeviceUndo {
  readonly managed: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, { readonly text: string | null; readonly keys: readonly string[] }>>;
}

/** Network settings as they were; what is absent was not changed. Null: there was none. */
export interface NetworkUndo {
  readonly redsocks?: string | null;
  readonly noProxy?: string | null;
  /** `hostname` of config.json. */
  readonly configured?: string | null;
  /** `/etc/hostname` of a plain host. */
  readonly hostname?: string | null;
}

/** What was there before a change that has to prove itself, and how far it is. */
export interface UnconfirmedChange<Undo = DeviceUndo | NetworkUndo> {
  readonly uid: string;
  readonly generation: number;
  /** What to put back. */
  readonly undo: Undo;
  readonly before: { readonly defaultRoute: boolean; readonly addresses: readonly string[] };
  /** Since when its time runs; absent while it has not taken effect. */
  readonly since?: { readonly bootId: string; readonly uptimeMs: number };
  /** How often the device was started meanwhile. */
  readonly starts: number;
  /** Why it is being taken back. */
  readonly failed?: string;
}

/** A generation that was taken back: it is not tried again. */
interface RolledBack {
  readonly uid: string;
  readonly generation: number;
  readonly because: string;
  /** In which boot: until the next one it is still in effect, as far as it takes a restart of the device. */
  readonly bootId?: string;
}

/** What cannot be seen on the host and has to outlive a crash. Values are fingerprints: texts, or hashes of long ones. */
export interface HostState {
  /** What boot files said when the device was started, by variable. */
  readonly booted?: { readonly bootId: string; readonly values: Readonly<Record<string, string>> };
  /** Variables that were changed since then. */
  readonly touched: readonly string[];
  /** Variables that are ours, with what they should say. */
  readonly managed: Readonly<Record<string, string>>;
  /** The last restart of the device that was asked for, and what for. */
  readonly reboot?: {
    readonly bootId: string;
    /** Absent when an earlier version of the agent wrote it. */
    readonly uid?: string;
    readonly generation: number;
    readonly changes: readonly string[];
  };
  /** What was written and did not read back. */
  readonly stuck?: { readonly uid: string; readonly generation: number; readonly message: string };
  /** Changes that are not confirmed yet. The name is the one on disk, and that of the field in the status. */
  readonly trials: {
    readonly device?: UnconfirmedChange<DeviceUndo>;
    readonly network?: UnconfirmedChange<NetworkUndo>;
  };
  /** The generation of the network settings that was last true and had proved itself: later writes are repairs. */
  readonly proven?: { readonly uid: string; readonly generation: number };
  readonly rolledBack: { readonly device?: RolledBack; readonly network?: RolledBack };
}

export const NO_STATE: HostState = { touched: [], managed: {}, trials: {}, rolledBack: {} };

/** Keeps the state in `<data>/host.json`, readable for its owner only: what was there before may hold a password. */
export class HostStateFile {
  readonly #path: string;
  readonly #fs: HostFs;
  #state: HostState | undefined;

  constructor(
    dataFolder: string,
    private readonly deps: {
      /** ms since the epoch. */
      readonly now: () => number;
      /** Told of a file that was set aside. */
      readonly lost?: (aside: string) => void;
      readonly fs?: HostFs;
    },
  ) {
    this.#fs = deps.fs ?? nodeHostFs;
    this.#path = join(dataFolder, 'host.json');
  }

  /** A file that cannot be understood is set aside: nothing is known then. */
  async load(): Promise<HostState> {
    if (this.#state) return this.#state;
    const state = await this.#read();
    if (!state) {
      const aside = `${this.#path}.corrupt-${this.deps.now()}`;
      await this.#fs.rename(this.#path, aside);
      this.deps.lost?.(aside);
    }
    this.#state = state ?? NO_STATE;
    return this.#state;
  }

  /** Undefined for what cannot be understood: no file of ours is so large, and no folder. */
  async #read(): Promise<HostState | undefined> {
    try {
      const text = (await this.#fs.read(this.#path))?.toString('utf8');
      return text === undefined ? NO_STATE : parse(text);
    } catch (error) {
      if (error instanceof UnfitFileError && error.code !== 'ETIMEDOUT') return undefined;
      throw error;
    }
  }

  /** Keeps what a file said before it was changed last, in `<data>/host-files/<name>`, for people. */
  async keep(name: string, text: string): Promise<void> {
    const path = join(dirname(this.#path), 'host-files', name.replaceAll(' ', '-'));
    await mkdir(dirname(path), { recursive: true });
    await this.#replace(path, text);
  }

  /** On disk when it resolves; not written when it is the same. */
  async save(state: HostState): Promise<void> {
    if (JSON.stringify(state) === JSON.stringify(await this.load())) return;
    await mkdir(dirname(this.#path), { recursive: true });
    await this.#replace(this.#path, JSON.stringify(state));
    this.#state = state;
  }

  /** The same with those parts otherwise. */
  async change(parts: Partial<HostState>): Promise<void> {
    await this.save({ ...(await this.load()), ...parts });
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.#fs.write(`${path}.new`, Buffer.from(text), 0o600);
    await this.#fs.rename(`${path}.new`, path);
    await this.#fs.sync(dirname(path));
  }
}

function parse(text: string): HostState | undefined {
  const fields = parseMap(text);
  return fields && { ...NO_STATE, ...fields };
}
