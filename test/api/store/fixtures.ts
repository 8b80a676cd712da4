import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disk, nodeDisk } from '../../../api/platform/disk.js';
import { openStore, type StoreDeps } from '../../../api/store/document-store.js';
import type { Entry } from '../../../api/store/entry.js';
import { editsOf } from '../../../api/store/proposal/edits.js';
import { planProposal } from '../../../api/store/proposal/plan-proposal.js';
import type { Accepted, Proposal, Proposed, Store } from '../../../api/store/store.js';
import type { Declared, Key, Kind, Kinds, Origin, Source } from '../../../crds/model/kinds.js';
import { API_VERSION } from '../../../crds/model/kinds.js';

export const NOW = Date.parse('2026-01-02T03:04:05.678Z');

type Labels = Readonly<Record<string, string>>;

/** A declared document; `file` and `line` say where it was read. */
export function declare<K extends Kind>(
  kind: K,
  name: string,
  spec: Kinds[K]['spec'],
  from: { file?: string; line?: number; labels?: Labels } = {},
): { document: Declared<K>; source?: Source } {
  const { file, line, labels } = from;
  return {
    document: { apiVersion: API_VERSION, kind, metadata: { name, ...(labels ? { labels } : {}) }, spec },
    ...(file === undefined ? {} : { source: { file, ...(line === undefined ? {} : { line }) } }),
  };
}

export const anApp = (name: string, spec: Kinds['App']['spec'] = {}, from = {}): Proposed =>
  declare('App', name, spec, from);

export const aService = (name: string, image = 'busybox:1', from = {}): Proposed =>
  declare('Service', name, { app: 'hello', serviceName: name, image }, from);

export const anImage = (name: string): Proposed =>
  declare('Image', name, { app: 'hello', image: 'busybox:1', services: [name] });

export const aHostConfig = (name: string, hostname: string, from = {}): Proposed =>
  declare('HostConfig', name, { hostname }, from);

export const proposal = (origin: Origin, documents: readonly Proposed[], rest: Partial<Proposal> = {}): Proposal => ({
  origin,
  documents,
  ...rest,
});

/** What a store would hold after these proposals, without a store. Pure. */
export function entriesOf(...proposals: readonly Proposal[]): ReadonlyMap<Key, Entry> {
  const all = new Map<Key, Entry>();
  for (const one of proposals) {
    const fresh = { nowMs: NOW, uid: () => `uid-${all.size + 1}`, order: () => all.size + 1 };
    for (const { key, after } of editsOf(planProposal(all, one).decisions, all, fresh)) {
      if (after) all.set(key, after);
      else all.delete(key);
    }
  }
  return all;
}

export const accepted = (some: Partial<Accepted>): Accepted => ({
  created: [],
  changed: [],
  deleted: [],
  refused: [],
  ...some,
});

/** Keeps what was logged, for looking at. */
export class Log {
  readonly lines: { level: 'info' | 'warn' | 'error'; text: string }[] = [];
  readonly info = (...args: unknown[]): void => this.#add('info', args);
  readonly warn = (...args: unknown[]): void => this.#add('warn', args);
  readonly error = (...args: unknown[]): void => this.#add('error', args);

  #add(level: 'info' | 'warn' | 'error', args: unknown[]): void {
    this.lines.push({
      level,
      text: args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))).join(' '),
    });
  }

  at(level: 'info' | 'warn' | 'error'): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }
}

/** A folder of its own, and stores in it that are closed afterwards. */
export class Place {
  readonly log = new Log();
  readonly #open: Store[] = [];

  private constructor(readonly folder: string) {}

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'supercargo-store-')));
  }

  async store(some: Partial<StoreDeps> = {}): Promise<Store> {
    const store = await openStore({ folder: this.folder, now: () => NOW, log: this.log, ...some });
    this.#open.push(store);
    return store;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  async remove(): Promise<void> {
    for (const store of this.#open) await store.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something, made up`), { code });
}

/** The real disk, until the call with that number: it fails, or it and all after it do. A file that fails is half there. */
export class FailingDisk implements Disk {
  readonly calls: string[] = [];
  failAt = Number.POSITIVE_INFINITY;
  failFor: 'once' | 'ever' = 'once';
  code = 'ENOSPC';

  readonly create = (path: string, text: string): Promise<void> =>
    this.#call(
      `create ${path}`,
      () => nodeDisk.create(path, text),
      () => nodeDisk.create(path, text.slice(0, text.length / 2)),
    );
  readonly rename = (from: string, to: string): Promise<void> =>
    this.#call(`rename ${to}`, () => nodeDisk.rename(from, to));
  readonly remove = (path: string): Promise<void> => this.#call(`remove ${path}`, () => nodeDisk.remove(path));
  readonly syncFolder = (path: string): Promise<void> => this.#call(`sync ${path}`, () => nodeDisk.syncFolder(path));

  /** From now on, counting from 0. */
  fail(at: number, how: 'once' | 'ever', code = 'ENOSPC'): void {
    this.calls.length = 0;
    this.failAt = at;
    this.failFor = how;
    this.code = code;
  }

  heal(): void {
    this.failAt = Number.POSITIVE_INFINITY;
  }

  async #call(
    name: string,
    act: () => Promise<void>,
    fall: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    const number = this.calls.push(name) - 1;
    if (this.failFor === 'once' ? number !== this.failAt : number < this.failAt) return act();
    await fall();
    throw systemError(this.code);
  }
}

export const folder = (path: string): string => {
  mkdirSync(path, { recursive: true });
  return path;
};
