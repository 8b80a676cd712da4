import type { SeenContainer, Updatable, UpdateOptions } from '../../engine/engine.js';

/** A change that somebody made to a running container, and how to repair it. */
export type Drift = { readonly because: string } & (
  | { readonly repair: 'unpause' }
  | { readonly repair: 'update'; readonly change: UpdateOptions }
  /** Docker cannot undo the change: the container is replaced. */
  | { readonly repair: 'replace' }
);

/** Settings that Docker lets people change on a running container, as the document declares them. */
export interface Tuning extends Updatable {
  /** Undefined: the engine derives it from the memory limit. */
  readonly MemorySwap: number | undefined;
}

/**
 * Returns the first difference between a container and what it was created with. Compares only what Docker shows as it
 * was set; the spec hash covers the rest. Pure.
 */
export function driftOf(current: SeenContainer, tuning: Tuning): Drift | undefined {
  for (const check of [paused, edited]) {
    const drift = check(current, tuning);
    if (drift) return drift;
  }
  return undefined;
}

const paused = ({ state }: SeenContainer): Drift | undefined =>
  state === 'paused' ? { because: 'was paused', repair: 'unpause' } : undefined;

type Limit = Exclude<keyof Updatable, 'RestartPolicy'>;

/** The document's names of the limits that `docker update` changes. */
const LIMITS = {
  mem_limit: 'Memory',
  mem_reservation: 'MemoryReservation',
  cpus: 'NanoCpus',
  cpu_shares: 'CpuShares',
  cpu_quota: 'CpuQuota',
  cpuset: 'CpusetCpus',
  pids_limit: 'PidsLimit',
} as const satisfies Readonly<Record<string, Limit>>;

/**
 * Finds changes made with `docker update`. A limit that the engine does not show counts as unchanged: that is how it
 * shows what its kernel cannot limit, and `docker update` can take no limit away but that of PIDs.
 */
function edited({ updatable: seen }: SeenContainer, tuning: Tuning): Drift | undefined {
  if (!seen) return undefined;
  const limits = Object.entries(LIMITS).filter(([, key]) => isLimit(seen[key]) && seen[key] !== tuning[key]);
  const policy = policyOf(seen) === policyOf(tuning) ? [] : [`restart is ${policyOf(seen)}, not ${policyOf(tuning)}`];
  const edits = limits.map(
    ([name, key]) => `${name} is ${seen[key]}, not ${isLimit(tuning[key]) ? tuning[key] : 'set'}`,
  );
  if (edits.length + policy.length === 0) return undefined;
  const because = `was edited: ${[...edits, ...policy].join(', ')}`;
  // Docker cannot take a limit away.
  if (limits.some(([, key]) => key !== 'PidsLimit' && !isLimit(tuning[key]))) return { because, repair: 'replace' };
  const change: UpdateOptions = {
    ...Object.fromEntries(limits.map(([, key]) => [key, tuning[key]])),
    ...(limits.some(([, key]) => key === 'Memory') ? { MemorySwap: tuning.MemorySwap ?? 2 * tuning.Memory } : {}),
    ...(policy.length > 0 ? { RestartPolicy: tuning.RestartPolicy } : {}),
  };
  return { because, repair: 'update', change };
}

const isLimit = (value: number | string): boolean => value !== 0 && value !== '';

const policyOf = ({ RestartPolicy: { Name, MaximumRetryCount } }: Updatable): string =>
  MaximumRetryCount > 0 ? `${Name}:${MaximumRetryCount}` : Name;
