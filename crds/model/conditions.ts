/** One fact about a resource, as Kubernetes shapes it. */
export interface Condition {
  readonly type: 'Ready' | 'Reconciling' | 'Stalled' | (string & {});
  readonly status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word, for programs. */
  readonly reason: string;
  /** One sentence for people that names the thing and the way out. No secrets. */
  readonly message: string;
  /** RFC 3339; when `status` last changed. */
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
}

interface HasConditions {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] } | undefined;
}

/** Returns the condition of that type, if the status has it. Pure. */
export const conditionOf = (resource: HasConditions, type: Condition['type']): Condition | undefined =>
  resource.status?.conditions?.find((one) => one.type === type);

/** Tells whether the status is about the present document: a pass has seen this generation. Pure. */
export const isObserved = ({ metadata, status }: HasConditions): boolean =>
  status?.observedGeneration === metadata.generation;

/**
 * Returns the Ready condition of the present document; undefined while no pass has seen it, whatever was said of an
 * earlier generation. Pure.
 */
export const readinessOf = (resource: HasConditions): Condition | undefined =>
  isObserved(resource) ? conditionOf(resource, 'Ready') : undefined;

/** Tells whether Ready is True at this generation: a pass at it found nothing to do. Pure. */
export const isReady = (resource: HasConditions): boolean => readinessOf(resource)?.status === 'True';

/** Why a document is not Ready although nothing is left to do: what runs is not well or not known yet, or the document's owner is missing. */
export type UnwellReason = 'CrashLoop' | 'Unhealthy' | 'Failed' | 'ServicesNotHealthy' | 'OwnerMissing' | 'Verifying';
const UNWELL: readonly string[] = [
  'CrashLoop',
  'Unhealthy',
  'Failed',
  'ServicesNotHealthy',
  'OwnerMissing',
  'Verifying',
] satisfies readonly UnwellReason[];

/**
 * Tells whether a pass at this generation found nothing to do, whether what runs is well or not. The compatible API
 * calls that applied, and releases and dependent services wait for it. Pure.
 */
export const isSettled = (resource: HasConditions): boolean => {
  if (isReady(resource)) return true;
  const ready = conditionOf(resource, 'Ready');
  const isCurrent = resource.status?.observedGeneration === resource.metadata.generation;
  return isCurrent && ready?.status === 'False' && UNWELL.includes(ready.reason);
};

/** Tells whether nothing is retried before something changes. Pure. */
export const isStalled = (resource: HasConditions): boolean =>
  isObserved(resource) && conditionOf(resource, 'Stalled')?.status === 'True';

/**
 * Returns a status with new facts that keeps what the runtime writes (observedGeneration, conditions), for
 * `store.setStatus`. Facts that are left out are gone. Pure.
 */
export function withFacts<Status extends { observedGeneration?: number; conditions?: Condition[] }>(
  resource: { readonly status?: Status | undefined },
  facts: Omit<Status, 'observedGeneration' | 'conditions'>,
): Status {
  const { observedGeneration, conditions } = resource.status ?? ({} as Status);
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(conditions === undefined ? {} : { conditions }),
    ...facts,
  } as Status;
}
