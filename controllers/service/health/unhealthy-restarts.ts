import type { RestartBudget } from '../../../crds/model/restart-budget.js';
import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { Ages } from '../../runtime/ages.js';

/** The status's record of restarts of an unhealthy container. */
export type UnhealthyRestarts = NonNullable<ServiceStatus['unhealthyRestarts']>;

/** Number of restarts that the budget still allows now. */
export function restartsLeft(
  budget: RestartBudget,
  record: UnhealthyRestarts | undefined,
  container: SeenContainer,
  ages: Ages,
): number {
  if (record?.container !== container.id) return budget.count;
  if (record.exhausted) return 0;
  const isRecent = (at: string): boolean =>
    ages.since(`unhealthy/${container.id}/${at}`, Date.parse(at)) < budget.withinMs;
  return Math.max(0, budget.count - record.recent.filter(isRecent).length);
}

/**
 * Returns the record as it is with the next status. `restartedAt`: a restart begins now, RFC 3339. `left`: what the
 * budget allows now, undefined where there is none, and while a step is under way. Pure.
 */
export function withRestart(
  before: UnhealthyRestarts | undefined,
  { id, health }: Pick<SeenContainer, 'id' | 'health'>,
  {
    budget,
    left,
    restartedAt,
  }: {
    readonly budget: RestartBudget | undefined;
    readonly left: number | undefined;
    readonly restartedAt?: string | undefined;
  },
): UnhealthyRestarts | undefined {
  const known = before?.container === id ? before : undefined;
  if (restartedAt !== undefined) {
    const recent = [...(known?.recent ?? []), restartedAt].slice(-(budget?.count ?? 1));
    return { container: id, count: (known?.count ?? 0) + 1, recent };
  }
  if (!known) return undefined;
  const { exhausted, ...rest } = known;
  const isExhausted = health !== 'healthy' && (exhausted || (health === 'unhealthy' && left === 0));
  return isExhausted ? { ...rest, exhausted: true } : rest;
}
