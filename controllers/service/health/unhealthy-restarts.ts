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
  if (isUsedUp(record, container, budget)) return 0;
  const isRecent = (at: string): boolean =>
    ages.since(`unhealthy/${container.id}/${at}`, Date.parse(at)) < budget.withinMs;
  return Math.max(0, budget.count - record.recent.filter(isRecent).length);
}

/**
 * Whether the budget was used up, and nothing has ended that: it was in this run of the container, and this budget. What is not
 * known is taken for the same. Pure.
 */
function isUsedUp(
  { exhausted = false, run, budget: text }: UnhealthyRestarts,
  { startedAt }: Pick<SeenContainer, 'startedAt'>,
  budget: RestartBudget | undefined,
): boolean {
  const isSame = (noted: string | undefined, now: string | undefined): boolean =>
    noted === undefined || now === undefined || noted === now;
  return exhausted && isSame(run, startedAt) && isSame(text, budget?.text);
}

/**
 * Returns the record as it is with the next status. `restartedAt`: a restart begins now, RFC 3339. `left`: what the
 * budget allows now, undefined where there is none, and while a step is under way. Pure.
 */
export function withRestart(
  before: UnhealthyRestarts | undefined,
  container: Pick<SeenContainer, 'id' | 'health' | 'startedAt'>,
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
  const { id, health, startedAt } = container;
  const known = before?.container === id ? before : undefined;
  if (restartedAt !== undefined) {
    const recent = [...(known?.recent ?? []), restartedAt].slice(-(budget?.count ?? 1));
    return { container: id, count: (known?.count ?? 0) + 1, recent };
  }
  if (!known) return undefined;
  const { exhausted: _exhausted, run: _run, budget: _budget, ...rest } = known;
  if (health === 'healthy') return rest;
  const stays = isUsedUp(known, container, budget);
  if (!stays && !(health === 'unhealthy' && left === 0)) return rest;
  const { run = startedAt, budget: text = budget?.text }: Partial<UnhealthyRestarts> = stays ? known : {};
  return {
    ...{ ...rest, exhausted: true },
    ...(run === undefined ? {} : { run }),
    ...(text === undefined ? {} : { budget: text }),
  };
}
