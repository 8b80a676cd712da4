import type { AnyResource, App, Request, RequestName } from './kinds.js';

/** Why a request was acknowledged but not carried out. `Locked`: the application holds the update lock. */
export interface Refusal {
  readonly reason: 'Locked' | 'Failed';
  readonly message: string;
}

/** The requests that a status acknowledges, by name: the last id of each, and why it was refused if it was. */
export interface Acknowledgements {
  readonly handled?: Readonly<Record<string, string>>;
  readonly refused?: Readonly<Record<string, Refusal>>;
}

/** Commands of an App that its Services and Volumes carry out. Their statuses know them as `app.restart`, `app.purge`, … */
export type AppCommand = 'restart' | 'purge' | 'stop' | 'start';
export const APP_COMMANDS: readonly AppCommand[] = ['restart', 'purge', 'stop', 'start'];
/** Commands that recreate every container. */
export const RECREATING = ['restart', 'purge'] as const satisfies readonly AppCommand[];

/** Tells whether a command stops something that runs, and so needs the update lock. Pure. */
export const isDisruptive = (command: AppCommand): boolean => command !== 'start';

/** Returns the request of that name unless the status acknowledges it already. Pure. */
export function pendingRequest(
  { requests, status }: Pick<AnyResource, 'requests'> & { readonly status?: object | undefined },
  name: RequestName,
): Request | undefined {
  const request = requests[name];
  return request && acknowledgementsOf(status).handled?.[name] !== request.id ? request : undefined;
}

/** Returns the App's pending command once its services may carry it out: it needs no lock, or the App has taken it. Pure. */
export function startedRequest(
  app: Pick<App, 'requests' | 'status'> | undefined,
  command: AppCommand,
): Request | undefined {
  const request = app && pendingRequest(app, command);
  if (!request || !isDisruptive(command)) return request;
  return app?.status?.begun?.[command] === request.id ? request : undefined;
}

/** Returns what a status acknowledges. Pure. */
export const acknowledgementsOf = (status: object | undefined): Acknowledgements => status ?? {};

/** Adds acknowledged requests. A request name that is acknowledged with a new id loses its old refusal. Pure. */
export function withAcknowledged(
  before: Acknowledgements,
  ids: Readonly<Record<string, string>>,
  refused: Readonly<Record<string, Refusal>> = {},
): Acknowledgements {
  const handled = { ...before.handled, ...ids };
  const kept = Object.entries(before.refused ?? {}).filter(
    ([name]) => ids[name] === undefined || ids[name] === before.handled?.[name],
  );
  const refusals = { ...Object.fromEntries(kept), ...refused };
  return {
    ...(Object.keys(handled).length > 0 ? { handled } : {}),
    ...(Object.keys(refusals).length > 0 ? { refused: refusals } : {}),
  };
}

/** Requests that let go ahead what is held back: who asks is kept, for the event that says so. */
export const OVERRIDING: readonly RequestName[] = ['approve', 'retry', 'rollback', 'force', 'adopt'];
