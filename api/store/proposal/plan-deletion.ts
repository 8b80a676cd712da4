import { type Key, type Origin, type Problem, splitKey } from '../../../crds/model/kinds.js';
import { type Entry, isTerminating, keyOfDeclared } from '../entry.js';
import type { Decision } from './plan-proposal.js';

export type DeletionPlan =
  | { readonly is: 'deleted'; readonly decisions: readonly Decision[] }
  | { readonly is: 'absent' }
  | { readonly is: 'refused'; readonly problem: Problem };

/**
 * Plans the deletion of one document by an origin: its own is marked, or removed when there is nothing to clean up; a
 * pending replacement of it is cancelled; one of another origin is refused. Pure.
 */
export function planDeletion(entries: ReadonlyMap<Key, Entry>, origin: Origin, key: Key): DeletionPlan {
  const decisions: Decision[] = [];
  for (const [terminating, { pendingReplacements }] of entries) {
    const kept = pendingReplacements.filter((one) => one.origin !== origin || keyOfDeclared(one.document) !== key);
    if (kept.length < pendingReplacements.length)
      decisions.push({ do: 'await', key: terminating, pendingReplacements: kept });
  }
  const current = entries.get(key);
  if (!current) return decisions.length > 0 ? { is: 'deleted', decisions } : { is: 'absent' };
  const { metadata } = current.resource;
  if (metadata.origin !== origin) {
    if (decisions.length > 0) return { is: 'deleted', decisions };
    const message = `${key} belongs to ${metadata.origin}; ${origin} cannot delete it.`;
    return { is: 'refused', problem: { message, ...splitKey(key) } };
  }
  if (!isTerminating(current)) decisions.push({ do: metadata.finalizers.length > 0 ? 'mark' : 'remove', key });
  return { is: 'deleted', decisions };
}
