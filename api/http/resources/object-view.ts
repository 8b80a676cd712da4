import { canonicalHash } from '../../../crds/model/hash.js';
import { API_VERSION, type Kind, type Resource, splitKey } from '../../../crds/model/kinds.js';
import type { Reader, ResourceEvent } from '../../store/store.js';

/** Returns a document as Kubernetes shows one, with the whole spec: only the global key gets here. Pure. */
export function objectView(resource: Resource, store: Pick<Reader, 'get'>): object {
  const { metadata, requests, status } = resource;
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      generation: metadata.generation,
      creationTimestamp: wholeSeconds(metadata.creationTimestamp),
      ...(metadata.deletionTimestamp === undefined
        ? {}
        : { deletionTimestamp: wholeSeconds(metadata.deletionTimestamp) }),
      ...(metadata.finalizers.length === 0 ? {} : { finalizers: metadata.finalizers }),
      ...ownerReferences(resource, store),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      origin: metadata.origin,
      ...(metadata.source === undefined ? {} : { source: metadata.source }),
      ...(metadata.declaredBy === undefined ? {} : { declaredBy: metadata.declaredBy }),
      ...(metadata.problem === undefined ? {} : { problem: metadata.problem }),
    },
    spec: resource.spec,
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
    ...(status === undefined ? {} : { status }),
  };
}

/** Returns a list of one kind, of one moment. Pure. */
export const listView = (
  kind: Kind,
  resources: readonly Resource[],
  store: Pick<Reader, 'get' | 'resourceVersion'>,
): object => ({
  kind: `${kind}List`,
  apiVersion: API_VERSION,
  metadata: { resourceVersion: store.resourceVersion },
  items: resources.map((one) => objectView(one, store)),
});

function ownerReferences({ metadata }: Resource, store: Pick<Reader, 'get'>): object {
  if (metadata.owner === undefined) return {};
  const { kind, name } = splitKey(metadata.owner);
  const owner = store.get(kind, name);
  if (!owner) return {}; // Kubernetes has no owner reference without a uid
  const reference = { apiVersion: API_VERSION, kind, name, uid: owner.metadata.uid };
  return { ownerReferences: [{ ...reference, controller: true, blockOwnerDeletion: true }] };
}

/** Returns an event in the form of a core/v1 Event; its name stays while it is counted up. Pure. */
export function eventView(event: ResourceEvent, store: Pick<Reader, 'get'>): object {
  const { kind, name } = splitKey(event.key);
  const subject = store.get(kind, name);
  return {
    apiVersion: API_VERSION,
    kind: 'Event',
    metadata: {
      name: `${name}.${canonicalHash([event.key, event.type, event.reason, event.message, event.firstTimestamp]).slice(0, 16)}`,
      resourceVersion: event.resourceVersion,
      creationTimestamp: wholeSeconds(event.firstTimestamp),
    },
    involvedObject: {
      apiVersion: API_VERSION,
      kind,
      name,
      ...(subject === undefined ? {} : { uid: subject.metadata.uid }),
    },
    reason: event.reason,
    message: event.message,
    type: event.type,
    count: event.count,
    firstTimestamp: wholeSeconds(event.firstTimestamp),
    lastTimestamp: wholeSeconds(event.lastTimestamp),
    source: { component: 'supercargo' },
  };
}

/** Returns RFC 3339 as Kubernetes writes it. Pure. */
const wholeSeconds = (timestamp: string): string => timestamp.replace(/\.\d+(?=Z|[+-])/, '');
