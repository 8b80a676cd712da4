import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import {
  type AnyDeclared,
  type Key,
  type Kind,
  type Kinds,
  keyOf,
  type Origin,
  type Problem,
  type Request,
  type RequestName,
  type Requests,
  type Resource,
  splitKey,
} from '../../crds/model/kinds.js';
import { type Disk, nodeDisk, StorageError } from '../platform/disk.js';
import { Emitter } from '../platform/emitter.js';
import { Turns } from '../platform/turns.js';
import { RecentChanges } from './changes.js';
import { Documents } from './documents.js';
import { type Entry, isTerminating, keyOfDeclared, keyOfEntry } from './entry.js';
import { RecentEvents } from './events.js';
import { frozen, textOf } from './frozen.js';
import { isDue } from './pending.js';
import { renderDocument, type StoredStatus } from './persistence/document-files.js';
import { Journal } from './persistence/journal.js';
import { type Loaded, load, type Unusable } from './persistence/load.js';
import { type LostDocument, supersede } from './persistence/lost-documents.js';
import { lostFiles } from './persistence/lost-files.js';
import { StatusFiles } from './persistence/status-files.js';
import { type OriginProblem, Problems } from './problems.js';
import {
  type Edit,
  editsOf,
  entryOf,
  type Fresh,
  lastRequestMs,
  releaseEdits,
  requestEdit,
  withdrawalEdit,
} from './proposal/edits.js';
import { planDeletion } from './proposal/plan-deletion.js';
import { type Decision, type ProposalMode, type ProposalPlan, planProposal } from './proposal/plan-proposal.js';
import { durableStatus, withoutRetired } from './status-facts.js';
import type { Accepted, Change, Happening, Proposal, Proposed, ResourceEvent, Store } from './store.js';

/** What keeps documents and statuses over restarts. */
interface Keeping {
  readonly journal: Pick<Journal, 'commit' | 'resume' | 'settle'>;
  readonly statusFiles: Pick<StatusFiles, 'changed' | 'flush' | 'found' | 'refusal' | 'stop'>;
}

/** Keeps nothing. */
const IN_MEMORY: Keeping = {
  journal: { commit: async () => undefined, resume: () => undefined, settle: async () => undefined },
  statusFiles: {
    changed: () => undefined,
    flush: async () => undefined,
    found: () => undefined,
    refusal: undefined,
    stop: () => undefined,
  },
};

export interface StoreDeps {
  /** Folder of `documents/`, `status/` and `commit.json`; created when missing. */
  readonly folder: string;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Time of a clock that is never set, ms; the machine's own when absent. */
  readonly monotonic?: () => number;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly disk?: Disk;
  readonly uid?: () => string;
  /** How long status changes are collected before they are written, ms. */
  readonly statusDelayMs?: number;
}

/** Number of changes that a watcher can catch up with, at least. */
const CHANGES_KEPT = 1_000;
const EVENTS_KEPT = { perDocument: 32, total: 1_000 };
const STATUS_DELAY_MS = 200;
const STATUS_RETRY_MS = 60_000;
/** More versions than one process gives out that the disk does not know of, in case the clock goes back. */
const VERSION_GAP = 1_000_000;

/** Opens the store from what is on disk. Rejects with `StorageError` only when there is no folder to work in. */
export async function openStore(deps: StoreDeps): Promise<Store> {
  const loaded = load(deps.folder, deps.now());
  return new DocumentStore(deps, loaded);
}

class DocumentStore implements Store {
  readonly #documents = new Documents();
  readonly #changes: Emitter<Change>;
  readonly #happened: Emitter<ResourceEvent>;
  readonly #recent: RecentChanges;
  readonly #events: RecentEvents;
  readonly #journal: Keeping['journal'];
  readonly #statusFiles: Keeping['statusFiles'];
  readonly #problems = new Problems();
  /** Origins that could not be read last, and since when by the monotonic clock, ms. */
  readonly #unavailableOrigins = new Map<Origin, { readonly sinceMs: number; readonly message: string }>();
  readonly #touched = new Set<Key>();
  readonly #monotonic: () => number;
  #version: number;
  #order = 0;
  readonly #turns = new Turns();
  #closed = false;

