import type { AnyResource, App, Request, RequestName } from './kinds.js';

/** Why a request was dealt with but not carried out. `Locked`: the application holds the update lock. */
export interface Refusal {
  readonly reason: 'Locked' | 'Failed';
  readonly message: string;
}

/** What a status says of requests, by name. */
export interface Handling {
  readonly handled?: Readonly<Record<string, string>>;
  readonly refused?: Readonly<Record<string, Refusal>>;
}

/** Commands of an App that its Services and Volumes carry out. Their statuses know them as `app.restart`, `app.purge`, … */
export type AppCommand = 'restart' | 'purge' | 'stop' | 'start';
export const APP_COMMANDS: readonly AppCommand[] = ['restart', 'purge', 'stop', 'start'];
/** Those that make every container anew. */
export const REMAKING = ['restart', 'purge'] as const satisfies readonly AppCommand[];

/** Whether a command ends something that runs: only under the update lock, then. Pure. */
export const isDisruptive = (command: AppCommand): boolean => command !== 'start';

/** The request of that name that nobody has dealt with yet. Pure. */
export function outstanding(
  { requests, status }: Pick<AnyResource, 'requests'> & { readonly status?: object | undefined },
  name: RequestName,
): Request | undefined {
  const request = requests[name];
  return request && handlingOf(status).handled?.[name] !== request.id ? request : undefined;
}

/** The App's command that is being carried out at this moment: asked for, and the lock was given for it if it needs one. Pure. */
export function begun(app: Pick<App, 'requests' | 'status'> | undefined, command: AppCommand): Request | undefined {
  const request = app && outstanding(app, command);
  if (!request || !isDisruptive(command)) return request;
  return app?.status?.begun?.[command] === request.id ? request : undefined;
}

/** What a status says of requests. Pure. */
export const handlingOf = (status: object | undefined): Handling => status ?? {};

/** The same with more requests dealt with; one that is dealt with anew loses its old refusal. Pure. */
export function withHandled(
  before: Handling,
  ids: Readonly<Record<string, string>>,
  refused: Readonly<Record<string, Refusal>> = {},
): Handling {
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
