import type { App, Service } from '../../../crds/model/kinds.js';
import { allottedId, containerName } from '../../../crds/model/names.js';
import { releaseOf } from '../../../crds/model/release.js';
import type { SeenContainer } from '../../engine/engine.js';

/** The names and ids of a service, in the Supervisor's words, that end up in names, labels and environment. */
export interface Identity {
  readonly appId: number;
  readonly appUuid: string;
  readonly appName: string;
  readonly serviceId: number;
  readonly serviceName: string;
  readonly imageId: number;
  readonly releaseId: number;
  readonly commit: string;
}

/**
 * Returns the identity of a service. Services that the App wrote have all fields; a standalone Service takes the
 * missing ones from its App, and has no identity while there is none. Pure.
 */
export function identityOf({ spec }: Service, app: App | undefined): Identity | undefined {
  const complete = spec.appId !== undefined && spec.appUuid !== undefined && spec.appName !== undefined && spec.release;
  if (!complete && !app) return undefined;
  const appId = spec.appId ?? app?.spec.appId ?? allottedId(spec.app);
  const serviceId = spec.serviceId ?? allottedId(`${spec.app}/${spec.serviceName}`);
  const release = releaseOf(spec.release ?? app?.spec.release ?? { commit: 'local' });
  return {
    appId,
    appUuid: spec.appUuid ?? app?.spec.uuid ?? String(appId),
    appName: spec.appName ?? app?.spec.name ?? spec.app,
    serviceId,
    serviceName: spec.serviceName,
    imageId: spec.imageId ?? serviceId,
    releaseId: release.id,
    commit: release.commit,
  };
}

/** Returns the name that the service's container shall have. Pure. */
export const containerNameOf = ({ serviceName, imageId, releaseId, commit }: Identity): string =>
  containerName(serviceName, imageId, releaseId, commit);

/** Reads the release from a container's name; undefined for a name of another form. Pure. */
export function readContainerName(name: string): { imageId: number; releaseId: number; commit: string } | undefined {
  const [, imageId, releaseId, commit] = /^\/?.+_(\d+)_(\d+)_([^_]+)$/.exec(name) ?? [];
  if (commit === undefined) return undefined;
  return { imageId: Number(imageId), releaseId: Number(releaseId), commit };
}

/** Returns the name of a service in the Supervisor's log lines. Pure. */
export const labelOf = ({ serviceName, image }: Pick<SeenContainer, 'serviceName' | 'image'>): string =>
  `${serviceName} ${image}`;
