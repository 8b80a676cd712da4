import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import { API_VERSION, KINDS, keyOf, PLURALS, splitKey } from '../../../crds/model/kinds.js';
import type { Reader, ResourceEvent } from '../../store/store.js';
import { json } from '../transport/answer.js';
import { isTrue } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import type { Streams } from '../transport/streams.js';
import { eventView } from './object-view.js';
import { type ListQuery, listQueryOf, wantsWatch } from './query.js';
import { parseFieldSelector } from './selector.js';
import { endAfter, INITIAL_EVENTS_END, wantsInitial, writeBookmark, writeWatchLine } from './watch.js';

export interface EventRoutesDeps {
  readonly store: Reader;
  readonly streams: Streams;
}

const FIELDS = [
  'involvedObject.kind',
  'involvedObject.name',
  'involvedObject.namespace',
  'involvedObject.uid',
  'reason',
  'type',
];

/** Serves events and problems: `…/events`, `…/<plural>/<name>/events`, `…/problems`. For the global key only. */
export function eventRoutes(deps: EventRoutesDeps): readonly Route[] {
  const { store } = deps;
  return [
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/events',
      callers: 'global key',
      handler: (request, h) => answerEvents(request, h, deps, () => true),
    },
    ...KINDS.map(
      (kind): Route => ({
        method: 'GET',
        path: `/apis/supercargo.io/v1/${PLURALS[kind]}/{name}/events`,
        callers: 'global key',
        handler(request, h) {
          const key = keyOf(kind, String(request.params.name));
          return answerEvents(request, h, deps, (event) => event.key === key);
        },
      }),
    ),
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/problems',
      callers: 'global key',
      handler: (_, h) =>
        json(h, {
          kind: 'ProblemList',
          apiVersion: API_VERSION,
          metadata: { resourceVersion: store.resourceVersion },
          items: store.problems(),
        }),
    },
  ];
}

/**
 * Answers a list or watch of events. The version of a list is that of the youngest event; a watch from there begins
 * with the next one. Events are not kept over a restart: a watch from a version that this process has not reached gets
 * all of them.
 */
function answerEvents(
  request: Request,
  h: ResponseToolkit,
  { store, streams }: EventRoutesDeps,
  ofSubject: (event: ResourceEvent) => boolean,
): Lifecycle.ReturnValue {
  const query = listQueryOf(request);
  const selected = eventMatcher(query, store);
  const matches = (event: ResourceEvent): boolean => ofSubject(event) && selected(event);
  const kept = store.events();
  const past = kept.filter(matches);
  const youngest = kept.at(-1)?.resourceVersion ?? '0';
  if (!wantsWatch(query)) {
    return json(h, {
      kind: 'EventList',
      apiVersion: API_VERSION,
      metadata: { resourceVersion: youngest },
      items: past.map((event) => eventView(event, store)),
    });
  }
  const initial = wantsInitial(query);
  const version = Number(query.resourceVersion ?? 0) || 0;
  const isFuture = version > Number(youngest);
  const after = initial || isFuture ? 0 : version === 0 && initial === false ? Number.POSITIVE_INFINITY : version;
  return streams.answer(request, h, 'application/json', (stream) => {
    const send = (event: ResourceEvent): void =>
      writeWatchLine(stream, { type: event.count > 1 ? 'MODIFIED' : 'ADDED', object: eventView(event, store) });
    for (const event of past.filter(({ resourceVersion }) => Number(resourceVersion) > after)) {
      writeWatchLine(stream, { type: 'ADDED', object: eventView(event, store) });
    }
    if (initial && isTrue(query.allowWatchBookmarks)) writeBookmark(stream, 'Event', youngest, INITIAL_EVENTS_END);
    const stopWatching = store.watchEvents((event) => {
      if (matches(event)) send(event);
    });
    const stopTimer = endAfter(stream, query.timeoutSeconds);
    return () => {
      stopTimer();
      stopWatching();
    };
  });
}

function eventMatcher(
  { fieldSelector = '' }: ListQuery,
  store: Pick<Reader, 'get'>,
): (event: ResourceEvent) => boolean {
  const selected = parseFieldSelector(fieldSelector, FIELDS);
  return (event) => {
    const { kind, name } = splitKey(event.key);
    return selected((field) => {
      if (field === 'involvedObject.kind') return kind;
      if (field === 'involvedObject.name') return name;
      if (field === 'involvedObject.uid') return store.get(kind, name)?.metadata.uid;
      if (field === 'reason') return event.reason;
      return field === 'type' ? event.type : undefined;
    });
  };
}
