import { isActive } from './active.js';
import { readinessOf } from './conditions.js';
import type { AnyResource, App, GitSource } from './kinds.js';
import { pendingRequest, type Refusal } from './requests.js';

/** The reason of Ready while an App or a git source is suspended. */
export const SUSPENDED = 'Suspended';

type Suspendable = Pick<App | GitSource, 'spec' | 'metadata' | 'requests' | 'status'>;

/** Tells whether a request suspends it, whoever declared the document, and no later one has ended that. */
const isHeld = ({ requests: { suspend, resume } }: Suspendable): boolean =>
  suspend !== undefined && !(resume !== undefined && resume.at > suspend.at);

/**
 * Tells whether nothing is to be done about an App and what belongs to it, or about a git source: the document says so,
 * or a request does. A deleted one is taken down all the same. Pure.
 */
export const isSuspended = (document: Suspendable | undefined): boolean =>
  document !== undefined && isActive(document) && (document.spec.suspend === true || isHeld(document));

/**
 * Acknowledges the requests to suspend and to resume, as soon as they are seen. `resume` is refused while the document
 * itself says `spec.suspend: true`. Pure.
 */
export function acknowledgedSuspension(document: Suspendable): {
  readonly ids: Readonly<Record<string, string>>;
  readonly refused: Readonly<Record<string, Refusal>>;
} {
  const suspend = pendingRequest(document, 'suspend');
  const resume = pendingRequest(document, 'resume');
  const message = 'The document itself says spec.suspend: true; take that back where it is declared';
  return {
    ids: { ...(suspend ? { suspend: suspend.id } : {}), ...(resume ? { resume: resume.id } : {}) },
    refused: resume && document.spec.suspend === true ? { resume: { reason: 'Failed', message } } : {},
  };
}

/** Tells whether its own status says that it is suspended. Pure. */
export const saysSuspended = (resource: Pick<AnyResource, 'metadata' | 'status'>): boolean =>
  readinessOf(resource)?.reason === SUSPENDED;

/** Returns one sentence for people, with the way out. Pure. */
export const suspendedMessage = (app: string): string =>
  `App ${app} is suspended: nothing is downloaded, repaired, rolled out or stopped until it is resumed and spec.suspend is taken back`;
