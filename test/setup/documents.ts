import {
  API_VERSION,
  type Kind,
  type Kinds,
  type Metadata,
  type Origin,
  type Requests,
  type Resource,
} from '../../crds/model/kinds.js';

/** What matters to a case; everything else is filled in. */
export interface Parts<K extends Kind> {
  readonly spec?: Partial<Kinds[K]['spec']>;
  readonly status?: Kinds[K]['status'];
  readonly requests?: Requests;
  readonly origin?: Origin;
  readonly generation?: number;
  readonly deleted?: boolean;
  readonly owner?: Metadata['owner'];
}

/** A document as the store would hand it out. */
export function aDocument<K extends Kind>(
  kind: K,
  name: string,
  spec: Kinds[K]['spec'],
  parts: Parts<K> = {},
): Resource<K> {
  const { origin = 'files', generation = 1, deleted = false, owner, requests = {}, status } = parts;
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name,
      uid: `uid-of-${name}`,
      generation,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      finalizers: ['supercargo.io/cleanup'],
      origin,
      ...(owner ? { owner } : {}),
      ...(deleted ? { deletionTimestamp: '2026-01-01T00:01:00Z' } : {}),
    },
    spec: { ...spec, ...parts.spec },
    requests,
    ...(status ? { status } : {}),
  };
}

export const aNetwork = (parts: Parts<'Network'> = {}): Resource<'Network'> =>
  aDocument('Network', 'hello.default', { app: 'hello', appId: 1, networkName: '1_default' }, parts);

export const aVolume = (parts: Parts<'Volume'> = {}): Resource<'Volume'> =>
  aDocument(
    'Volume',
    'hello.data',
    { app: 'hello', appId: 1, appUuid: '1', volumeName: '1_data', reclaim: 'Retain' },
    parts,
  );

export const anImage = (parts: Parts<'Image'> = {}): Resource<'Image'> =>
  aDocument('Image', 'hello.busybox-12345678', { app: 'hello', image: 'busybox:1.36', services: ['web'] }, parts);

export const aService = (parts: Parts<'Service'> = {}): Resource<'Service'> =>
  aDocument('Service', 'hello.web', { app: 'hello', serviceName: 'web', image: 'busybox:1.36' }, parts);

export const anApp = (parts: Parts<'App'> = {}): Resource<'App'> =>
  aDocument('App', 'hello', { appId: 1, services: { web: { image: 'busybox:1.36' } } }, parts);

/** The status of a document whose last pass found nothing to do. */
export const ready = (observedGeneration = 1) => ({
  observedGeneration,
  conditions: [
    {
      type: 'Ready' as const,
      status: 'True' as const,
      reason: 'Settled',
      message: 'Nothing differs',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration,
    },
  ],
});

/** The status of one whose last pass concluded something else. */
export const notReady = (reason: string, message = reason, observedGeneration = 1) => ({
  observedGeneration,
  conditions: ready(observedGeneration).conditions.map((one) => ({
    ...one,
    status: 'False' as const,
    reason,
    message,
  })),
});
