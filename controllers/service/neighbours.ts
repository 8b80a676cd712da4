import { isSettled, isStalled } from '../../crds/model/conditions.js';
import type { Service } from '../../crds/model/kinds.js';
import type { SeenContainer } from '../engine/engine.js';
import { namesWaitedFor, providerNames, type Sibling } from './dependencies.js';
import type { ServiceDeps } from './pass.js';
import { type Identity, identityOf } from './spec/identity.js';

/** The containers of a service; of a document without an app, the one that its status knows. */
export function containersOf(
  { world }: ServiceDeps,
  service: Service,
  identity: Identity | undefined,
): readonly SeenContainer[] {
  if (identity) return world.containersOf(identity.appId, identity.serviceName);
  const id = service.status?.container?.id;
  return world.containers().filter((container) => container.id === id);
}

/** The other services of the app, as far as they have come. */
export function siblings(deps: ServiceDeps, service: Service): (name: string) => Sibling | undefined {
  const { store } = deps;
  const { app } = service.spec;
  return (name) => {
    const document = store
      .list('Service')
      .find(
        ({ spec, metadata }) =>
          spec.app === app && spec.serviceName === name && metadata.deletionTimestamp === undefined,
      );
    if (!document) return undefined;
    const identity = identityOf(document, store.get('App', app));
    return {
      settled: isSettled(document),
      stalled: isStalled(document),
      container: containersOf(deps, document, identity)[0],
    };
  };
}

/** Services of the app that live in the network, or another namespace, of this one. */
export const guestsOf = ({ store }: ServiceDeps, { spec }: Service): readonly string[] =>
  store
    .list('Service')
    .filter((one) => one.spec.app === spec.app && providerNames(one.spec).includes(spec.serviceName))
    .map((one) => one.spec.serviceName);

/** Who waits for this one, is deleted as well, and has a container still. */
export const dependentsOf = (deps: ServiceDeps, { spec, metadata }: Service): readonly string[] =>
  deps.store
    .list('Service')
    .filter((one) => one.spec.app === spec.app && one.metadata.name !== metadata.name)
    .filter(
      (one) => one.metadata.deletionTimestamp !== undefined && namesWaitedFor(one.spec).includes(spec.serviceName),
    )
    .filter((one) => containersOf(deps, one, identityOf(one, deps.store.get('App', spec.app))).length > 0)
    .map((one) => one.spec.serviceName);
