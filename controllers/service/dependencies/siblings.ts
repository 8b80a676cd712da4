import { isSettled, isStalled } from '../../../crds/model/conditions.js';
import { isJob } from '../../../crds/model/jobs.js';
import type { Service } from '../../../crds/model/kinds.js';
import type { SeenContainer } from '../../engine/engine.js';
import { newestFirst, shownOf } from '../container/prepared.js';
import type { ServiceDeps } from '../deps.js';
import { type Dependency, namesWaitedFor } from '../spec/depends-on.js';
import { identityOf } from '../spec/identity.js';
import { providerNames } from '../spec/namespaces.js';

/** Returns the containers of a service, newest first. Without an app it is the one that the status names. */
export function containersOf({ store, cache }: ServiceDeps, service: Service): readonly SeenContainer[] {
  const identity = identityOf(service, store.get('App', service.spec.app));
  if (identity) return newestFirst(cache.containersOf(identity.appId, identity.serviceName), service.status);
  const id = service.status?.container?.id;
  return cache.containers().filter((container) => container.id === id);
}

/** Returns a function that looks up another service of the app by name. */
export function siblingLookup(deps: ServiceDeps, service: Service): (name: string) => Sibling | undefined {
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
    return {
      settled: isSettled(document),
      stalled: isStalled(document),
      isJob: isJob(document.spec),
      container: shownOf(containersOf(deps, document))[0],
    };
  };
}

/** Returns the services of the app that share the network, or another namespace, of this one. */
export const guestsOf = ({ store }: ServiceDeps, { spec }: Service): readonly string[] =>
  store
    .list('Service')
    .filter((one) => one.spec.app === spec.app && providerNames(one.spec).includes(spec.serviceName))
    .map((one) => one.spec.serviceName);

/** Returns the services that depend on this one, are deleted as well and still have a container. */
export const dependentsOf = (deps: ServiceDeps, { spec, metadata }: Service): readonly string[] =>
  deps.store
    .list('Service')
    .filter((one) => one.spec.app === spec.app && one.metadata.name !== metadata.name)
    .filter(
      (one) => one.metadata.deletionTimestamp !== undefined && namesWaitedFor(one.spec).includes(spec.serviceName),
    )
    .filter((one) => containersOf(deps, one).length > 0)
    .map((one) => one.spec.serviceName);

/** The state of another service of the app that dependencies look at. */
export interface Sibling {
  /** True when the document has nothing left to do. A service that is being changed is not settled; one that crashes is. */
  readonly settled: boolean;
  readonly stalled: boolean;
  /** It runs only at its times; documents of an App that depend on one are refused. */
  readonly isJob?: boolean;
  readonly container: SeenContainer | undefined;
}

/**
 * Returns what a service still waits for, as in `db to be healthy (it is starting)`. Unknown names are ignored, as the
 * Supervisor does. Pure.
 */
export const unsatisfiedDependencies = (
  dependencies: readonly Dependency[],
  siblingOf: (service: string) => Sibling | undefined,
): readonly string[] =>
  dependencies.flatMap((dependency) => {
    const sibling = siblingOf(dependency.service);
    if (!sibling || (!dependency.required && isHopeless(dependency, sibling))) return [];
    return missingStep(dependency, sibling) ?? [];
  });

function missingStep({ service, condition }: Dependency, { settled, container, isJob }: Sibling): string | undefined {
  if (isJob) return `${service}, which has a schedule and runs only at its times: take it out of depends_on`;
  if (container?.startedAt === undefined) return `${service} to be started`;
  switch (condition) {
    case 'service_started':
      return settled ? undefined : `${service} to be settled`;
    case 'service_healthy':
      if (container.health === undefined) return `${service} to be healthy (it has no healthcheck)`;
      if (container.health !== 'healthy') return `${service} to be healthy (it is ${container.health})`;
      return settled ? undefined : `${service} to be settled`;
    case 'service_completed_successfully':
      if (container.state !== 'exited') return `${service} to complete (it is ${container.state})`;
      if (container.exitCode !== 0) return `${service} to complete (it exited with ${container.exitCode})`;
      return settled ? undefined : `${service} to be settled`;
  }
}

const isHopeless = ({ condition }: Dependency, { stalled, container }: Sibling): boolean =>
  stalled ||
  (condition === 'service_healthy' && container?.health === 'unhealthy') ||
  (condition === 'service_completed_successfully' && container?.state === 'exited' && container.exitCode !== 0);
