import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Disk, nodeDisk, replaceFile, syncFolders } from '../platform/disk.js';
import { quarantine, readOwnFile } from '../platform/quarantine.js';
import { Turns } from '../platform/turns.js';
import type { Keys, Scope } from './keys.js';

export interface KeysDeps {
  /** Folder of `keys.json`; created when missing. */
  readonly folder: string;
  /**
   * Value of SUPERCARGO_API_KEY. Letters, digits and `_`, which clients can send. It stays out of the file: without the
   * setting the key of the file counts again. Once `regenerate` has replaced it, that value is never valid again.
   */
  readonly globalKey?: string | undefined;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly log: Pick<Logger, 'info' | 'error'>;
  readonly disk?: Disk;
}

interface ServiceKey {
  readonly appId: number;
  readonly serviceName: string;
  readonly key: string;
}

interface KeyFile {
  readonly global: string;
  readonly services: readonly ServiceKey[];
  /** SHA-256 of a setting that was replaced by `regenerate`. */
  readonly retired?: string;
}

/**
 * Reads the keys, or creates them at the first start. An unusable file is set aside and all keys are created again,
 * which is logged without them. Rejects with `StorageError` when new keys cannot be written, and with an `Error` for a
 * setting that no client could send.
 */
export async function openKeys({ folder, globalKey, now, log, disk = nodeDisk }: KeysDeps): Promise<Keys> {
  if (globalKey !== undefined && !/^\w+$/.test(globalKey)) {
    throw new Error('SUPERCARGO_API_KEY may hold only letters, digits and underscores, and at least one of them');
  }
  const path = join(folder, 'keys.json');
  const found = read(path, now(), log);
  const file = found ?? { global: newKey(), services: [] };
  const retired = globalKey !== undefined && file.retired === digestOf(globalKey).toString('hex');
  if (retired)
    log.info('SUPERCARGO_API_KEY was replaced through the API and no longer counts; the key of the file does');
  const keys = new KeptKeys({ path, folder, disk }, file, retired ? undefined : globalKey);
  if (!found) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await keys.save(file);
  }
  return keys;
}

class KeptKeys implements Keys {
  readonly #turns = new Turns();
  #digests: readonly { readonly digest: Buffer; readonly scope: Scope }[];

  constructor(
    private readonly place: { readonly path: string; readonly folder: string; readonly disk: Disk },
    private file: KeyFile,
    private given: string | undefined,
  ) {
    this.#digests = this.#digestAll();
  }

  get global(): string {
    return this.given ?? this.file.global;
  }

  ofService(appId: number, serviceName: string): Promise<string> {
    return this.#turns.run(async () => {
      const known = this.known(appId, serviceName);
      if (known !== undefined) return known;
      const key = newKey();
      await this.save({ ...this.file, services: [...this.file.services, { appId, serviceName, key }] });
      return key;
    });
  }

  known(appId: number, serviceName: string): string | undefined {
    return this.file.services.find((one) => one.appId === appId && one.serviceName === serviceName)?.key;
  }

  scopeOf(key: string): Scope | undefined {
    const digest = digestOf(key);
    // Every key is compared, so that the time tells nothing about which one was close.
    let scope: Scope | undefined;
    for (const one of this.#digests) if (timingSafeEqual(digest, one.digest)) scope = one.scope;
    return scope;
  }

  regenerate(key: string): Promise<string | undefined> {
    return this.#turns.run(async () => {
      const scope = this.scopeOf(key);
      if (!scope) return undefined;
      const fresh = newKey();
      if (scope.type === 'global') {
        const retired = this.given === undefined ? {} : { retired: digestOf(this.given).toString('hex') };
        await this.save({ ...this.file, global: fresh, ...retired });
        this.given = undefined;
        this.#digests = this.#digestAll();
      } else {
        const services = this.file.services.map((one) => (one.key === key ? { ...one, key: fresh } : one));
        await this.save({ ...this.file, services });
      }
      return fresh;
    });
  }

  /** Writes the keys; they are valid once they are on disk. */
  async save(file: KeyFile): Promise<void> {
    const { path, folder, disk } = this.place;
    await replaceFile(disk, path, `${JSON.stringify(file, null, 2)}\n`);
    await syncFolders(disk, [folder]);
    this.file = file;
    this.#digests = this.#digestAll();
  }

  /**
   * Computed once for each change, because keys are compared at every request. The global key comes last, so it wins
   * over others of the same value.
   */
  #digestAll(): readonly { readonly digest: Buffer; readonly scope: Scope }[] {
    return [
      ...this.file.services.map(({ key, appId }) => ({
        digest: digestOf(key),
        scope: { type: 'app', appId } as const,
      })),
      { digest: digestOf(this.global), scope: { type: 'global' } },
    ];
  }
}

const newKey = (): string => randomUUID().replaceAll('-', '');
const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** Reads the file; undefined when there is none, or when it was set aside. */
function read(path: string, nowMs: number, log: KeysDeps['log']): KeyFile | undefined {
  const found = readOwnFile(path);
  if (!found) return undefined;
  const { unfit } = found;
  const file = unfit === undefined ? parse(found.text) : undefined;
  if (!file) {
    const aside = quarantine(path, nowMs);
    log.error(
      { path, aside },
      `The key file cannot be used${unfit === undefined ? '' : ` (${unfit})`}; making new keys`,
    );
  }
  return file;
}

function parse(text: string): KeyFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isKeyFile(value) ? value : undefined;
  } catch {
    return undefined; // the parser's message would quote the text, keys and all
  }
}

function isKeyFile(value: unknown): value is KeyFile {
  if (typeof value !== 'object' || value === null || !('global' in value) || !('services' in value)) return false;
  return isKey(value.global) && Array.isArray(value.services) && value.services.every(isServiceKey);
}

function isServiceKey(value: unknown): value is ServiceKey {
  if (typeof value !== 'object' || value === null) return false;
  const { appId, serviceName, key } = value as Partial<Record<keyof ServiceKey, unknown>>;
  return Number.isSafeInteger(appId) && typeof serviceName === 'string' && isKey(key);
}

const isKey = (value: unknown): boolean => typeof value === 'string' && /^\w+$/.test(value);
