import type { App, Request, RequestName, Service } from '../../../crds/model/kinds.js';
import { type AppCommand, pendingRequest, RECREATING, startedRequest } from '../../../crds/model/requests.js';
import type { SeenContainer } from '../../engine/engine.js';
import { MADE_AFTER } from '../../engine/labels.js';
import type { Stop, StopLedger } from './stop-ledger.js';

/** A request that is carried out by recreating the container. */
interface RecreateCommand {
  readonly id: string;
  /** The name under which the status acknowledges it. */
  readonly name: 'restart' | `app.${AppCommand}`;
  readonly because: string;
}

/** The commands that a pass over a service has to follow, beside its document. */
export interface ActiveCommands {
  readonly recreate: readonly RecreateCommand[];
  /** `due`: the container is to be stopped. `in force`: it was, and stays stopped. */
  readonly stop: 'due' | 'in force' | undefined;
  readonly start: boolean;
}

/** A request of the Service itself, or one of its App that the App has started. */
export interface Command extends Request {
  /** The name under which the status acknowledges it. */
  readonly name: RequestName | `app.${AppCommand}`;
}

/** Requests that are not acknowledged yet, the latest first, and the ids of those that a later one has overtaken. */
export interface PendingCommands {
  readonly stops: readonly Command[];
  readonly starts: readonly Command[];
  readonly restart: Request | undefined;
  /** Of a job. */
  readonly run: Request | undefined;
  readonly overtaken: Readonly<Record<string, string>>;
}

/** Returns the requests that are to be carried out. Of a stop and what makes the container run again, the later one counts. Pure. */
export function pendingCommandsOf(service: Service, app: App | undefined): PendingCommands {
  const stops = commandsOf(service, app, 'stop');
  const starts = commandsOf(service, app, 'start').filter(({ name, id }) => service.status?.handled?.[name] !== id);
  const [go, halt] = [lastStartAt(service, app), lastStopAt(service, app)];
  const lost = [...stops.filter(({ at }) => at < go), ...starts.filter(({ at }) => at < halt)];
  return {
    stops: stops.filter((one) => !lost.includes(one)),
    starts: starts.filter((one) => !lost.includes(one)),
    restart: pendingRequest(service, 'restart'),
    run: pendingRequest(service, 'run'),
    overtaken: idsOf(lost),
  };
}

/**
 * Returns the pending requests of that name, of the Service and of its App, the latest first. An App's stop counts until all
 * of its services have stopped: an agent that dies meanwhile must not stop one half.
 */
function commandsOf(service: Service, app: App | undefined, name: 'stop' | 'start'): readonly Command[] {
  const own = pendingRequest(service, name);
  const ofApp = startedRequest(app, name);
  const all: readonly Command[] = [
    ...(own ? [{ ...own, name }] : []),
    ...(ofApp ? [{ ...ofApp, name: `app.${name}` as const }] : []),
  ];
  return all.toSorted((a, b) => b.at.localeCompare(a.at));
}

/** Returns the ids of commands by the names under which a status acknowledges them. Pure. */
export const idsOf = (commands: readonly Pick<Command, 'name' | 'id'>[]): Readonly<Record<string, string>> =>
  Object.fromEntries(commands.map(({ name, id }) => [name, id]));

/** Returns the commands that a pass has to follow. `specHash`: of the container that the document asks for. Pure. */
export function activeCommandsOf(
  service: Service,
  app: App | undefined,
  stopLedger: StopLedger,
  specHash: string | undefined,
  running: boolean,
): ActiveCommands {
  const pending = pendingCommandsOf(service, app);
  const { restart } = pending;
  const known = stopLedger.of(service.metadata.name);
  const holds = known !== undefined && known.at > lastStartAt(service, app) && isInForce(known, service, app);
  const inForce = holds && (specHash === undefined || known.specHash === undefined || specHash === known.specHash);
  return {
    recreate: [
      ...(restart ? [{ id: restart.id, name: 'restart' as const, because: 'restart requested' }] : []),
      ...RECREATING.flatMap((command): RecreateCommand[] => {
        const request = startedRequest(app, command);
        const name = `app.${command}` as const;
        const due = request !== undefined && service.status?.handled?.[name] !== request.id;
        return due ? [{ id: request.id, name, because: `${command} of the app requested` }] : [];
      }),
    ],
    stop: pending.stops.length > 0 || (inForce && !known.done) ? 'due' : inForce ? 'in force' : undefined,
    start: pending.starts.length > 0 && running,
  };
}