  constructor(
    private readonly deps: StoreDeps,
    loaded: Loaded,
    keeping?: Keeping,
  ) {
    const { log } = deps;
    this.#monotonic = deps.monotonic ?? (() => performance.now());
    // A thousand versions for each ms of the clock: ahead of every earlier process, as long as the clock goes forward.
    this.#version = Math.max(loaded.version + VERSION_GAP, deps.now() * 1_000);
    const onError = (err: unknown): void => log.error({ err }, 'A watcher of the store failed');
    this.#changes = new Emitter(onError);
    this.#happened = new Emitter(onError);
    ({ journal: this.#journal, statusFiles: this.#statusFiles } = keeping ?? this.#onDisk());
    this.#take(loaded);
    this.#recent = new RecentChanges(this.#version, CHANGES_KEPT);
    this.#events = new RecentEvents(EVENTS_KEPT, this.#version);
    this.#reportUnusable(loaded);
  }

  #onDisk(): Keeping {
    const { folder: root, log, disk = nodeDisk, statusDelayMs: delayMs = STATUS_DELAY_MS } = this.deps;
    const wanted = (key: Key): StoredStatus | undefined => this.#statusToKeep(key);
    return {
      journal: new Journal({ root, disk, log, all: () => this.#texts() }),
      statusFiles: new StatusFiles({ root, disk, log, wanted, delayMs, retryMs: STATUS_RETRY_MS }),
    };
  }

  // Reading

  get resourceVersion(): string {
    return String(this.#version);
  }

  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined {
    return this.#documents.get(kind, name);
  }

  list<K extends Kind>(kind: K): readonly Resource<K>[] {
    return this.#documents.list(kind);
  }

  owned<K extends Kind>(owner: Key, kind: K): readonly Resource<K>[] {
    return this.#documents.owned(owner, kind);
  }

  watch(listener: (change: Change) => void): () => void {
    return this.#changes.listen(listener);
  }

  since(resourceVersion: string): readonly Change[] | undefined {
    return this.#recent.since(resourceVersion, this.#version);
  }

  events(key?: Key): readonly ResourceEvent[] {
    return this.#events.list(key);
  }

  watchEvents(listener: (event: ResourceEvent) => void): () => void {
    return this.#happened.listen(listener);
  }

  problems(): readonly OriginProblem[] {
    return [...lostFiles(this.deps.folder), ...this.#problems.list()];
  }

  unavailableOrigins(): ReturnType<Store['unavailableOrigins']> {
    const nowMs = this.#monotonic();
    return [...this.#unavailableOrigins].map(([origin, { sinceMs, message }]) => ({
      origin,
      forMs: nowMs - sinceMs,
      message,
    }));
  }

  get diskFailure(): string | undefined {
    return this.#statusFiles.refusal?.message;
  }

  isPending(key: Key): boolean {
    const entry = this.#documents.entries.get(key);
    return entry !== undefined && (this.#touched.has(key) || isDue(entry.resource));
  }

  isAwaited(key: Key): boolean {
    return this.awaiting(key).length > 0;
  }

  awaiting(key: Key): readonly AnyDeclared[] {
    return (this.#documents.entries.get(key)?.pendingReplacements ?? []).map(({ document }) => document);
  }

  copy(clock: { readonly now: () => number; readonly monotonic: () => number }): Store {
    const nothing: Loaded = {
      entries: [],
      statuses: new Map(),
      unfinished: undefined,
      unusable: [],
      lost: [],
      version: this.#version,
    };
    const store = new DocumentStore({ ...this.deps, ...clock, log: SILENT }, nothing, IN_MEMORY);
    for (const entry of this.#documents.entries.values()) store.#documents.set(entry);
    for (const key of this.#touched) store.#touched.add(key);
    store.#order = this.#order;
    return store;
  }

  // Declaring

  propose(proposal: Proposal): Promise<Accepted> {
    return this.#inTurn(async () => {
      const plan = await this.#carryOut(proposal, 'replace');
      const warnings = (proposal.warnings ?? []).map((one): Problem => ({ ...one, severity: 'warning' }));
      const problems = [...(proposal.problems ?? []), ...plan.refused, ...warnings];
      this.#unavailableOrigins.delete(proposal.origin);
      this.#setProblems(proposal.origin, problems);
      return acceptedOf(plan);
    });
  }

  previewSet(proposal: Proposal): Accepted {
    return acceptedOf(this.#plan(proposal, 'replace'));
  }

  report(origin: Origin, problems: readonly Problem[]): void {
    const sinceMs = this.#unavailableOrigins.get(origin)?.sinceMs ?? this.#monotonic();
    const message = problems.map((one) => one.message).join('; ');
    if (problems.length > 0) this.#unavailableOrigins.set(origin, { sinceMs, message });
    else this.#unavailableOrigins.delete(origin);
    this.#setProblems(origin, problems);
  }

  put(origin: Origin, proposed: Proposed, check?: (present: Resource | undefined) => void): Promise<Accepted> {
    return this.#inTurn(async () => {
      const { kind, metadata } = proposed.document;
      check?.(this.get(kind, metadata.name));
      return acceptedOf(await this.#carryOut({ origin, documents: [proposed] }, 'upsert'));
    });
  }

  preview(origin: Origin, proposed: Proposed): ReturnType<Store['preview']> {
    return this.#inTurn(async () => {
      const { entries } = this.#documents;
      const { decisions, refused } = planProposal(entries, { origin, documents: [proposed] }, 'upsert');
      const key = keyOfDeclared(proposed.document);
      const edit = editsOf(decisions, entries, this.#fresh()).find((one) => one.key === key);
      return { refused, resource: (edit ? edit.after : entries.get(key))?.resource };
    });
  }

  delete(origin: Origin, key: Key, check?: (present: Resource) => void): Promise<'deleted' | 'absent' | Problem> {
    return this.#inTurn(async () => {
      const { kind, name } = splitKey(key);
      const present = this.get(kind, name);
      if (present) check?.(present);
      const plan = planDeletion(this.#documents.entries, origin, key);
      if (plan.is === 'absent') return 'absent';
      if (plan.is === 'refused') return plan.problem;
      await this.#commit(editsOf(plan.decisions, this.#documents.entries, this.#fresh()));
      return 'deleted';
    });
  }

  request(key: Key, asked: Readonly<Partial<Record<RequestName, Omit<Request, 'id' | 'at'>>>>): Promise<Requests> {
    return this.#inTurn(async () => {
      const entry = this.#documents.entries.get(key);
      if (!entry) throw new Error(`Cannot request anything of ${key}: no such document`);
      const at = new Date(Math.max(this.deps.now(), lastRequestMs(this.#documents.entries.values()) + 1)).toISOString();
      const requests: Requests = Object.fromEntries(
        Object.entries(asked).map(([name, { force, to, service, containers, by }]) => [
          name,
          {
            ...{ id: randomUUID(), at },
            ...(force === undefined ? {} : { force }),
            ...(to === undefined ? {} : { to }),
            ...(service === undefined ? {} : { service }),
            ...(containers === undefined ? {} : { containers }),
            ...(by === undefined ? {} : { by }),
          },
        ]),
      );
      await this.#commit([requestEdit(key, entry, requests)]);
      return requests;
    });
  }

  withdraw(key: Key, name: RequestName, id: string): Promise<void> {
    return this.#inTurn(async () => {
      const entry = this.#documents.entries.get(key);
      if (entry?.resource.requests[name]?.id === id) await this.#commit([withdrawalEdit(key, entry, name)]);
    });
  }

  release(resource: Pick<Resource, 'kind' | 'metadata'>): Promise<void> {
    return this.#inTurn(async () => {
      const key = keyOf(resource.kind, resource.metadata.name);
      const entry = this.#documents.entries.get(key);
      if (!entry || !isTerminating(entry) || entry.resource.metadata.uid !== resource.metadata.uid) return;
      const { edits, refused } = releaseEdits(key, this.#documents.entries, this.#fresh());
      await this.#commit(edits);
      for (const problem of refused) {
        this.deps.log.warn({ problem }, 'What waited for a deletion cannot be made after all');
        this.#setProblems(problem.origin, [...this.#problems.of(problem.origin), problem]);
      }
    });
  }

  // Observing

  setStatus<K extends Kind>(resource: Resource<K>, status: Kinds[K]['status']): void {
    const key = keyOf(resource.kind, resource.metadata.name);
    const entry = this.#documents.entries.get(key);
    if (!entry || entry.resource.metadata.uid !== resource.metadata.uid) return;
    const next = frozen(status);
    if (entry.resource.status && textOf(next) === textOf(entry.resource.status)) return;
    const after = entryOf({ ...entry, resource: { ...entry.resource, status: next } });
    const change = this.#keep(after, 'MODIFIED', ['status']);
    this.#statusFiles.changed(key);
    this.#announce(change);
  }

  touch(key: Key): void {
    const entry = this.#documents.entries.get(key);
    if (!entry) return;
    this.#touched.add(key);
    this.#announce({ type: 'MODIFIED', key, object: entry.resource, parts: [], resourceVersion: this.#nextVersion() });
  }

  markReconciled(key: Key): void {
    // Not announced, because it would wake the document that it is about. The version tells views to look again.
    if (this.#touched.delete(key)) this.#nextVersion();
  }

  record(key: Key, event: Happening): void {
    this.#happened.emit(this.#events.record(key, event, this.deps.now()));
  }

  async flush(): Promise<void> {
    const results = await Promise.allSettled([this.#journal.settle(), this.#statusFiles.flush()]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#turns.idle();
    try {
      await this.flush();
    } catch (error) {
      this.deps.log.error({ err: error }, 'Some status could not be saved before the end');
    }
    this.#statusFiles.stop();
  }

  // Writing

  /** Runs writes one after another; a failure concerns its own caller only. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new StorageError('The store is closed'));
    return this.#turns.run(action);
  }

  /** Plans a proposal; returns only the refusals when an atomic proposal has any. */
  #plan(proposal: Proposal, mode: ProposalMode): ProposalPlan {
    const plan = planProposal(this.#documents.entries, proposal, mode);
    return proposal.atomic && plan.refused.length > 0 ? { decisions: [], refused: plan.refused } : plan;
  }

  async #carryOut(proposal: Proposal, mode: ProposalMode): Promise<ProposalPlan> {
    const plan = this.#plan(proposal, mode);
    await this.#commit(editsOf(plan.decisions, this.#documents.entries, this.#fresh()));
    for (const decision of plan.decisions) {
      if (decision.do !== 'await' || decision.pendingReplacements.length === 0) continue;
      const next = decision.pendingReplacements.map(({ document }) => keyOfDeclared(document)).join(', ');
      this.record(decision.key, {
        type: 'Normal',
        reason: 'DeclaredAgain',
        message: `${next} follows when this is gone`,
      });
    }
    return plan;
  }

  /** Returns the text of every document's file. */
  #texts(): ReadonlyMap<Key, string> {
    const all = [...this.#documents.entries];
    return new Map(all.map(([key, entry]) => [key, renderDocument(entry, entry.resource.metadata.resourceVersion)]));
  }

  /** Commits edits: on disk first, then in memory, then announced. Statuses may be set meanwhile, so they are taken at the end. */
  async #commit(edits: readonly Edit[]): Promise<void> {
    const texts = new Map<Key, string | undefined>();
    for (const { key, after, durable } of this.#journal === IN_MEMORY.journal ? [] : edits) {
      if (durable) texts.set(key, after && renderDocument(after, this.resourceVersion));
    }
    if (texts.size > 0) await this.#journal.commit(texts);
    // All of it first, so that a listener for one change sees the others too.
    this.#announce(...edits.map((edit) => this.#apply(edit)));
  }

  #apply({ key, before, after, parts }: Edit): Change {
    const current = this.#documents.entries.get(key);
    if (!after) {
      if (!current) throw new Error(`${key} is gone already`);
      this.#documents.remove(current);
      this.#touched.delete(key);
      this.#statusFiles.changed(key);
      const resourceVersion = this.#nextVersion();
      const { resource } = withVersion(current, resourceVersion);
      return { type: 'DELETED', key, object: resource, parts, resourceVersion };
    }
    supersede(this.#problems.clearFile(key));
    if (isTerminating(after) && !(before && isTerminating(before))) this.#touched.add(key);
    const same = current?.resource.metadata.uid === after.resource.metadata.uid;
    const status = same ? current?.resource.status : undefined;
    const resource = { ...after.resource, ...(status ? { status } : {}) };
    return this.#keep(entryOf({ ...after, resource }), same ? 'MODIFIED' : 'ADDED', parts);
  }

  #keep(entry: Entry, type: 'ADDED' | 'MODIFIED', parts: Change['parts']): Change {
    const resourceVersion = this.#nextVersion();
    const next = withVersion(entry, resourceVersion);
    this.#documents.set(next);
    return { type, key: keyOfEntry(next), object: next.resource, parts, resourceVersion };
  }

  #announce(...changes: readonly Change[]): void {
    for (const change of changes) this.#recent.add(Object.freeze(change));
    this.#changes.emit(...changes);
  }

