import type { ReasonOf } from '../../crds/model/reasons.js';
import type { GitSourceStatus } from '../../crds/model/types.js';
import type { Accepted } from './store.js';

/** Why a repository's documents were not taken. */
export interface Failure {
  readonly reason: ReasonOf<'GitSource'>;
  readonly message: string;
  readonly commit?: string;
  /** Trying again is of no use before something changes. */
  readonly final: boolean;
}

/** The result of a sync, as facts of the status. Absent ones are unchanged. */
export interface SyncReport extends Pick<GitSourceStatus, 'seen' | 'verified' | 'applied' | 'declares' | 'held'> {
  readonly failure?: Failure;
  /** What the proposal changed. */
  readonly accepted?: Accepted;
}
