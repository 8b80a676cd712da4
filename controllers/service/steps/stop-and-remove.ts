import { errorMessage } from '../../../api/platform/errors.js';
import { keyOf } from '../../../crds/model/kinds.js';
import { ALIVE } from '../commands/commands.js';
import type { ServiceDeps } from '../deps.js';
import { labelOf } from '../spec/identity.js';
import type { Terminations } from '../terminations.js';
import { refused } from './engine-errors.js';
import { record, type StepContext, type StepOf } from './step-context.js';

/** Stops and removes a container in the background: the grace period is the container's own, and no pass waits for it. */
export function beginTermination(
  { cache, engine, locks, handovers, processes, logs, store, log }: ServiceDeps,
  terminations: Terminations,
  { service, appId, serviceName, reportReached }: StepContext,
  { container, stop, remove, locked, endpointOn, because, update, installed, withdrawn }: StepOf<'terminate'>,
): void {
  const { name } = service.metadata;
  const { app } = service.spec;
  const { id } = container;
  const label = labelOf({ ...container, serviceName });
  const dead = container.state === 'dead';
  // Not the pass's own signal: a newer document does not abort a stop.
  const never = new AbortController().signal;
  const say = (...lines: readonly string[]): void => {
    if (!withdrawn) for (const line of lines) logs.system(line, { app });
  };
  /** Kills processes of the container that a killed engine may have started without knowing: they would run on beside the successor. */
  const killLeftovers = async (): Promise<void> => {
    const now = await engine.inspectContainer(id, never);
    if (now === undefined || ALIVE.includes(now.state)) return;
    const count = await processes.kill(id);
    if (count === 0) return;
    const message = `Killed ${count} processes of container ${container.name}, which the engine said did not run`;
    store.record(keyOf('Service', name), { type: 'Warning', reason: 'Stray', message });
    log.warn({ container: container.name, id }, message);
  };
  /**
   * Removes the hand-over signal. A failure only warns: the container is gone, and the next hand-over does not begin
   * before it has succeeded.
   */
  const forgetHandover = async (): Promise<void> => {
    await handovers.forget(appId, serviceName).catch((error: unknown) => {
      const message = errorMessage(error);
      store.record(keyOf('Service', name), { type: 'Warning', reason: 'HandoverSignStays', message });
      log.warn({ err: error, app, service: serviceName }, message);
    });
  };
  const terminate = (): Promise<true> =>
    cache.suppressEvents(id, async (): Promise<true> => {
      say(`${dead ? 'Removing dead container' : 'Killing service'} '${label}'`);
      if (stop) await engine.stopContainer(id, never);
      if (update && stop) reportReached('Stopped');
      // Logged before the removal: as soon as that is seen, the next container is created and logged. The order is the
      // Supervisor's, which follows the engine's events.
      const ended = stop ? [`Service exited '${label}'`] : [];
      const killed = dead ? [] : [`Killed service '${label}'`];
      say(...(remove ? [...ended, ...killed] : [...killed, ...ended]));
      if (installed !== undefined) {
        const next = labelOf({ serviceName, image: installed });
        say(`Installing service '${next}'`, `Installed service '${next}'`);
      }
      if (remove && !stop && !withdrawn) await killLeftovers();
      if (remove) await engine.removeContainer(id, never);
      if (endpointOn !== undefined) await engine.releaseEndpoint(endpointOn, container.name, never);
      if (update && remove) reportReached('Removed');
      if (update?.is === 'succeeded') await forgetHandover();
      if (remove) cache.dropContainer(id);
      // The engine may have reported it gone already.
      else if (cache.containers().some((one) => one.id === id)) await cache.refreshContainer(id, never);
      return true;
    });
  terminations.begin(name, id, withdrawn ? 'withdrawn' : remove ? 'removed' : 'stopped', async () => {
    try {
      const isDone = locked ? await locks.during(appId, terminate) : await terminate();
      if (isDone)
        record(store, service, 'Stopping', `${remove ? 'Removed' : 'Stopped'} container ${container.name}: ${because}`);
    } catch (error) {
      throw refused(`Could not ${remove ? 'remove' : 'stop'} container ${container.name}`, error, {
        say: (due) => logs.system(`Failed to kill service '${label}' due to '${due}'`, { app }, { isStdErr: true }),
      });
    }
  });
}
