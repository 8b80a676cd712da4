import type { Metadata } from './kinds.js';

/** Tells whether a document came as a Supervisor's target state, in whatever way: then the Supervisor's rules apply to it. Pure. */
export const cameAsTargetState = (metadata: Pick<Metadata, 'origin' | 'source'> | undefined): boolean =>
  metadata?.origin === 'local' || metadata?.origin === 'cloud' || metadata?.source?.isTargetState === true;
