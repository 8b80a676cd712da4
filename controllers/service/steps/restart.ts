import type { ServiceDeps } from '../deps.js';
import { labelOf } from '../spec/identity.js';
import type { Terminations } from '../terminations.js';
import { refused } from './engine-errors.js';
import { record, type StepContext, type StepOf } from './step-context.js';

/** Restarts a container in the background: its grace period may be longer than a pass. */
export function beginRestart(
  { cache, engine, logs, store }: ServiceDeps,
  terminations: Terminations,
  { service, serviceName, reportStart }: StepContext,
  { container, because }: StepOf<'restart'>,
): void {
  const { id } = container;
  const { app } = service.spec;
  const label = labelOf({ ...container, serviceName });
  // Not the pass's own signal: a newer document does not abort a restart.
  const never = new AbortController().signal;
  const restart = async (): Promise<void> => {
    logs.system(`Killing service '${label}'`, { app });
    const before = cache.containers();
    try {
      if ((await engine.restartContainer(id, never)) === 'absent') return;
      for (const line of [`Killed service '${label}'`, `Service exited '${label}'`, `Restarting service '${label}'`]) {
        logs.system(line, { app });
      }
      record(store, service, 'Restarting', `Restarted container ${container.name}: ${because}`);
    } finally {
      await cache.refreshContainer(id, never);
      reportStart(id, before);
    }
  };
  terminations.begin(service.metadata.name, id, 'restarted', async () => {
    try {
      await cache.suppressEvents(id, restart);
    } catch (error) {
      throw refused(`Could not restart container ${container.name}`, error);
    }
  });
}
