import { type Key, type Origin, type Problem, splitKey } from '../../../crds/model/kinds.js';
import { type Held, isTerminating, keyOfDeclared } from '../held.js';
import type { Decision } from './plan-proposal.js';

export type DeletionPlan =
  | { readonly is: 'deleted'; readonly decisions: readonly Decision[] }
  | { readonly is: 'absent' }
  | { readonly is: 'refused'; readonly problem: Problem };

/**
 * What it means that an origin takes back one document: its own is marked, or removed when nothing has to be cleaned
 * up; what it declared to come after a deletion no longer comes; another origin's is refused. Pure.
 */
export function planDeletion(held: ReadonlyMap<Key, Held>, origin: Origin, key: Key): DeletionPlan {
  const decisions: Decision[] = [];
  for (const [dying, { successors }] of held) {
    const kept = successors.filter((one) => one.origin !== origin || keyOfDeclared(one.document) !== key);
    if (kept.length < successors.length) decisions.push({ do: 'await', key: dying, successors: kept });
  }
  const current = held.get(key);
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
