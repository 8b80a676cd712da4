import type { App, Request, RequestName, Service } from '../../../crds/model/kinds.js';
import { type AppCommand, pendingRequest, RECREATING, startedRequest } from '../../../crds/model/requests.js';
import type { SeenContainer } from '../../engine/engine.js';
import { MADE_AFTER } from '../../engine/labels.js';
import type { Stop, StopLedger } from './stop-ledger.js';

/** A request that is carried out by making the container anew. */
interface Anew {
  readonly id: string;
  /** Under which the status says that it was dealt with. */
  readonly name: 'restart' | `app.${AppCommand}`;
  readonly because: string;
}

/** What is asked of a service beyond its document, at this moment. */
export interface Orders {
  readonly anew: readonly Anew[];
  /** `due`: to be stopped. `in force`: stays stopped. */
  readonly stop: 'due' | 'in force' | undefined;
  readonly start: boolean;
}

/** A request of the service's own, or one of its App that has been begun. */
export interface Ask extends Request {
  /** Under which the status says that it was dealt with. */
  readonly name: RequestName | `app.${AppCommand}`;
}

/** Requests that count, the latest first, and ids of those that a later one has overtaken. */
export interface Asked {
  readonly stops: readonly Ask[];
  readonly starts: readonly Ask[];
  readonly restart: Request | undefined;
  readonly overtaken: Readonly<Record<string, string>>;
}

/** Which requests are to be carried out. Of stop and what makes it run again, the later one counts. Pure. */
export function askedOf(service: Service, app: App | undefined): Asked {
  const stops = asks(service, app, 'stop');
  const starts = asks(service, app, 'start').filter(
    ({ name, id }) => name === 'start' || service.status?.handled?.[name] !== id,
  );
  const [go, halt] = [lastGo(service, app), lastHalt(service, app)];
  const lost = [...stops.filter(({ at }) => at < go), ...starts.filter(({ at }) => at < halt)];
  return {
    stops: stops.filter((one) => !lost.includes(one)),
    starts: starts.filter((one) => !lost.includes(one)),
    restart: pendingRequest(service, 'restart'),
    overtaken: idsOf(lost),
  };
}

/** An App's stop counts until all of its services have stopped: an agent that dies meanwhile must not stop one half. */
function asks(service: Service, app: App | undefined, name: 'stop' | 'start'): readonly Ask[] {
  const own = pendingRequest(service, name);
  const ofApp = startedRequest(app, name);
  const all: readonly Ask[] = [
    ...(own ? [{ ...own, name }] : []),
    ...(ofApp ? [{ ...ofApp, name: `app.${name}` as const }] : []),
  ];
  return all.toSorted((a, b) => b.at.localeCompare(a.at));
}

/** Ids of requests by the names under which a status says that they were dealt with. Pure. */
export const idsOf = (asks: readonly Pick<Ask, 'name' | 'id'>[]): Readonly<Record<string, string>> =>
  Object.fromEntries(asks.map(({ name, id }) => [name, id]));

/** The orders that a pass has to follow. `specHash` is what the document comes to now. Pure. */
export function ordersOf(
  service: Service,
  app: App | undefined,
  stops: StopLedger,
  specHash: string | undefined,
  running: boolean,
): Orders {
  const asked = askedOf(service, app);
  const { restart } = asked;
  const known = stops.of(service.metadata.name);
  const holds = known !== undefined && known.at > lastGo(service, app) && isInForce(known, service, app);
  const inForce = holds && (specHash === undefined || known.specHash === undefined || specHash === known.specHash);
  return {
    anew: [
      ...(restart ? [{ id: restart.id, name: 'restart' as const, because: 'restart requested' }] : []),
      ...RECREATING.flatMap((command): Anew[] => {
        const request = startedRequest(app, command);
        const name = `app.${command}` as const;
        const due = request !== undefined && service.status?.handled?.[name] !== request.id;
        return due ? [{ id: request.id, name, because: `${command} of the app requested` }] : [];
      }),
    ],
    stop: asked.stops.length > 0 || (inForce && !known.done) ? 'due' : inForce ? 'in force' : undefined,
    start: asked.starts.length > 0 && running,
  };
}

/**
 * A stop that was refused never was. One that was carried out outlives its request, which the next one replaces; one that
 * was not ends with it: it was taken back. Pure.
 */
function isInForce({ id, done }: Stop, service: Service, app: App | undefined): boolean {
  const isRefusal = (status: Service['status'] | App['status'], name: string): boolean =>
    status?.handled?.[name] === id && status.refused?.[name] !== undefined;
  if (isRefusal(service.status, 'stop') || isRefusal(service.status, 'app.stop') || isRefusal(app?.status, 'stop')) {
    return false;
  }
  return done || service.requests.stop?.id === id || app?.requests.stop?.id === id;
}

/** Ids that a container that is made now carries: it need not be made anew for those. Pure. */
export const madeAfter = (service: Service, app: App | undefined): readonly string[] => [
  ...(service.requests.restart ? [service.requests.restart.id] : []),
  ...RECREATING.flatMap((command) => startedRequest(app, command)?.id ?? []),
];

/** Whether a container was made after that request. Pure. */
export const isMadeAfter = ({ labels }: Pick<SeenContainer, 'labels'>, { id }: Pick<Request, 'id'>): boolean =>
  (labels[MADE_AFTER] ?? '').split(' ').includes(id);

/** What has been dealt with, seeing the container as it is. A start counts once it runs; made anew means made and, unless it stays stopped, started. Pure. */
export function dealtWith(
  { stops, starts, overtaken }: Asked,
  { anew, stop, start }: Orders,
  container: SeenContainer | undefined,
  running: boolean,
): Readonly<Record<string, string>> {
  const isAlive = container !== undefined && ALIVE.includes(container.state);
  const done = anew.filter(
    (one) =>
      container && isMadeAfter(container, one) && (!running || stop !== undefined || container.startedAt !== undefined),
  );
  return {
    ...overtaken,
    ...idsOf(done),
    // Asked of what the document does not want to run: there is nothing to start.
    ...(!start || isAlive ? idsOf(starts) : {}),
    ...(isAlive ? {} : idsOf(stops)),
  };
}

export const ALIVE: readonly SeenContainer['state'][] = ['running', 'restarting', 'paused'];

/** When it was last asked to run again; '' when never. What was refused does not count. Pure. */
const lastGo = (service: Service, app: App | undefined): string =>
  lastTime(service, app, ['start', 'restart'], ['start', ...RECREATING]);

/** When it was last asked to stop; '' when never. What was refused does not count. Pure. */
const lastHalt = (service: Service, app: App | undefined): string => lastTime(service, app, ['stop'], ['stop']);

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

/** The App has begun or carried it out. Pure. */
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
