import { allottedId, containerName } from './names.js';
import type { AppService, Release, ServiceFields } from './types.js';

/** The release of a document without one. */
const LOCAL = { commit: 'local', id: 1 } as const;

/** A release with its number. */
export type NumberedRelease = Release & { readonly id: number };

/**
 * Returns the release that a document declares. One without a number gets one that is made from its commit: names of
 * containers contain it, so it must never change. Null: nothing runs. Pure.
 */
export function releaseOf(declared: Release): NumberedRelease;
export function releaseOf(declared: Release | null | undefined): NumberedRelease | null;
export function releaseOf(declared: Release | null | undefined): NumberedRelease | null {
  if (declared === undefined) return LOCAL;
  if (declared === null) return null;
  const { commit, id = commit === LOCAL.commit ? LOCAL.id : allottedId(commit) } = declared;
  return { commit, id };
}

/** Returns the name that the container of a service of an App gets where its document says none. Pure. */
export function usualContainerName(
  app: string,
  service: string,
  { serviceId, imageId }: Pick<ServiceFields & AppService, 'serviceId' | 'imageId'>,
  { id, commit }: NumberedRelease,
): string {
  return containerName(service, imageId ?? serviceId ?? allottedId(`${app}/${service}`), id, commit);
}
