import type { ReasonOf } from '../../crds/model/reasons.js';
import type { GitSourceStatus } from '../../crds/model/types.js';
import type { Accepted } from './store.js';

/** Why a repository's documents were not taken. */
export interface Failure {
  readonly reason: ReasonOf<'GitSource'>;
  readonly message: string;
  readonly commit?: string;
  /** Not worth another try before something changes. */
  readonly final: boolean;
}

/** How a sync went, in facts of the status. What is absent is as it was. */
export interface SyncReport extends Pick<GitSourceStatus, 'seen' | 'verified' | 'applied' | 'declares' | 'held'> {
  readonly failure?: Failure;
  /** What the proposal did. */
  readonly accepted?: Accepted;
}
