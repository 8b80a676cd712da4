import { conditionOf, isStalled, readinessOf } from './conditions.js';
import type { AnyResource, App, HostConfig, Image, Kind, Resource, Service } from './kinds.js';
import type { ReasonOf } from './reasons.js';

/*
 * What others ask of the conditions of a document. Reasons are compared here and nowhere else, so that whoever gives one
 * a new name finds everybody who acts upon it. All of them are pure.
 */

const isFor = <K extends Kind>(
  one: Resource<K>,
  reasons: readonly ReasonOf<K>[],
  type: 'Ready' | 'Reconciling' | 'Stalled' = 'Ready',
): boolean => {
  const reason = conditionOf(one, type)?.reason;
  return reasons.some((each) => each === reason);
};

/** The service has to stop something, and its App does not hold the update lock. */
export const needsLock = (service: Service): boolean =>
  conditionOf(service, 'Ready')?.status === 'False' && isFor(service, ['NeedsLock']);

/** What the App does next may let the service go on: it takes the lock, gets the other images, or empties a volume. */
export const waitsForApp = (service: Service): boolean =>
  isFor(service, ['NeedsLock', 'UpdatesLocked', 'VolumeNotReady', 'ReleaseNotReady']);

/** Its controller has made the container, and starts it with the next boot only. */
export const waitsForBoot = (service: Service): boolean => isFor(service, ['RebootRequired']);

/** A service that waits for a boot, what depends on it, or its App: with the boot they go on. */
export const goesOnAfterBoot = (one: AnyResource): boolean =>
  isFor(one, ['RebootRequired', 'DependencyNotReady', 'ChildrenNotReady']);

/** Nothing that the agent does ends it: a document has to change, the device to be booted, an application to become healthy. */
export const waitsForSomebody = (one: AnyResource): boolean =>
  isStalled(one) || isFor(one, ['RebootRequired', 'SuccessorUnhealthy', 'SuccessorFailed']);

/** It goes on when another service, network or volume is ready. */
export const waitsForSibling = (one: AnyResource): boolean =>
  isFor(one, ['DependencyNotReady', 'NetworkNotReady', 'VolumeNotReady']);

/** It ends again and again soon after its start. */
export const isCrashLooping = (service: Service): boolean => isFor(service, ['CrashLoop']);

/** Its container ended with an error and is not started again; said of the document as it is now. */
export const hasFailed = (service: Service): boolean =>
  readinessOf(service) !== undefined && isFor(service, ['Failed']);

/** It waits for room on the engine's disk. */
export const lacksDisk = (image: Image): boolean => isFor(image, ['NotEnoughDisk']);

/** It is to go, and a container still uses it. */
export const isInUse = (image: Image): boolean => isFor(image, ['InUse']);

/** A service requires what this device does not offer. The compatible API shows no services of such a release. */
export const isRejected = (app: App): boolean => isStalled(app) && isFor(app, ['ContractUnmet'], 'Stalled');

/** The document says what cannot be made true. */
export const isInvalid = (document: HostConfig): boolean => isFor(document, ['InvalidSpec']);

/** The change is made and only has to prove itself. */
export const isConfirming = (document: HostConfig): boolean =>
  conditionOf(document, 'Reconciling')?.status !== 'True' && isFor(document, ['Confirming']);

/** The last attempt failed in a way that may pass. */
export const isRetrying = (one: AnyResource): boolean => isFor(one, ['Retrying']);

/** The last attempt failed, or the application does not let itself be interrupted. */
export const isRetryingOrLocked = (one: AnyResource): boolean => isFor(one, ['Retrying', 'UpdatesLocked']);

/** Something is done about it, and has not failed. */
export const isProgressing = (one: AnyResource): boolean =>
  conditionOf(one, 'Reconciling')?.status === 'True' && !isFor(one, ['Retrying'], 'Reconciling');

/** What is wrong with the engine, as its controller says it. */
export const engineFailureOf = (one: Resource | undefined): string | undefined =>
  one && isFor(one, ['EngineUnreachable']) ? conditionOf(one, 'Ready')?.message : undefined;

/** Somebody who waits for it has to know now; most other reasons pass by. */
export const isFailing = (one: AnyResource): boolean =>
  readinessOf(one) !== undefined &&
  isFor(one, ['Retrying', 'UpdatesLocked', 'EngineUnreachable', 'ServicesNotHealthy', 'CrashLoop']);
