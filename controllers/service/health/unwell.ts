import type { ServiceStatus } from '../../../crds/model/types.js';
import type { SeenContainer, Updatable } from '../../engine/engine.js';
import type { Unwell } from '../../runtime/outcome.js';
import { hasFinished, minReadyMs, type RunFacts } from './runs.js';

/**
 * Returns what is wrong with a container for which there is nothing left to do. The message stays the same from restart
 * to restart; the counts are in the status. Pure.
 */
export function unwellOf(
  facts: RunFacts,
  container: SeenContainer,
  {
    policy,
    ranMs,
    exhausted,
  }: {
    readonly policy: Updatable['RestartPolicy'];
    readonly ranMs: number;
    /** Number of restarts after which an unhealthy container is not restarted any more. */
    readonly exhausted?: number | undefined;
  },
): Unwell | undefined {
  const { lastExit, crashLoopSince, unhealthySince } = facts;
  const { name, state, health, exitCode } = container;
  if (hasFinished(policy, container)) {
    if (exitCode === 0 || lastExit?.requested) return undefined;
    const message = `Container ${name} exited with ${exitCode}, and restart: ${policyText(policy)} does not start it again; asking for a start does, or another definition`;
    return { reason: 'Failed', message };
  }
  if (crashLoopSince !== undefined) {
    const message = `Container ${name} ${exitText(lastExit)} and is restarted; it is well when it has run for ${minReadyText(facts)}`;
    const leftMs = Math.max(1, minReadyMs(facts, health) - ranMs);
    return { reason: 'CrashLoop', message, ...(state === 'running' ? { forMs: leftMs } : {}) };
  }
  if (unhealthySince === undefined) return undefined;
  const stays = exhausted
    ? `; it was restarted ${exhausted} times, and is not restarted any more until it is healthy`
    : '';
  return { reason: 'Unhealthy', message: `Container ${name} is unhealthy: its healthcheck fails${stays}` };
}

/** Describes an end as the rest of a sentence, as in `exited with 1`. Pure. */
export const exitText = (lastExit: ServiceStatus['lastExit']): string =>
  lastExit?.exitCode === undefined ? 'exited' : `exited with ${lastExit.exitCode}`;

/** Returns the needed run time for messages, as in `60 s or is healthy`. */
function minReadyText(facts: RunFacts): string {
  const [neededMs, healthyMs] = [minReadyMs(facts, undefined), minReadyMs(facts, 'healthy')];
  const healthy = healthyMs === 0 ? ' or is healthy' : ` or is healthy after ${healthyMs / 1000} s`;
  return `${neededMs / 1000} s${healthyMs < neededMs ? healthy : ''}`;
}

const policyText = ({ Name, MaximumRetryCount }: Updatable['RestartPolicy']): string =>
  MaximumRetryCount > 0 ? `${Name}:${MaximumRetryCount}` : Name;
