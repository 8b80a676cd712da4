import { isObserved } from '../../../crds/model/conditions.js';
import { normalizeReference } from '../../../crds/model/image-reference.js';
import { type App, type Image, keyOf, type Service } from '../../../crds/model/kinds.js';
import { allottedId } from '../../../crds/model/names.js';
import { releaseOf } from '../../../crds/model/release.js';
import { latestOf, type Revision } from '../../../crds/model/revisions.js';
import type { Scope } from '../../device-state/keys.js';
import { appIdOf } from '../../store/proposal/derived-names.js';
import type { Reader } from '../../store/store.js';
import { reaches } from '../transport/auth.js';

/** An App with its children, and the names and numbers by which clients of the compatible API know it. */
export interface AppTree {
  readonly app: App;
  readonly appId: number;
  readonly uuid: string;
  readonly name: string;
  /** Target release; null for an app that has none. */
  readonly release: { readonly commit: string; readonly id: number } | null;
  /** Services of the target release, and standalone Services of this app. */
  readonly targets: readonly TargetService[];
  readonly services: readonly Service[];
  readonly images: readonly Image[];
}

export interface TargetService {
  readonly name: string;
  /** Normalized reference. */
  readonly image: string;
  readonly imageId: number;
  readonly serviceId: number;
}

/** Returns the apps that a scope reaches, by ascending appId. Deleted ones are included until their children are gone. */
export function appTrees(store: Pick<Reader, 'list'>, scope: Scope): readonly AppTree[] {
  const revisions = store.list('Revision');
  const services = byApp(store.list('Service'));
  const images = byApp(store.list('Image'));
  return store
    .list('App')
    .filter((app) => reaches(scope, appIdOf(app) ?? 0))
    .map((app) => appTree(app, services.get(app.metadata.name) ?? [], images.get(app.metadata.name) ?? [], revisions))
    .sort((a, b) => a.appId - b.appId);
}

/** Returns one app with its children. Pure. */
export function appTree(
  app: App,
  services: readonly Service[],
  images: readonly Image[],
  revisions: readonly Revision[] = [],
): AppTree {
  const instead = runsInstead(app, revisions);
  const appId = appIdOf(app) ?? 0;
  return {
    app,
    appId,
    uuid: app.spec.uuid ?? String(appId),
    name: app.spec.name ?? app.metadata.name,
    release: instead ? (instead.spec.release ?? null) : releaseOf(app.spec.release),
    targets: [...(instead ? targetsOf(instead) : declaredTargets(app)), ...handWrittenTargets(app, services)],
    services,
    images,
  };
}

/**
 * The revision that runs instead of the one that is declared, because that is refused or waits for its time, which may last
 * for weeks: clients see what runs. Pure.
 */
function runsInstead(app: App, revisions: readonly Revision[]): Revision | undefined {
  const { rollback, next } = (isObserved(app) ? app.status : undefined) ?? {};
  if (rollback) return revisions.find(({ metadata }) => metadata.name === rollback.to);
  return next?.reason === undefined
    ? undefined
    : latestOf(revisions.filter(({ spec }) => spec.app === app.metadata.name));
}

function targetsOf({ spec: { app, documents } }: Revision): TargetService[] {
  return documents.flatMap(({ kind, spec }) => {
    const { serviceName, image, serviceId, imageId } = spec as Partial<Service['spec']>;
    if (kind !== 'Service' || serviceName === undefined || image === undefined) return [];
    const id = serviceId ?? allottedId(`${app}/${serviceName}`);
    return [{ name: serviceName, image, imageId: imageId ?? id, serviceId: id }];
  });
}

function declaredTargets({ metadata, spec, status }: App): TargetService[] {
  if (spec.release === null) return [];
  const leftOut = isObserved({ metadata, status }) ? (status?.leftOut ?? []) : [];
  const services = Object.entries(spec.services ?? {}).filter(([name]) => !leftOut.includes(name));
  return services.map(([name, { image, serviceId, imageId }]) => {
    const id = serviceId ?? allottedId(`${metadata.name}/${name}`);
    return { name, image: normalizeReference(image), imageId: imageId ?? id, serviceId: id };
  });
}

function handWrittenTargets(app: App, services: readonly Service[]): TargetService[] {
  const owner = keyOf('App', app.metadata.name);
  return services
    .filter(({ metadata }) => metadata.owner !== owner && metadata.deletionTimestamp === undefined)
    .map(({ spec }) => {
      const id = spec.serviceId ?? allottedId(`${app.metadata.name}/${spec.serviceName}`);
      return {
        name: spec.serviceName,
        image: normalizeReference(spec.image),
        imageId: spec.imageId ?? id,
        serviceId: id,
      };
    });
}

function byApp<T extends Service | Image>(documents: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of documents) {
    const group = groups.get(one.spec.app);
    if (group) group.push(one);
    else groups.set(one.spec.app, [one]);
  }
  return groups;
}