/**
 * Tells whether a stop still holds. A refused stop never does. One that was carried out outlives its request, which the
 * next request replaces; one that was not carried out ends with its request. Pure.
 */
function isInForce({ id, done }: Stop, service: Service, app: App | undefined): boolean {
  const isRefusal = (status: Service['status'] | App['status'], name: string): boolean =>
    status?.handled?.[name] === id && status.refused?.[name] !== undefined;
  if (isRefusal(service.status, 'stop') || isRefusal(service.status, 'app.stop') || isRefusal(app?.status, 'stop')) {
    return false;
  }
  return done || service.requests.stop?.id === id || app?.requests.stop?.id === id;
}

/** Returns the ids of requests that a container carries as a label when it is created now: it is not recreated for them. Pure. */
export const madeAfter = (service: Service, app: App | undefined): readonly string[] => [
  ...(service.requests.restart ? [service.requests.restart.id] : []),
  ...RECREATING.flatMap((command) => startedRequest(app, command)?.id ?? []),
];

/** Tells whether a container was created after that request. Pure. */
export const isMadeAfter = ({ labels }: Pick<SeenContainer, 'labels'>, { id }: Pick<Request, 'id'>): boolean =>
  labels[MADE_AFTER]?.split(' ').includes(id) === true;

/**
 * Returns the ids of commands that are done, seeing the container as it is. A start is done once the container runs; a
 * recreation once the new container exists and, unless it stays stopped, has been started. Pure.
 */
export function completedCommands(
  { stops, starts, overtaken }: PendingCommands,
  { recreate, stop, start }: ActiveCommands,
  container: SeenContainer | undefined,
  running: boolean,
): Readonly<Record<string, string>> {
  const isAlive = container !== undefined && ALIVE.includes(container.state);
  const done = recreate.filter(
    (one) =>
      container && isMadeAfter(container, one) && (!running || stop !== undefined || container.startedAt !== undefined),
  );
  return {
    ...overtaken,
    ...idsOf(done),
    // The document does not want it to run: there is nothing to start.
    ...(!start || isAlive ? idsOf(starts) : {}),
    ...(isAlive ? {} : idsOf(stops)),
  };
}

export const ALIVE: readonly SeenContainer['state'][] = ['running', 'restarting', 'paused'];

/** Returns the time (RFC 3339) of the latest request to start or restart; '' when there is none. Refused ones do not count. Pure. */
const lastStartAt = (service: Service, app: App | undefined): string =>
  lastTime(service, app, ['start', 'restart'], ['start', ...RECREATING]);

/** Returns the time (RFC 3339) of the latest request to stop; '' when there is none. Refused ones do not count. Pure. */
const lastStopAt = (service: Service, app: App | undefined): string => lastTime(service, app, ['stop'], ['stop']);

function lastTime(
  { requests, status }: Service,
  app: App | undefined,
  own: readonly ('start' | 'restart' | 'stop')[],
  ofApp: readonly AppCommand[],
): string {
  const times = [
    ...own.filter((name) => !isRefused(requests[name], name, status)).map((name) => requests[name]?.at ?? ''),
    ...ofApp.filter((name) => isGiven(app, name)).map((name) => app?.requests[name]?.at ?? ''),
  ];
  return times.sort().at(-1) ?? '';
}

/** Tells whether the App has started or carried out its request of that name. Pure. */
function isGiven(app: App | undefined, name: AppCommand): boolean {
  const request = app?.requests[name];
  const handled = request !== undefined && app?.status?.handled?.[name] === request.id;
  return startedRequest(app, name) !== undefined || (handled && !isRefused(request, name, app?.status));
}

const isRefused = (
  request: Request | undefined,
  name: RequestName,
  status: Service['status'] | App['status'],
): boolean => request !== undefined && status?.handled?.[name] === request.id && status.refused?.[name] !== undefined;
