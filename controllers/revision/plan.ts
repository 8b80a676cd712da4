import type { ReasonOf } from '../../crds/model/reasons.js';
import type { Revision } from '../../crds/model/revisions.js';
import { type Plan, settled, wait } from '../runtime/outcome.js';
import type { RevisionFacts } from './observe.js';
import { NOTE_MS } from './watch-time.js';

/** A Revision is looked at and never acted upon: what follows from it is done by its App. Pure. */
export function planRevision(
  _revision: Revision,
  { looked, isSuspended }: RevisionFacts,
): Plan<never, ReasonOf<'Revision'>> {
  // Nothing comes of a suspended App, however long it is waited for; its end wakes us.
  if (looked?.verdict.is !== 'open' || isSuspended) return settled();
  const { message, forMs = NOTE_MS } = looked.verdict;
  return wait('Verifying', message, Math.min(forMs, NOTE_MS));
}