  #nextVersion(): string {
    this.#version += 1;
    return String(this.#version);
  }

  #fresh(): Fresh {
    const { now, uid = randomUUID } = this.deps;
    return {
      nowMs: now(),
      uid,
      order: () => {
        this.#order += 1;
        return this.#order;
      },
    };
  }

  #setProblems(origin: Origin, problems: readonly Problem[]): void {
    if (this.#problems.set(origin, problems)) this.#nextVersion(); // views that show problems look again
  }

  #statusToKeep(key: Key): StoredStatus | undefined {
    const resource = this.#documents.entries.get(key)?.resource;
    const status = resource && durableStatus(resource);
    return resource && status && { uid: resource.metadata.uid, resourceVersion: this.resourceVersion, status };
  }

  /** Takes in what was found at the start, each with a version of this process: versions that were only in memory are unknown. */
  #take({ entries, statuses, unfinished }: Loaded): void {
    for (const one of entries) {
      const key = keyOfEntry(one);
      const stored = statuses.get(key);
      const status = stored && withoutRetired(one.resource.kind, stored.status);
      const resource = { ...one.resource, ...(status ? { status } : {}) };
      this.#documents.set(withVersion(entryOf({ ...one, resource }), this.#nextVersion()));
      if (stored) this.#statusFiles.found(key, stored);
      if (status !== stored?.status) this.#statusFiles.changed(key);
      if (isTerminating(one)) this.#touched.add(key);
      this.#order = Math.max(this.#order, one.order);
    }
    if (unfinished) this.#journal.resume(unfinished);
  }

  /** Records a problem and an event for each unusable file. */
  #reportUnusable({ unusable, lost }: Loaded): void {
    for (const one of unusable) {
      const set = lost.find(({ path }) => one.part === 'document' && path === one.path);
      const message = `${unusableMessage(one)}${set ? `. ${wayOut(set)}` : ''}`;
      this.deps.log.error({ path: one.path, aside: one.aside, key: one.key }, message);
      if (!one.key) continue;
      if (one.part === 'document') this.#problems.setFile(one.key, message, set?.asides);
      this.record(one.key, { type: 'Warning', reason: 'FileUnusable', message });
    }
    const reported = new Set(unusable.map(({ path }) => path));
    for (const set of lost.filter(({ path }) => !reported.has(path))) {
      const message = `The document file ${set.path} could not be used at an earlier start; it was kept as ${set.asides[0]}. ${wayOut(set)}`;
      this.deps.log.error({ path: set.path, aside: set.asides[0], key: set.key }, message);
      this.#problems.setFile(set.key, message, set.asides);
      this.record(set.key, { type: 'Warning', reason: 'FileUnusable', message });
    }
  }
}

const SILENT: StoreDeps['log'] = { info: () => undefined, warn: () => undefined, error: () => undefined };

const withVersion = (entry: Entry, resourceVersion: string): Entry =>
  frozen(
    entryOf({ ...entry, resource: { ...entry.resource, metadata: { ...entry.resource.metadata, resourceVersion } } }),
  );

function acceptedOf({ decisions, refused }: ProposalPlan): Accepted {
  const keys = (...what: readonly Decision['do'][]): readonly Key[] =>
    decisions.filter((decision) => what.includes(decision.do)).map(({ key }) => key);
  return { created: keys('create'), changed: keys('change'), deleted: keys('mark', 'remove'), refused };
}

const wayOut = ({ key, path }: LostDocument): string =>
  `${key} is missing: declare it again, or remove ${basename(path)}.corrupt-* when this is dealt with`;

const unusableMessage = ({ path, aside, reason, part }: Unusable): string =>
  `The ${part} file ${path} cannot be used (${reason}); ${aside ? `it was kept as ${aside}` : 'it could not be set aside'}`;
