import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import type { Kind, Resource } from '../../../crds/kinds.js';
import type { Change, Reader } from '../../store/store.js';
import type { OpenStream, Streams } from '../streams.js';
import { ResourceError } from './failure.js';
import { objectView } from './object-view.js';

/** Bytes kept for a watcher that does not keep up; then it is told to list again. */
export const WATCHER_BUFFER_BYTES = 1024 * 1024;

/** What of a change decides how a watcher sees it. */
export interface Seen extends Pick<Change, 'type' | 'parts'> {
  readonly object: Resource;
}

export type Matches = (resource: Resource) => boolean;

export interface WatchQuery {
  readonly kind: Kind;
  readonly matches: Matches;
  readonly resourceVersion: string | undefined;
  readonly timeoutSeconds: number | undefined;
}

/**
 * Streams the changes of one kind after a version, or first what exists and then the changes. An object that begins or
 * ceases to match is ADDED or DELETED. Throws a 410 for a version that is no longer kept.
 */
export function streamChanges(
  request: Request,
  h: ResponseToolkit,
  { store, streams }: { readonly store: Reader; readonly streams: Streams },
  query: WatchQuery,
): Lifecycle.ReturnValue {
  const past = pastOf(store, query);
  const filter = changeFilter(query);
  return streams.answer(request, h, 'application/json', (stream) => {
    const send = (change: Pick<Seen, 'type' | 'object'>): void => {
      writeWatchLine(stream, { type: change.type, object: objectView(change.object, store) });
    };
    const pass = (change: Seen): void => {
      const type = filter(change);
      if (type) send({ type, object: change.object });
    };
    for (const change of past) pass(change);
    const stopWatching = store.watch(pass);
    const stopTimer = endAfter(stream, query.timeoutSeconds);
    return () => {
      stopTimer();
      stopWatching();
    };
  });
}

function pastOf(store: Reader, { kind, resourceVersion }: WatchQuery): readonly Seen[] {
  if (resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0') {
    return store.list(kind).map((object) => ({ type: 'ADDED', object, parts: ['spec'] }));
  }
  const changes = store.since(resourceVersion);
  if (!changes) throw ResourceError.expired(resourceVersion);
  return changes;
}

/** Says as what a watcher sees a change, if at all. Remembers which names it has seen match. */
export function changeFilter({
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
    // Whether the client has it is unknown at first; to be told of a deletion twice does no harm.
    return before === false || type === 'ADDED' ? undefined : 'DELETED';
  };
}

/** One line of a watch; a watcher too far behind gets an ERROR that makes it list again, and its end. */
export function writeWatchLine(stream: OpenStream, line: { readonly type: string; readonly object: object }): void {
  if (stream.waitingBytes > WATCHER_BUFFER_BYTES) {
    const { status } = ResourceError.expired('the watcher did not keep up');
    stream.write(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    stream.end();
    return;
  }
  stream.write(`${JSON.stringify(line)}\n`);
}

/** Ends a stream after its time; without one it lasts. Returns how to forget it. */
export function endAfter(stream: OpenStream, seconds: number | undefined): () => void {
  if (seconds === undefined || seconds === 0) return () => undefined;
  const timer = setTimeout(() => stream.end(), seconds * 1000);
  return () => clearTimeout(timer);
}
