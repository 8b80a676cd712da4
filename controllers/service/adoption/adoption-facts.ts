import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';

/** How far a service is with containers that are not ours; kept in its status, because it is the way back. */
export type AdoptionRecord = NonNullable<ServiceStatus['adoption']>;
/** One of theirs, as it was. */
export type RecordedContainer = NonNullable<AdoptionRecord['containers']>[number];

/** What a service has to know about containers that are not ours and that it takes over. */
export interface AdoptionFacts {
  readonly id: string;
  /** `givenBack`: theirs was not taken over and is as it was. `held`: that of another service was not. */
  readonly is: 'pending' | 'taking' | 'goingBack' | 'givenBack' | 'held';
  /** Why theirs comes back, or has come back. */
  readonly message?: string | undefined;
  /** Those that are there. */
  readonly theirs: readonly SeenContainer[];
  /** Undefined while nothing of it is begun. */
  readonly record: AdoptionRecord | undefined;
  /** Services that come first. */
  readonly waitsFor: readonly string[];
  /** Ids of theirs that are being stopped. */
  readonly stopping: readonly string[];
  /** For how long theirs has been stopped, ms; 0 while it is not. */
  readonly downMs: number;
  /** For how long the container of the service has been running without a break, ms. */
  readonly ranMs: number;
}

/** Whether theirs may be stopped: the service has to see it through, or to start them again. Pure. */
export const isOpen = (record: AdoptionRecord | undefined): record is AdoptionRecord =>
  record?.phase === 'TakingOver' || record?.phase === 'GoingBack';
