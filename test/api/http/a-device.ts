import type { Store } from '../../../api/store/store.js';
import { API_VERSION, type Declared, type Kind, type Kinds, type Requests } from '../../../crds/model/kinds.js';
import { acknowledgementsOf, type Refusal, withAcknowledged } from '../../../crds/model/requests.js';
import { anApp, declare, report } from './a-server.js';

const child = <K extends Kind>(kind: K, name: string, spec: Kinds[K]['spec']): Declared<K> => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  spec,
});

/** The id of the container of a service, 64 digits. */
export const containerId = (service: string): string => Buffer.from(service).toString('hex').padEnd(64, '0');

/** Services of an app as their numbers say: `web` is image 11 and service 101 of app 1. */
export interface DeviceApp {
  readonly appId: number;
  readonly name: string;
  readonly services: readonly string[];
  /** Have no container. */
  readonly without?: readonly string[];
  /** Are in the target no longer. */
  readonly gone?: readonly string[];
}

/** Documents of apps that run, as their controllers would leave them. */
export async function aDevice(store: Store, ...apps: readonly DeviceApp[]): Promise<void> {
  const specOf = (service: string, index: number) => ({
    image: `${service}:1`,
    imageId: 11 + index,
    serviceId: 101 + index,
  });
  await declare(
    store,
    'files',
    ...apps.map(({ appId, name, services, gone = [] }) => {
      const left = services
        .map((one, index) => [one, specOf(one, index)] as const)
        .filter(([one]) => !gone.includes(one));
      return anApp(name, { appId, release: { commit: `c${appId}`, id: appId }, services: Object.fromEntries(left) });
    }),
  );
  for (const { appId, name, services, without = [] } of apps) {
    const documents = services.map((service, index) =>
      child('Service', `${name}.${service}`, { ...specOf(service, index), app: name, serviceName: service, appId }),
    );
    await declare(store, `App/${name}`, ...documents);
    report(store, 'App', name, { release: { commit: `c${appId}`, id: appId } });
    services.forEach((service, index) => {
      const container = {
        id: containerId(service),
        name: `${service}_${11 + index}_${appId}_c${appId}`,
        createdAt: '2026-01-02T03:04:05.678Z',
        image: `sha256:${service}`,
        imageId: 11 + index,
        releaseId: appId,
        commit: `c${appId}`,
      };
      const facts = without.includes(service) ? {} : { state: 'running', container };
      report(store, 'Service', `${name}.${service}`, facts);
    });
  }
}

/** Plays the controllers: deals with every request, and writes down what was asked. */
export function controllers(store: Store, refusal?: Refusal): { readonly asked: string[]; stop(): void } {
  const asked: string[] = [];
  const stop = store.watch(({ object, key, parts }) => {
    if (!parts.includes('requests') || (object.kind !== 'App' && object.kind !== 'Service')) return;
    const handled = acknowledgementsOf(object.status).handled ?? {};
    const due = Object.entries<Requests[keyof Requests]>(object.requests).filter(
      ([name, one]) => handled[name] !== one?.id,
    );
    for (const [name, one] of due) asked.push(`${key} ${name}${one?.force ? ' force' : ''}`);
    const ids = Object.fromEntries(due.map(([name, one]) => [name, one?.id ?? '']));
    const refused = refusal ? Object.fromEntries(due.map(([name]) => [name, refusal])) : {};
    store.setStatus(object, {
      ...object.status,
      ...withAcknowledged(acknowledgementsOf(object.status), ids, refused),
    } as never);
  });
  return { asked, stop };
}
