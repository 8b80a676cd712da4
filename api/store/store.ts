import type { EventReason } from '../../crds/model/event-reasons.js';
import type {
  AnyDeclared,
  AnyResource,
  Key,
  Kind,
  Kinds,
  Origin,
  Problem,
  Request,
  RequestName,
  Requests,
  Resource,
  Source,
} from '../../crds/model/kinds.js';

/** One document of a proposal, and where it was read, or who sent it. */
export interface Proposed {
  readonly document: AnyDeclared;
  readonly source?: Source;
  readonly declaredBy?: string;
}

/**
 * Everything that an origin declares at this moment. A document that it leaves out is deleted, unless a problem covers
 * it: a problem with kind and name covers that document, one with only a file covers every document last read from that
 * file.
 */
export interface Proposal {
  readonly origin: Origin;
  readonly owner?: Key;
  readonly documents: readonly Proposed[];
  readonly problems?: readonly Problem[];
  /** What was taken, and is probably not meant. They keep nothing back. */
  readonly warnings?: readonly Problem[];
  /** All or nothing: when one document is refused, nothing changes. */
  readonly atomic?: boolean;
}

export interface Accepted {
  readonly created: readonly Key[];
  readonly changed: readonly Key[];
  readonly deleted: readonly Key[];
  /** Documents that were refused (name or appId belongs to another origin, …), and why. */
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

/** An event of a document; equal events are counted. The number of events is limited for each document. */
export interface ResourceEvent {
  readonly key: Key;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  /** Higher than that of every event before it, whatever the clock says, also over restarts. */
  readonly resourceVersion: string;
}

/** Reads documents, for HTTP views too. All objects are frozen; all calls are synchronous and in memory. */
export interface Reader {
  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined;
  list<K extends Kind>(kind: K): readonly Resource<K>[];
  /** Returns the documents whose `metadata.owner` is that key. */
  owned<K extends Kind>(owner: Key, kind: K): readonly Resource<K>[];
  /** Changed by every write of any part of any document: an unchanged value means unchanged views. */
  readonly resourceVersion: string;
  /** Calls the listener in order, within the write, for every change from now on. Returns how to stop. */
  watch(listener: (change: Change) => void): () => void;
  /** Returns the changes after that version, oldest first; undefined when it is too old to know (HTTP 410). */
  since(resourceVersion: string): readonly Change[] | undefined;
  events(key?: Key): readonly ResourceEvent[];
  watchEvents(listener: (event: ResourceEvent) => void): () => void;
  /** Returns everything that origins declared and that was not accepted, and warnings about what was, by origin. */
  problems(): readonly (Problem & { readonly origin: Origin })[];
  /** Returns the origins that cannot be read at present, for how long, and why. */
  unavailableOrigins(): readonly { readonly origin: Origin; readonly forMs: number; readonly message: string }[];
  /** Why statuses are kept in memory only; undefined while the disk takes them. */
  readonly diskFailure: string | undefined;
  /** Tells whether a pass was requested (`touch`) or is due (generation, requests) and has not concluded. */
  isPending(key: Key): boolean;
  /** Tells whether the document is being deleted while another declaration waits for it to go. */
  isAwaited(key: Key): boolean;
  /** Returns what is declared and waits for that document to go. */
  awaiting(key: Key): readonly AnyDeclared[];
}

/** Accepts, numbers, keeps and announces documents and status; the only writer of both trees on disk. */
export interface Store extends Reader {
  /**
   * Takes an origin's whole set. When it resolves, what was accepted is on disk and visible; rejects with
   * `StorageError`, and nothing changed, when it could not be written. Proposals are carried out one after another.
   */
  propose(proposal: Proposal): Promise<Accepted>;
  /** Returns what `propose` would do at this moment; changes nothing. */
  previewSet(proposal: Proposal): Accepted;
  /** Marks an origin as unavailable, with the reasons. Its documents are kept; its next proposal clears the mark. */
  report(origin: Origin, problems: readonly Problem[]): void;
  /**
   * Creates or changes one document of an origin that declares one at a time (`api`). Same promises as `propose`.
   * `check` gets the present document when its turn has come, after every write before it; when it throws, `put`
   * rejects with that error and nothing is written.
   */
  put(origin: Origin, proposed: Proposed, check?: (present: Resource | undefined) => void): Promise<Accepted>;
  /** Returns what `put` would, and how the document would look then; changes nothing. */
  preview(
    origin: Origin,
    proposed: Proposed,
  ): Promise<{ readonly refused: readonly Problem[]; readonly resource: Resource | undefined }>;
  /** Marks a document for deletion; refuses one of another origin. `absent` when there is none. `check` as for `put`. */
  delete(origin: Origin, key: Key, check?: (present: Resource) => void): Promise<'deleted' | 'absent' | Problem>;
  /** Adds requests to a document; on disk when it resolves. Returns the ids. */
  request(key: Key, requests: Readonly<Partial<Record<RequestName, Omit<Request, 'id' | 'at'>>>>): Promise<Requests>;
  /** Removes a request, if it is still that one; gone from the disk when it resolves. What was started goes on. */
  withdraw(key: Key, name: RequestName, id: string): Promise<void>;
  /** Removes a deleted document, once its controller has cleaned up. Does nothing to one that is not deleted. */
  release(resource: Pick<Resource, 'kind' | 'metadata'>): Promise<void>;
  /**
   * Replaces the status, by its controller only. An equal status changes nothing. Visible at once; on disk a little
   * later (see `flush`). A status for another uid than the document's is dropped.
   */
  setStatus<K extends Kind>(resource: Resource<K>, status: Kinds[K]['status']): void;
  /** Requests a pass although nothing changed (the same target posted again). In memory only. */
  touch(key: Key): void;
  /** Notes that a pass, started when `resourceVersion` was current, has ended as settled or stalled. */
  markReconciled(key: Key): void;
  /** Records an event. `times`: how often it has happened since it was last recorded; 1 when absent. */
  record(key: Key, event: Happening): void;
  /** A store of its own with the same documents, by another clock. Nothing of it reaches the disk, and nobody who watches this one is told. */
  copy(clock: { readonly now: () => number; readonly monotonic: () => number }): Store;
  /** Resolves when every status is on disk. */
  flush(): Promise<void>;
  /** Flushes and stops writing. */
  close(): Promise<void>;
}
