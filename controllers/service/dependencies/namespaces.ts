import type { SeenContainer } from '../../engine/engine.js';
import { OF_CONTAINER } from '../spec/namespaces.js';

/** Namespaces that containers can share, by Docker's names. */
export type Namespace = 'network' | 'PID' | 'IPC';

/** A sibling whose namespace a service shares, as its document says. */
export interface Shared {
  readonly namespace: Namespace;
  readonly service: string;
  /** The sibling's newest container. */
  readonly container: Pick<SeenContainer, 'id' | 'state'> | undefined;
}

/** A container whose namespaces another container shares, as the engine reports it. */
export interface Provider {
  readonly container: SeenContainer;
  readonly namespaces: readonly Namespace[];
}

/** The run of a provider that a container has joined. A namespace ends with its container's run, and the next run has another one. */
export interface Joined {
  /** Id of the provider's container. */
  readonly container: string;
  /** Start of the provider's run; RFC 3339. */
  readonly startedAt: string;
  /** Start of the container itself; RFC 3339. */
  readonly since: string;
  /** How often in a row the container was restarted because its provider was; undefined: never. */
  readonly restarts?: number;
  /** End of the provider's run, when it is part of such a row; RFC 3339. */
  readonly endedAt?: string;
}

/** A provider that was started again after the container joined it. */
export interface Lost extends Provider {
  /** How long the provider has to keep running before the container is restarted, ms. */
  readonly holdMs: number;
}

/** Returns the mode with which the container's namespace was requested. Pure. */
export const modeOf = ({ networkMode, pidMode, ipcMode }: SeenContainer, namespace: Namespace): string | undefined =>
  ({ network: networkMode, PID: pidMode, IPC: ipcMode })[namespace];

/** Returns the containers in whose namespaces this one lives, each once. Pure. */
export function providersOf(container: SeenContainer, all: readonly SeenContainer[]): readonly Provider[] {
  const ids = new Map<string, Namespace[]>();
  for (const namespace of ['network', 'PID', 'IPC'] as const) {
    const mode = modeOf(container, namespace);
    if (!mode?.startsWith(OF_CONTAINER)) continue;
    const id = mode.slice(OF_CONTAINER.length);
    ids.set(id, [...(ids.get(id) ?? []), namespace]);
  }
  if (ids.size === 0) return []; // nearly every one, and all are searched for each
  return all.flatMap((one) => {
    const namespaces = ids.get(one.id);
    return namespaces ? [{ container: one, namespaces }] : [];
  });
}

/**
 * Returns the provider runs in which the container lives. What was noted at its start counts as long as it has not been
 * started again; otherwise start times decide, which is right as long as the engine's clock was not set back. Pure:
 * depends on events, never on time alone.
 */
export const joinedBy = (
  { startedAt }: SeenContainer,
  providers: readonly Provider[],
  noted: readonly Joined[] = [],
): readonly Joined[] =>
  providers.flatMap(({ container }) => {
    if (startedAt === undefined || container.startedAt === undefined) return [];
    const note = noted.find((one) => one.container === container.id && one.since === startedAt);
    if (note) return [withEnd(note, container)];
    return startedAt < container.startedAt
      ? []
      : [{ container: container.id, startedAt: container.startedAt, since: startedAt }];
  });

/**
 * Notes the end of the joined run. A run that lasted a minute is no part of a crash loop and ends the row. The engine
 * reports only a container's last end, so this is the first end that is seen. Pure.
 */
function withEnd(note: Joined, { state, startedAt, finishedAt }: SeenContainer): Joined {
  const goesOn = startedAt === note.startedAt && (state === 'running' || state === 'paused');
  if (note.restarts === undefined || note.endedAt !== undefined || goesOn || finishedAt === undefined) return note;
  const { container, since } = note;
  const hasLasted = Date.parse(finishedAt) - Date.parse(note.startedAt) >= MIN_READY_MS;
  return hasLasted ? { container, startedAt: note.startedAt, since } : { ...note, endedAt: finishedAt };
}

const MIN_READY_MS = 60_000;
const FIRST_HOLD_MS = 5_000;

/**
 * Returns the providers that have started a new run since the container joined them. The first time the container is
 * restarted at once; while the provider keeps restarting, only after it has run for 5 s, 10 s, … 60 s. Pure.
 */
export function lostProviders(
  current: SeenContainer,
  providers: readonly Provider[],
  noted: readonly Joined[] | undefined,
  nowMs: number,
): readonly Lost[] {
  const joined = joinedBy(current, providers, noted);
  return providers.flatMap((provider) => {
    const { id, state, startedAt } = provider.container;
    const run = joined.find(({ container }) => container === id);
    if (state !== 'running' || startedAt === undefined || current.startedAt === undefined) return [];
    if (run?.startedAt === startedAt) return [];
    const neededMs = run?.restarts ? Math.min(FIRST_HOLD_MS * 2 ** (run.restarts - 1), MIN_READY_MS) : 0;
    const ranMs = nowMs - Date.parse(startedAt);
    // A start in the future means that a clock was set back; the times decide nothing then.
    return [{ ...provider, holdMs: ranMs < 0 ? 0 : Math.max(0, neededMs - ranMs) }];
  });
}

/** Returns what to note about a container that was started at `since` while its providers were in this state. Pure. */
export function joinedAfterStart(
  before: SeenContainer | undefined,
  since: string,
  providers: readonly Provider[],
  noted: readonly Joined[] | undefined,
): readonly Joined[] {
  const joined = before ? joinedBy(before, providers, noted) : [];
  return providers.flatMap(({ container: { id, startedAt } }) => {
    if (startedAt === undefined) return [];
    const run = joined.find(({ container }) => container === id);
    const again = before?.startedAt === undefined || run?.startedAt === startedAt ? 0 : 1;
    const restarts = (run?.restarts ?? 0) + again;
    return [{ container: id, startedAt, since, ...(restarts > 0 ? { restarts } : {}) }];
  });
}

/** Returns a name for messages, as in `network of vpn`. Pure. */
export const nameOf = ({ container, namespaces }: Provider): string =>
  `${namespaces.join(' and ')} of ${container.serviceName ?? container.name}`;
