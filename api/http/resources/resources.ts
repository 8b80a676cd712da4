import type { Request } from '@hapi/hapi';
import { withDefaults } from '../../../crds/model/defaults.js';
import { descriptorOf, KINDS, type Kind, keyOf, PLURALS, type Resource, splitKey } from '../../../crds/model/kinds.js';
import type { Store } from '../../store/store.js';
import { json, ready, render } from '../transport/answer.js';
import { scopeOf } from '../transport/auth.js';
import { bodyOf } from '../transport/body.js';
import { callerText, managerOf } from '../transport/caller-text.js';
import { ResourceError } from '../transport/kubernetes-status.js';
import type { Route } from '../transport/routes.js';
import type { Streams } from '../transport/streams.js';
import { ViewCache } from '../transport/view-cache.js';
import { checkPreconditions, deletedStatus, readDeletion } from './deletion.js';
import { groupList, groupView, resourceList } from './discovery-view.js';
import { listView, objectView } from './object-view.js';
import { isDryRun, type ListQuery, listQueryOf, wantsWatch } from './query.js';
import { parseFieldSelector, parseLabelSelector } from './selector.js';
import { type Matches, streamChanges } from './watch.js';
import { checkMeaning, checkPermission, checkRehearsal, checkWritable, readWrite } from './write.js';

export interface ResourceRoutesDeps {
  readonly store: Store;
  readonly streams: Streams;
}

/** Serves `/apis/supercargo.io/v1/<plural>`: every kind, as Kubernetes serves resources. For the global key only. */
export function resourceRoutes(deps: ResourceRoutesDeps): readonly Route[] {
  const discovery = { '/apis': groupList, '/apis/supercargo.io': groupView, '/apis/supercargo.io/v1': resourceList };
  return [
    ...Object.entries(discovery).map(
      ([path, view]): Route => ({ method: 'GET', path, callers: 'global key', handler: (_, h) => json(h, view) }),
    ),
    ...KINDS.flatMap((kind) => routesOf(kind, deps)),
  ];
}

function routesOf(kind: Kind, { store, streams }: ResourceRoutesDeps): readonly Route[] {
  const plural = PLURALS[kind];
  const collection = `/apis/supercargo.io/v1/${plural}`;
  const path = `${collection}/{name}`;
  const found = (name: string): Resource => {
    const resource = store.get(kind, name);
    if (!resource) throw ResourceError.notFound(plural, name);
    return resource;
  };
  const put = async (request: Request, name?: string): Promise<Resource> => {
    const body = bodyOf(request);
    const isRehearsal = isDryRun(request);
    const { document, ...preconditions } = readWrite(body, kind, name);
    const check = (present: Resource | undefined): void => {
      if (name === undefined && present) throw ResourceError.alreadyExists(plural, present.metadata.name);
      checkWritable(kind, document.metadata.name, present, preconditions);
      checkMeaning(document, present);
    };
    const present = store.get(kind, document.metadata.name);
    check(present);
    const beside = (textOf(request.query.beside) ?? '').split(',');
    checkPermission(document, store, isRehearsal ? beside : []);
    if (isRehearsal) checkRehearsal(withDefaults(document, { origin: 'api' }, present), store, beside);
    const rehearsed = isRehearsal ? await store.preview('api', { document }) : undefined;
    const { refused } =
      rehearsed ?? (await store.put('api', { document, declaredBy: callerText(request, managerOf(request)) }, check));
    const [problem] = refused;
    if (problem)
      throw ResourceError.conflict(plural, document.metadata.name, withoutSubject(problem.message, document));
    return rehearsed?.resource ?? found(document.metadata.name);
  };

  const whole = new ViewCache(store, () => render(listView(kind, store.list(kind), store)));

  const routes: readonly Route[] = [
    {
      method: 'GET',
      path: collection,
      callers: 'global key',
      cached: (scope) => (scope.type === 'global' ? whole.get(scope) : undefined),
      handler(request, h) {
        const query = listQueryOf(request);
        const matches = matcher(query);
        if (wantsWatch(query)) return streamChanges(request, h, { store, streams }, { kind, query, matches });
        if (!query.labelSelector && !query.fieldSelector) return ready(h, whole.get(scopeOf(request)));
        return json(h, listView(kind, store.list(kind).filter(matches), store));
      },
    },
    {
      method: 'POST',
      path: collection,
      callers: 'global key',
      body: `${kind}Write`,
      handler: async (request, h) => json(h, objectView(await put(request), store), 201),
    },
    {
      method: 'GET',
      path,
      callers: 'global key',
      handler(request, h) {
        const name = String(request.params.name);
        const query = listQueryOf(request);
        if (wantsWatch(query)) {
          const one: Matches = ({ metadata }) => metadata.name === name;
          return streamChanges(request, h, { store, streams }, { kind, query, matches: one });
        }
        return json(h, objectView(found(name), store));
      },
    },
    {
      method: 'GET',
      path: `${path}/status`,
      callers: 'global key',
      handler: (request, h) => json(h, objectView(found(String(request.params.name)), store)),
    },
    {
      method: 'PUT',
      path,
      callers: 'global key',
      body: `${kind}Write`,
      async handler(request, h) {
        const name = String(request.params.name);
        const code = store.get(kind, name) ? 200 : 201;
        return json(h, objectView(await put(request, name), store), code);
      },
    },
    {
      method: 'DELETE',
      path,
      callers: 'global key',
      body: 'DeleteOptions',
      async handler(request, h) {
        const resource = found(String(request.params.name));
        const { name, uid } = resource.metadata;
        const { dryRun, preconditions } = readDeletion(request, plural, name);
        const orphan = isOrphan(store, resource);
        const check = (present: Resource): void => {
          checkPreconditions(preconditions, plural, present);
          if (!orphan) checkWritable(kind, name, present);
        };
        check(resource);
        if (dryRun) return json(h, objectView(resource, store));
        const result = await store.delete(orphan ? resource.metadata.origin : 'api', keyOf(kind, name), check);
        if (result === 'absent') throw ResourceError.notFound(plural, name);
        if (typeof result === 'object') throw ResourceError.conflict(plural, name, result.message);
        const left = store.get(kind, name);
        return json(h, left?.metadata.uid === uid ? objectView(left, store) : deletedStatus(plural, name, uid));
      },
    },
  ];
  return descriptorOf(kind).readOnly ? routes.filter(({ method }) => method === 'GET') : routes;
}

/**
 * Tells whether nobody else can ever delete a document: its owner's document is lost (its file could not be used), or
 * the source that declared it has gone and left it. Pure.
 */
function isOrphan(store: Pick<Store, 'get'>, { metadata: { owner, origin } }: Resource): boolean {
  if (origin.startsWith('git/')) return store.get('GitSource', origin.slice('git/'.length)) === undefined;
  if (owner === undefined) return false;
  const { kind, name } = splitKey(owner);
  return store.get(kind, name) === undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function matcher({ labelSelector = '', fieldSelector = '' }: ListQuery): Matches {
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector, ['metadata.name', 'metadata.namespace']);
  return ({ metadata }) =>
    labels(metadata.labels ?? {}) && fields((field) => (field === 'metadata.name' ? metadata.name : undefined));
}

/** Returns the problem without the document that begins it, because an answer about that document names it. Pure. */
function withoutSubject(message: string, { kind, metadata }: { kind: Kind; metadata: { name: string } }): string {
  const subject = `${keyOf(kind, metadata.name)}: `;
  return message.startsWith(subject) ? message.slice(subject.length) : message;
}
