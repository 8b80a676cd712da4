import type { EventReason } from '../../crds/model/event-reasons.js';
import type {
  AnyDeclared,
  AnyResource,
  Key,
  Kind,
  Kinds,
  Origin,
  Problem,
  RequestName,
  Requests,
  Resource,
  Source,
} from '../../crds/model/kinds.js';

/** One document of a proposal, and where it was read. */
export interface Proposed {
  readonly document: AnyDeclared;
  readonly source?: Source;
}

/**
 * All that an origin declares at this moment. What is not in it is deleted, unless a problem covers it: a problem that
 * names kind and name covers that document, one that names only a file covers every document last read from that file.
 */
export interface Proposal {
  readonly origin: Origin;
  readonly owner?: Key;
  readonly documents: readonly Proposed[];
  readonly problems?: readonly Problem[];
  /** Refuse one, refuse all: when a document cannot be taken, nothing changes. */
  readonly atomic?: boolean;
}

export interface Accepted {
  readonly created: readonly Key[];
  readonly changed: readonly Key[];
  readonly deleted: readonly Key[];
  /** Documents that could not be taken (name or appId belongs to another origin, …), and why. */
  readonly refused: readonly Problem[];
}

/** One change of one document, as watchers see it. `object` of a DELETED is its last form. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: Key;
  readonly object: AnyResource;
  /** Which parts changed. */
  readonly parts: readonly ('spec' | 'metadata' | 'requests' | 'status')[];
  readonly resourceVersion: string;
}

/** Something that happened to a document. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
  readonly times?: number;
}

/** What happened to a document, folded: equal events count up. Bounded for each document. */
export interface ResourceEvent {
  readonly key: Key;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  /** Higher than that of every event before it, whatever the clock says; ahead of earlier lives as the store's are. */
  readonly resourceVersion: string;
}

/** The reading half; what HTTP views get. All objects are frozen; all calls are synchronous and in memory. */
export interface Reader {
  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined;
  list<K extends Kind>(kind: K): readonly Resource<K>[];
  /** Documents whose metadata.owner is that key. */
  owned<K extends Kind>(owner: Key, kind: K): readonly Resource<K>[];
  /** Changed by every write of any part of any document: an unchanged value means unchanged views. */
  readonly resourceVersion: string;
  /** Called in order, in the same turn as the write, for every change from now on. Returns how to stop. */
  watch(listener: (change: Change) => void): () => void;
  /** Changes after that version, oldest first; undefined when it is too old to know (HTTP 410). */
  since(resourceVersion: string): readonly Change[] | undefined;
  events(key?: Key): readonly ResourceEvent[];
  watchEvents(listener: (event: ResourceEvent) => void): () => void;
  /** Everything that an origin said and that was not accepted, by origin. */
  problems(): readonly (Problem & { readonly origin: Origin })[];
  /** Origins that can at present not read what they would propose, for how long, and why. */
  unavailableOrigins(): readonly { readonly origin: Origin; readonly forMs: number; readonly message: string }[];
  /** Why statuses are kept in memory only; undefined while the disk takes them. */
  readonly diskFailure: string | undefined;
  /** A pass was asked for (`touch`) or is due (generation, requests) and has not concluded. */
  isPending(key: Key): boolean;
  /** The document is being deleted, and another declaration waits for it to go. */
  isAwaited(key: Key): boolean;
}

/** The store: accepts, numbers, keeps and announces documents and status; the single writer of both trees on disk. */
export interface Store extends Reader {
  /**
   * Takes an origin's whole set. When it resolves, what was accepted is on disk and visible; rejects with
   * `StorageError`, and nothing changed, when it could not be written. Proposals are carried out one after another.
   */
  propose(proposal: Proposal): Promise<Accepted>;
  /** What `propose` would do at this moment; changes nothing. */
  previewSet(proposal: Proposal): Accepted;
  /** An origin that cannot read what it would propose says why; its documents stay. Its next proposal takes that back. */
  report(origin: Origin, problems: readonly Problem[]): void;
  /**
   * Creates or changes one document of an origin that declares piece by piece (`api`). Same promises as `propose`. `check`
   * sees what is there when its turn has come, after every write before it; what it throws is the answer, and nothing is written.
   */
  put(origin: Origin, proposed: Proposed, check?: (present: Resource | undefined) => void): Promise<Accepted>;
  /** What `put` would say and how the document would look then; nothing is changed. */
  preview(
    origin: Origin,
    proposed: Proposed,
  ): Promise<{ readonly refused: readonly Problem[]; readonly resource: Resource | undefined }>;
  /** Marks for deletion; a document of another origin is refused. `absent` when there is none. `check` as for `put`. */
  delete(origin: Origin, key: Key, check?: (present: Resource) => void): Promise<'deleted' | 'absent' | Problem>;
  /** Puts requests on a document; on disk when it resolves. Returns the ids. */
  request(key: Key, requests: Readonly<Partial<Record<RequestName, { force?: boolean }>>>): Promise<Requests>;
  /** Takes a request back, if it is still that one; gone from the disk when it resolves. What was begun stays as it is. */
  withdraw(key: Key, name: RequestName, id: string): Promise<void>;
  /** Lets a deleted document go, once its controller has cleaned up. Does nothing to one that is not deleted. */
  release(resource: Pick<Resource, 'kind' | 'metadata'>): Promise<void>;
  /**
   * Replaces the status, by its controller only. Equal status: nothing happens. Visible at once; on disk a little
   * later (see `flush`). A status for another uid than the document's is dropped.
   */
  setStatus<K extends Kind>(resource: Resource<K>, status: Kinds[K]['status']): void;
  /** Asks for a pass although nothing changed (the same target posted again). In memory only. */
  touch(key: Key): void;
  /** The runtime says that a pass, begun when `resourceVersion` was current, has ended as settled or stalled. */
  markReconciled(key: Key): void;
  /** `times`: it has happened so often since it was last told; once when absent. */
  record(key: Key, event: Happening): void;
  /** Resolves when every status is on disk. */
  flush(): Promise<void>;
  /** Flushes and stops writing. */
  close(): Promise<void>;
}
