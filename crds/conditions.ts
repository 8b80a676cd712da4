/** One fact about a resource, as Kubernetes shapes it. */
export interface Condition {
  readonly type: 'Ready' | 'Reconciling' | 'Stalled' | (string & {});
  readonly status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word for programs. */
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

/** The condition of that type, if the status has it. Pure. */
export const conditionOf = (resource: HasConditions, type: Condition['type']): Condition | undefined =>
  resource.status?.conditions?.find((one) => one.type === type);

/** `Ready=True` at this very generation: a pass at it found nothing to do. Pure. */
export const isReady = (resource: HasConditions): boolean =>
  resource.status?.observedGeneration === resource.metadata.generation &&
  conditionOf(resource, 'Ready')?.status === 'True';

/** Not retried before something changes. Pure. */
export const isStalled = (resource: HasConditions): boolean =>
  resource.status?.observedGeneration === resource.metadata.generation &&
  conditionOf(resource, 'Stalled')?.status === 'True';

/**
 * A status with new facts that keeps what the runtime writes (observedGeneration, conditions): what a pass hands to
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
