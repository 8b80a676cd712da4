import { conditionOf } from './conditions.js';
import type { AnyResource, App } from './kinds.js';

/** The reason that Ready gives while an App says `spec.suspend: true`. */
export const SUSPENDED = 'Suspended';

/** Whether nothing is to be done about an App and what belongs to it. One that is deleted is taken down all the same. Pure. */
export const isSuspended = (app: Pick<App, 'spec' | 'metadata'> | undefined): boolean =>
  app?.spec.suspend === true && app.metadata.deletionTimestamp === undefined;

/** Whether its own status says so. Pure. */
export const saysSuspended = (resource: Pick<AnyResource, 'metadata' | 'status'>): boolean =>
  resource.status?.observedGeneration === resource.metadata.generation &&
  conditionOf(resource, 'Ready')?.reason === SUSPENDED;

/** One sentence for people, with the way out. Pure. */
export const suspendedMessage = (app: string): string =>
  `App ${app} is suspended: nothing is repaired, rolled out or stopped until spec.suspend is taken back`;
