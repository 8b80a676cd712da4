import { conditionOf, isStalled, readinessOf } from './conditions.js';
import type { AnyResource, App, HostConfig, Image, Kind, Network, Resource, Service } from './kinds.js';
import type { ReasonOf } from './reasons.js';

/* Predicates over the conditions of a document. Reasons are compared only here, so that renaming one finds everybody who acts upon it. All of them are pure. */

const isFor = <K extends Kind>(
  one: Resource<K>,
  reasons: readonly ReasonOf<K>[],
  type: 'Ready' | 'Reconciling' | 'Stalled' = 'Ready',
): boolean => {
  const reason = conditionOf(one, type)?.reason;
  return reasons.some((each) => each === reason);
};

/** Tells whether the service has to stop something while its App does not hold the update lock. */
export const needsLock = (service: Service): boolean =>
  conditionOf(service, 'Ready')?.status === 'False' && isFor(service, ['NeedsLock']);

/** Tells whether the App's next step may let the service go on: it takes the lock, gets the other images, or empties a volume. */
export const waitsForApp = (service: Service): boolean =>
  isFor(service, ['NeedsLock', 'UpdatesLocked', 'VolumeNotReady', 'ReleaseNotReady']);

/** Tells whether the service leaves a container alone that is not ours, until its turn comes or somebody acts. */
export const waitsForAdoption = (service: Service): boolean => isFor(service, ['AdoptionPending', 'AdoptionFailed']);

/** Tells whether the container is created and starts only with the next boot. */
export const waitsForBoot = (service: Service): boolean => isFor(service, ['RebootRequired']);

/** Tells whether a document goes on with the boot: a service that waits for it, what depends on that, or its App. */
export const goesOnAfterBoot = (one: AnyResource): boolean =>
  isFor(one, ['RebootRequired', 'DependencyNotReady', 'ChildrenNotReady']);

/**
 * Tells whether nothing that the agent does ends it: a document has to change, the device to be booted, an application
 * to become healthy, a path or device of the host to be there.
 */
export const waitsForSomebody = (one: AnyResource): boolean =>
  isStalled(one) ||
  isFor(one, ['RebootRequired', 'SuccessorUnhealthy', 'SuccessorFailed', 'NetworkMissing', 'VolumeMissing']) ||
  // Said of an earlier document, it may be mended by the one that is just being followed.
  (readinessOf(one) !== undefined && one.kind === 'Service' && lacksOnHost(one));

/**
 * Tells whether its container could not be created or started, and that is tried again after a pause; or a network or
 * volume waits for its next attempt. Nothing is stopped meanwhile.
 */
export const waitsForRetry = (one: AnyResource): boolean => {
  if (readinessOf(one) === undefined) return false;
  if (one.kind === 'Network' || one.kind === 'Volume') return isRetrying(one);
  if (one.kind !== 'Service') return false;
  const last = one.status?.lastAction?.reason;
  return (
    (last === 'Installing' || last === 'Starting') &&
    (lacksOnHost(one) ||
      isFor(one, ['Retrying', 'PortInUse', 'PortLeaked', 'AddressInUse', 'AddressMissing', 'NoFreeAddress']))
  );
};

/** Tells whether it goes on when another service, network or volume is ready. */
export const waitsForSibling = (one: AnyResource): boolean =>
  isFor(one, ['DependencyNotReady', 'NetworkNotReady', 'VolumeNotReady', 'AdoptionPending']);

/** Tells whether its container ends again and again soon after its start. */
export const isCrashLooping = (service: Service): boolean => isFor(service, ['CrashLoop']);

/** Tells whether its container ended with an error and is not started again, for the present document. */
export const hasFailed = (service: Service): boolean =>
  readinessOf(service) !== undefined && isFor(service, ['Failed']);

/** Tells whether what runs of it is unhealthy, or what was to take its place is. */
export const isUnhealthy = (service: Service): boolean => isFor(service, ['Unhealthy', 'SuccessorUnhealthy']);

/** Tells whether its new container keeps exiting beside the old one. */
export const hasFailedToSucceed = (service: Service): boolean => isFor(service, ['SuccessorFailed']);

/** Tells whether the engine refuses its container for something that the host does not have. */
export const lacksOnHost = (service: Service): boolean =>
  isFor(service, ['DeviceMissing', 'HostPathMissing', 'LogDriverFailed']);

/** Tells whether nothing can be said of it, because the engine does not answer. */
export const awaitsEngine = (one: AnyResource): boolean => isFor(one, ['EngineUnreachable', 'EngineHangs']);

/** Tells whether the engine has no addresses for it, because another network has them. */
export const lacksSubnet = (network: Network): boolean => isFor(network, ['PoolOverlaps', 'PoolsExhausted']);

/** Tells whether an App runs, or holds on to, another release than the one that is declared. */
export const hasGoneBack = (one: AnyResource): boolean =>
  isStalled(one) && isFor(one, ['RolledBack', 'RollbackFailed'], 'Stalled');

/** Tells whether a release is on the device and waits for its window, a boot or an approval, as its App says. */
export const waitsForItsTime = (one: AnyResource): boolean =>
  readinessOf(one) !== undefined && isFor(one, ['OutsideWindow', 'AwaitingReboot', 'AwaitingApproval']);

/** Tells whether it waits for room on the engine's disk. */
export const lacksDisk = (image: Image): boolean => isFor(image, ['NotEnoughDisk']);

/** Tells whether it is being deleted while a container still uses it. */
export const isInUse = (image: Image): boolean => isFor(image, ['InUse']);

/** Tells whether a service requires what this device does not offer. The compatible API shows no services of such a release. */
export const isRejected = (app: App): boolean => isStalled(app) && isFor(app, ['ContractUnmet'], 'Stalled');

/** Tells whether the document says what cannot be made true. */
export const isInvalid = (document: HostConfig): boolean => isFor(document, ['InvalidSpec']);

/** Tells whether the change is made and waits for its confirmation. */
export const isConfirming = (document: HostConfig): boolean =>
  conditionOf(document, 'Reconciling')?.status !== 'True' && isFor(document, ['Confirming']);

/** Tells whether the last attempt failed in a way that may pass. */
export const isRetrying = (one: AnyResource): boolean => isFor(one, ['Retrying']);

/** Tells whether the last attempt failed, or the application holds its update lock. */
export const isRetryingOrLocked = (one: AnyResource): boolean => isFor(one, ['Retrying', 'UpdatesLocked']);

/** Tells whether it is being worked on, and has not failed. */
export const isProgressing = (one: AnyResource): boolean =>
  conditionOf(one, 'Reconciling')?.status === 'True' && !isFor(one, ['Retrying'], 'Reconciling');

/** Returns what is wrong with the engine, as the document's controller reports it. */
export const engineFailureOf = (one: Resource | undefined): string | undefined =>
  one && isFor(one, ['EngineUnreachable']) ? conditionOf(one, 'Ready')?.message : undefined;

/** Tells whether somebody who waits for it has to know the reason now; most other reasons pass. */
export const isFailing = (one: AnyResource): boolean =>
  readinessOf(one) !== undefined &&
  isFor(one, ['Retrying', 'UpdatesLocked', 'EngineUnreachable', 'ServicesNotHealthy', 'CrashLoop']);
