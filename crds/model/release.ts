import { allottedId } from './names.js';
import type { Release } from './types.js';

/** What a document says that has no release of its own. */
const LOCAL = { commit: 'local', id: 1 } as const;

/** A release with its number. */
export type NumberedRelease = Release & { readonly id: number };

/**
 * The release that a document declares. One without a number gets one that is made from its commit: names of containers
 * hold it, so it has to be the same whenever it is asked for. Null: nothing runs. Pure.
 */
export function releaseOf(declared: Release): NumberedRelease;
export function releaseOf(declared: Release | null | undefined): NumberedRelease | null;
export function releaseOf(declared: Release | null | undefined): NumberedRelease | null {
  if (declared === undefined) return LOCAL;
  if (declared === null) return null;
  const { commit, id = commit === LOCAL.commit ? LOCAL.id : allottedId(commit) } = declared;
  return { commit, id };
}
