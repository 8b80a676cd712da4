import type { Metadata } from './kinds.js';

/** Whether a document came as a Supervisor's target state, whatever way: then the Supervisor's rules hold for it. Pure. */
export const cameAsTargetState = (metadata: Pick<Metadata, 'origin' | 'source'> | undefined): boolean =>
  metadata?.origin === 'local' || metadata?.origin === 'cloud' || metadata?.source?.isTargetState === true;
