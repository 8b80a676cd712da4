import { durationMs } from './duration.js';

/** How often a container may be restarted because it is unhealthy: `count` times within `withinMs`. */
export interface RestartBudget {
  readonly count: number;
  readonly withinMs: number;
  /** As people write it, `5/300s`. */
  readonly text: string;
}

const DEFAULT = '5/300s';
/** Longest time of a budget, ms: a year. */
const LONGEST_MS = 366 * 86_400_000;

/** Reads `restart_unhealthy` of a service. Undefined when it is off, or no budget. Pure. */
export function restartBudget(value: boolean | string | null | undefined): RestartBudget | undefined {
  const text = value === true ? DEFAULT : value;
  if (typeof text !== 'string') return undefined;
  const [count, within = ''] = text.split('/', 2);
  const withinMs = durationMs(within);
  if (withinMs === undefined || withinMs === 0 || withinMs > LONGEST_MS || !(Number(count) > 0)) return undefined;
  return { count: Number(count), withinMs, text };
}
