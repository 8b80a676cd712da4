import type { SeenContainer, Updatable, UpdateOptions } from '../../engine/engine.js';

/** What somebody changed of a container that was made right, and how it is put right. */
export type Drift = { readonly because: string } & (
  | { readonly repair: 'unpause' }
  | { readonly repair: 'update'; readonly change: UpdateOptions }
  /** Docker has no way back from it: only another container is as the document says. */
  | { readonly repair: 'replace' }
);

/** What the document says of the things that Docker lets people change. */
export interface Tuning extends Updatable {
  /** Undefined: as the engine sets it beside a memory limit. */
  readonly MemorySwap: number | undefined;
}

/**
 * The first thing that differs from what the container was made with. Only what Docker shows as it was asked for is
 * compared; all else is the hash's business. Pure.
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

/** By the names that documents have for them. */
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
 * `docker update` was used. A limit that is not there counts as the document's: that is how an engine shows what its
 * kernel cannot limit, and nobody can take one away with `docker update`, but for that of PIDs.
 */
function edited({ updatable: seen }: SeenContainer, tuning: Tuning): Drift | undefined {
  if (!seen) return undefined;
  const limits = Object.entries(LIMITS).filter(([, key]) => isLimit(seen[key]) && seen[key] !== tuning[key]);
  const policy = policyOf(seen) === policyOf(tuning) ? [] : [`restart is ${policyOf(seen)}, not ${policyOf(tuning)}`];
  const said = limits.map(
    ([name, key]) => `${name} is ${seen[key]}, not ${isLimit(tuning[key]) ? tuning[key] : 'set'}`,
  );
  if (said.length + policy.length === 0) return undefined;
  const because = `was edited: ${[...said, ...policy].join(', ')}`;
  // Taking a limit away is what Docker cannot do.
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
