import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import { API_VERSION, type Kind, type Resource } from '../../../crds/model/kinds.js';
import { type Cancel, type Clock, systemClock } from '../../platform/clock.js';
import type { Change, Reader } from '../../store/store.js';
import { isTrue } from '../transport/coercion.js';
import { ResourceError } from '../transport/kubernetes-status.js';
import type { OpenStream, Streams } from '../transport/streams.js';
import { objectView } from './object-view.js';
import type { ListQuery } from './query.js';

/** Bytes that are kept for a watcher that does not keep up; beyond that it is told to list again. */
export const WATCHER_BUFFER_BYTES = 1024 * 1024;

/** The parts of a change that decide how a watcher sees it. */
interface Seen extends Pick<Change, 'type' | 'parts'> {
  readonly object: Resource;
}

export type Matches = (resource: Resource) => boolean;

export interface WatchQuery {
  readonly kind: Kind;
  readonly matches: Matches;
  readonly query: ListQuery;
}

/**
 * Streams the changes of one kind after a version, or first what exists and then the changes. An object that begins or
 * ceases to match is ADDED or DELETED. Throws a 410 for a version that is no longer kept. A client that allows
 * bookmarks gets one at the end of the state that it asked for, and one before its time is over, from which it can go
 * on.
 */
export function streamChanges(
  request: Request,
  h: ResponseToolkit,
  { store, streams }: { readonly store: Reader; readonly streams: Streams },
  { kind, matches, query }: WatchQuery,
): Lifecycle.ReturnValue {
  const initial = wantsInitial(query);
  const past = pastOf(store, kind, query, initial);
  const filter = changeFilter({ kind, matches });
  const bookmarks = isTrue(query.allowWatchBookmarks);
  return streams.answer(request, h, 'application/json', (stream) => {
    const send = (change: Pick<Seen, 'type' | 'object'>): void => {
      writeWatchLine(stream, { type: change.type, object: objectView(change.object, store) });
    };
    const pass = (change: Seen): void => {
      const type = filter(change);
      if (type) send({ type, object: change.object });
    };
    for (const change of past) pass(change);
    if (initial && bookmarks) writeBookmark(stream, kind, store.resourceVersion, INITIAL_EVENTS_END);
    const stopWatching = store.watch(pass);
    const stopTimer = endAfter(stream, query.timeoutSeconds, () => {
      if (bookmarks) writeBookmark(stream, kind, store.resourceVersion);
    });
    return () => {
      stopTimer();
      stopWatching();
    };
  });
}

/** Annotation of the bookmark that ends the initial list: a client that lists by watching waits for nothing else. */
export const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' };

/** Writes a bookmark: the watcher has everything up to that version. */
export function writeBookmark(
  stream: OpenStream,
  kind: Kind | 'Event',
  resourceVersion: string,
  annotations?: Readonly<Record<string, string>>,
): void {
  const metadata = { resourceVersion, ...(annotations ? { annotations } : {}) };
  writeWatchLine(stream, { type: 'BOOKMARK', object: { kind, apiVersion: API_VERSION, metadata } });
}

/**
 * Tells whether the state is sent first, whatever version is given; undefined when the version decides. Throws a 422 as
 * Kubernetes does.
 */
export function wantsInitial({ sendInitialEvents, resourceVersionMatch }: ListQuery): boolean | undefined {
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch === undefined) return undefined;
    throw ResourceError.invalidOptions(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  }
  if (resourceVersionMatch === 'NotOlderThan') return isTrue(sendInitialEvents);
  throw ResourceError.invalidOptions(
    'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  );
}

function pastOf(
  store: Reader,
  kind: Kind,
  { resourceVersion = '' }: ListQuery,
  initial: boolean | undefined,
): readonly Seen[] {
  const isAny = resourceVersion === '' || resourceVersion === '0';
  // The present state is not older than any version that was given out, however long ago; only one from the future is
  // refused.
  const isFuture = !isAny && !(Number(resourceVersion) <= Number(store.resourceVersion));
  if (initial ? !isFuture : isAny) {
    if (initial === false) return [];
    return store.list(kind).map((object) => ({ type: 'ADDED', object, parts: ['spec'] }));
  }
  const changes = store.since(resourceVersion);
  if (!changes) throw ResourceError.expired(resourceVersion);
  return changes;
}

/** Returns a function that says how a watcher sees a change, if at all. It remembers which names have matched. */
function changeFilter({
  kind,
  matches,
}: Pick<WatchQuery, 'kind' | 'matches'>): (change: Seen) => Change['type'] | undefined {
  const seen = new Map<string, boolean>();
  return ({ type, object, parts }) => {
    if (object.kind !== kind || (type === 'MODIFIED' && parts.length === 0)) return undefined;
    const { name } = object.metadata;
    const before = seen.get(name);
    if (type === 'DELETED') {
      seen.delete(name);
      return (before ?? matches(object)) ? 'DELETED' : undefined;
    }
    const now = matches(object);
    seen.set(name, now);
    if (now) return before === false ? 'ADDED' : type;
    // Whether the client has it is unknown at first; a second DELETED does no harm.
    return before === false || type === 'ADDED' ? undefined : 'DELETED';
  };
}

/** Writes one line of a watch. A watcher that is too far behind gets an ERROR, which makes it list again, and its stream ends. */
export function writeWatchLine(stream: OpenStream, line: { readonly type: string; readonly object: object }): void {
  if (stream.waitingBytes > WATCHER_BUFFER_BYTES) {
    const { status } = ResourceError.expired('the watcher did not keep up');
    stream.write(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    stream.end();
    return;
  }
  stream.write(`${JSON.stringify(line)}\n`);
}

/** Ends a stream after its time, with a last word before; without a time it lasts. Returns how to forget it. */
export function endAfter(
  stream: Pick<OpenStream, 'end'>,
  seconds: number | undefined,
  lastWord?: () => void,
  clock: Pick<Clock, 'after'> = systemClock,
): Cancel {
  if (seconds === undefined || seconds === 0) return () => undefined;
  return clock.after(seconds * 1000, () => {
    lastWord?.();
    stream.end();
  });
}
