import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UnfitFileError } from '../../api/platform/read-file.js';
import { parseMap } from '../../crds/model/maps.js';
import { type HostFs, LIMIT_BYTES, nodeHostFs } from './fs.js';

/** Boot files before a change, by name, and our keys in them. */
export interface DeviceUndo {
  readonly managed: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, { readonly text: string | null; readonly keys: readonly string[] }>>;
}

/** Network settings before a change; absent ones were not changed. Null: there was none. */
export interface NetworkUndo {
  readonly redsocks?: string | null;
  readonly noProxy?: string | null;
  /** `hostname` of config.json. */
  readonly configured?: string | null;
  /** `/etc/hostname` of a host without config.json. */
  readonly hostname?: string | null;
}

/** What was there before a change that has to be confirmed, and its state. */
export interface UnconfirmedChange<Undo = DeviceUndo | NetworkUndo> {
  readonly uid: string;
  readonly generation: number;
  /** What a rollback restores. */
  readonly undo: Undo;
  readonly before: { readonly defaultRoute: boolean; readonly addresses: readonly string[] };
  /** Since when its time runs; absent while it has not taken effect. */
  readonly since?: { readonly bootId: string; readonly uptimeMs: number };
  /** How often the device was started meanwhile. */
  readonly starts: number;
  /** Why it is being rolled back. */
  readonly failed?: string;
}

/** A generation that was rolled back: it is not tried again. */
interface RolledBack {
  readonly uid: string;
  readonly generation: number;
  readonly because: string;
  /** The boot in which it was rolled back: until the next one it is still in effect, as far as it takes a restart of the device. */
  readonly bootId?: string;
}

/** Facts that cannot be seen on the host and have to outlive a crash. Values are fingerprints: texts, or hashes of long ones. */
export interface HostState {
  /** Contents of boot files when the device was started, by variable. */
  readonly booted?: { readonly bootId: string; readonly values: Readonly<Record<string, string>> };
  /** Variables that were changed since then. */
  readonly touched: readonly string[];
  /** Variables that the agent owns, with their desired values. */
  readonly managed: Readonly<Record<string, string>>;
  /** The last restart of the device that was requested, and for what. */
  readonly reboot?: {
    readonly bootId: string;
    /** Absent when an earlier version of the agent wrote it. */
    readonly uid?: string;
    readonly generation: number;
    readonly changes: readonly string[];
    /** Why it came to nothing, in that boot. */
    readonly failed?: string;
  };
  /** A file that was written and did not read back. */
  readonly stuck?: { readonly uid: string; readonly generation: number; readonly message: string };
  /** Changes that are not confirmed yet. The name is the one on disk, and that of the field in the status. */
  readonly trials: {
    readonly device?: UnconfirmedChange<DeviceUndo>;
    readonly network?: UnconfirmedChange<NetworkUndo>;
  };
  /** The generation of the network settings that was last true and confirmed: later writes are repairs. */
  readonly proven?: { readonly uid: string; readonly generation: number };
  readonly rolledBack: { readonly device?: RolledBack; readonly network?: RolledBack };
}

export const NO_STATE: HostState = { touched: [], managed: {}, trials: {}, rolledBack: {} };

/** Keeps the state in `<data>/host.json`, readable for its owner only: former settings may hold a password. */
export class HostStateFile {
  readonly #path: string;
  readonly #fs: HostFs;
  #state: HostState | undefined;

  constructor(
    dataFolder: string,
    private readonly deps: {
      /** ms since the epoch. */
      readonly now: () => number;
      /** Called with the new path of a file that was set aside. */
      readonly lost?: (aside: string) => void;
      readonly fs?: HostFs;
    },
  ) {
    this.#fs = deps.fs ?? nodeHostFs;
    this.#path = join(dataFolder, 'host.json');
  }

  /** Loads the state. A file that cannot be parsed is set aside; nothing is known then. */
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

  /** Undefined when it cannot be parsed, is too large or a folder. */
  async #read(): Promise<HostState | undefined> {
    try {
      const text = (await this.#fs.read(this.#path))?.toString('utf8');
      return text === undefined ? NO_STATE : parse(text);
    } catch (error) {
      if (error instanceof UnfitFileError && error.code !== 'ETIMEDOUT') return undefined;
      throw error;
    }
  }

  /** Keeps the content of a file before its last change, in `<data>/host-files/<name>`, for people. */
  async keep(name: string, text: string): Promise<void> {
    const path = join(dirname(this.#path), 'host-files', name.replaceAll(' ', '-'));
    await mkdir(dirname(path), { recursive: true });
    await this.#replace(path, text);
  }

  /**
   * Saves the state; resolves when it is on disk. An equal one is not written. Rejects for one that is larger than what is
   * read back, as the files are that a change would have to be taken back to: it then must not be begun.
   */
  async save(state: HostState): Promise<void> {
    if (JSON.stringify(state) === JSON.stringify(await this.load())) return;
    await mkdir(dirname(this.#path), { recursive: true });
    const kept = boundedState(state);
    await this.#replace(this.#path, JSON.stringify(kept));
    this.#state = kept;
  }

  /** Saves the state with those parts replaced. */
  async change(parts: Partial<HostState>): Promise<void> {
    await this.save({ ...(await this.load()), ...parts });
  }

  async #replace(path: string, text: string): Promise<void> {
    await this.#fs.write(`${path}.new`, Buffer.from(text), 0o600);
    await this.#fs.rename(`${path}.new`, path);
    await this.#fs.sync(dirname(path));
  }
}

/** Longest explanation that is kept where the whole is too large, characters. */
const LONGEST_WORDS = 2_000;

/** Returns a state that can be read back: without long words where it is too large. Throws when it still is. Pure. */
function boundedState(state: HostState): HostState {
  const isFit = (one: HostState): boolean => Buffer.byteLength(JSON.stringify(one)) <= LIMIT_BYTES;
  if (isFit(state)) return state;
  const isWords = (key: string): boolean => ['because', 'message', 'failed'].includes(key);
  const shorter = JSON.parse(JSON.stringify(state), (key, value: unknown) =>
    isWords(key) && typeof value === 'string' ? value.slice(0, LONGEST_WORDS) : value,
  ) as HostState;
  if (isFit(shorter)) return shorter;
  throw new Error(
    `What would have to be kept of the host's files is more than ${LIMIT_BYTES / 1024 ** 2} MiB: make the boot files smaller, or set confirm.deadlineSeconds to 0`,
  );
}

function parse(text: string): HostState | undefined {
  const fields = parseMap(text);
  return fields && { ...NO_STATE, ...fields };
}
