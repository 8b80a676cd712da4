import { messageWithCauses } from '../../../api/platform/errors.js';
import type { Service } from '../../../crds/model/kinds.js';
import { acknowledgementsOf, withAcknowledged } from '../../../crds/model/requests.js';
import { suspendedMessage } from '../../../crds/model/suspend.js';
import { EngineError } from '../../engine/engine.js';
import { TerminalError, TransientError } from '../../runtime/outcome.js';
import { shownOf } from '../container/prepared.js';
import { containersOf } from '../dependencies/siblings.js';
import type { Memory, ServiceDeps } from '../deps.js';
import type { ServiceObservation } from '../observe.js';
import type { Rejection, ServiceProgress, ServiceState } from '../service-state.js';
import {
  type ActiveCommands,
  activeCommandsOf,
  completedCommands,
  idsOf,
  isMadeAfter,
  type PendingCommands,
  pendingCommandsOf,
} from './commands.js';

/**
 * Returns the part of the status that acknowledges commands: those that a step has started or done, those that are done
 * as the containers are now, and those that are rejected.
 */
export function acknowledgements(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  { pendingCommands, state }: ServiceObservation,
  progress: ServiceProgress,
): ReturnType<typeof withAcknowledged> {
  const { at, error, result } = progress;
  const [container] = shownOf(containersOf(deps, service));
  const isOver = at === 'acted' && error === undefined && state !== undefined;
  const done = !isOver
    ? {}
    : state.job
      ? completedByJob(pendingCommands, state.commands, state.job)
      : completedCommands(pendingCommands, state.commands, container, state.desired?.running ?? false);
  const rejection = rejectionAt(deps, memory, service, progress);
  const refused = rejection && Object.fromEntries(Object.keys(rejection.ids).map((name) => [name, rejection.refusal]));
  return withAcknowledged(
    acknowledgementsOf(service.status),
    { ...result.acknowledged, ...done, ...rejection?.ids },
    refused,
  );
}

/**
 * Returns the ids of commands of a job that are done: a run once it has begun, a stop once none is going on. A restart of the
 * App leaves runs alone; a purge is done once no container is left that mounts what it empties. Pure.
 */
function completedByJob(
  { stops, starts, overtaken }: PendingCommands,
  { recreate }: ActiveCommands,
  { request, runs }: NonNullable<ServiceState['job']>,
): Readonly<Record<string, string>> {
  const has = (is: 'made' | 'going'): boolean => runs.some((one) => one.is === is);
  const begun = request && runs.some((one) => one.id === request.runId && one.is !== 'made');
  const left = (one: (typeof recreate)[number]): boolean => runs.some(({ container }) => !isMadeAfter(container, one));
  return {
    ...overtaken,
    ...idsOf(starts),
    ...(has('going') ? {} : idsOf(stops)),
    ...idsOf(recreate.filter((one) => one.name === 'app.restart' || (one.name === 'app.purge' && !left(one)))),
    ...(begun ? { run: request.id } : {}),
  };
}

/** Returns the commands that are not carried out, and why; undefined when there are none. */
export function rejectionAt(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  { at, error, result }: ServiceProgress,
): Rejection | undefined {
  const rejected =
    at === 'suspended'
      ? whileSuspended(deps, service)
      : error === undefined
        ? result.rejected
        : byFailure(deps, memory, service, error);
  return rejected && Object.keys(rejected.ids).length > 0 ? rejected : undefined;
}

/** Rejects the commands of a suspended app's service. A stop that has started goes on: nothing calls it back. */
function whileSuspended({ store }: ServiceDeps, service: Service): Rejection {
  const { app } = service.spec;
  const { stops, starts, restart, run } = pendingCommandsOf(service, store.get('App', app));
  const own = [...stops, ...starts].filter(({ name }) => name === 'stop' || name === 'start');
  return {
    ids: {
      ...idsOf(own),
      ...(restart ? { restart: restart.id } : {}),
      ...(run ? { run: run.id } : {}),
    },
    refusal: { reason: 'Failed', message: suspendedMessage(app) },
  };
}

/**
 * Rejects the pending commands when the engine refused a step or the document cannot be resolved. Returns undefined for
 * every other error: those are retried first.
 */
function byFailure(
  { store }: ServiceDeps,
  { stopLedger }: Memory,
  service: Service,
  error: unknown,
): Rejection | undefined {
  if (![EngineError, TerminalError, TransientError].some((one) => error instanceof one)) return undefined;
  const app = store.get('App', service.spec.app);
  const pendingCommands = pendingCommandsOf(service, app);
  const { recreate } = activeCommandsOf(service, app, stopLedger, undefined, true);
  return {
    ids: {
      ...idsOf([...pendingCommands.stops, ...pendingCommands.starts, ...recreate]),
      ...(pendingCommands.run ? { run: pendingCommands.run.id } : {}),
    },
    refusal: { reason: 'Failed', message: messageWithCauses(error) },
  };
}
