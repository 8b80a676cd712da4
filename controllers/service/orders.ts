import type { App, Request, RequestName, Service } from '../../crds/kinds.js';
import { APP_COMMANDS, type AppCommand, begun, outstanding } from '../../crds/requests.js';
import type { SeenContainer } from '../docker/engine.js';
import { MADE_AFTER } from '../docker/labels.js';
import type { Stops } from './stops.js';

/** A request that is carried out by making the container anew. */
export interface Anew {
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

/** Requests of a service's own that count, and ids of those that a later one has overtaken. */
export interface Asked {
  readonly stop: Request | undefined;
  readonly start: Request | undefined;
  readonly restart: Request | undefined;
  readonly overtaken: Readonly<Partial<Record<RequestName, string>>>;
}

/** Which of the service's own requests are to be carried out. Of stop and what makes it run again, the later one counts. Pure. */
export function askedOf(service: Service, app: App | undefined): Asked {
  const stop = outstanding(service, 'stop');
  const start = outstanding(service, 'start');
  const stopLost = stop !== undefined && stop.at < lastGo(service, app);
  const startLost = start !== undefined && start.at < (service.requests.stop?.at ?? '');
  return {
    stop: stopLost ? undefined : stop,
    start: startLost ? undefined : start,
    restart: outstanding(service, 'restart'),
    overtaken: { ...(stopLost ? { stop: stop.id } : {}), ...(startLost ? { start: start.id } : {}) },
  };
}

/** The orders that a pass has to follow. `specHash` is what the document comes to now. Pure. */
export function ordersOf(
  service: Service,
  app: App | undefined,
  stops: Stops,
  specHash: string | undefined,
  running: boolean,
): Orders {
  const { stop, start, restart } = askedOf(service, app);
  const known = stops.of(service.metadata.name);
  const last = service.requests.stop;
  // What only a status says was begun by an earlier process, and ended with it.
  const holds = known !== undefined && last?.id === known.id && last.at > lastGo(service, app);
  const inForce = holds && (specHash === undefined || known.specHash === undefined || specHash === known.specHash);
  return {
    anew: [
      ...(restart ? [{ id: restart.id, name: 'restart' as const, because: 'restart requested' }] : []),
      ...APP_COMMANDS.flatMap((command): Anew[] => {
        const request = begun(app, command);
        const name = `app.${command}` as const;
        const due = request !== undefined && service.status?.handled?.[name] !== request.id;
        return due ? [{ id: request.id, name, because: `${command} of the app requested` }] : [];
      }),
    ],
    stop: stop || (inForce && !known.done) ? 'due' : inForce ? 'in force' : undefined,
    start: start !== undefined && running,
  };
}

/** Ids that a container that is made now carries: it need not be made anew for those. Pure. */
export const madeAfter = (service: Service, app: App | undefined): readonly string[] => [
  ...(service.requests.restart ? [service.requests.restart.id] : []),
  ...APP_COMMANDS.flatMap((command) => begun(app, command)?.id ?? []),
];

/** Whether a container was made after that request. Pure. */
export const isMadeAfter = ({ labels }: Pick<SeenContainer, 'labels'>, { id }: Pick<Request, 'id'>): boolean =>
  (labels[MADE_AFTER] ?? '').split(' ').includes(id);

/** What has been dealt with, seeing the container as it is. A start counts once it runs; made anew means made and, unless it stays stopped, started. Pure. */
export function dealtWith(
  service: Service,
  asked: Asked,
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
    ...asked.overtaken,
    ...Object.fromEntries(done.map(({ name, id }) => [name, id])),
    // Asked of what the document does not want to run: there is nothing to start.
    ...(asked.start && (!start || isAlive) ? { start: asked.start.id } : {}),
    ...(service.requests.stop && asked.stop && !isAlive ? { stop: asked.stop.id } : {}),
  };
}

export const ALIVE: readonly SeenContainer['state'][] = ['running', 'restarting', 'paused'];

/** When it was last asked to run again; '' when never. What was refused does not count. Pure. */
function lastGo({ requests, status }: Service, app: App | undefined): string {
  const own = (['start', 'restart'] as const).filter((name) => !isRefused(requests[name], name, status));
  const ofApp = APP_COMMANDS.filter((name) => {
    const request = app?.requests[name];
    const handled = request !== undefined && app?.status?.handled?.[name] === request.id;
    return begun(app, name) !== undefined || (handled && !isRefused(request, name, app?.status));
  });
  const times = [...own.map((name) => requests[name]?.at ?? ''), ...ofApp.map((name) => app?.requests[name]?.at ?? '')];
  return times.sort().at(-1) ?? '';
}

const isRefused = (
  request: Request | undefined,
  name: RequestName,
  status: Service['status'] | App['status'],
): boolean => request !== undefined && status?.handled?.[name] === request.id && status.refused?.[name] !== undefined;
