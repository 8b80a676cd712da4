import type { SeenContainer } from '../../engine/engine.js';
import { OF_CONTAINER } from '../spec/namespaces.js';

/** What of a container another one can live in, by the name that Docker has for it. */
export type Namespace = 'network' | 'PID' | 'IPC';

/** A namespace of a sibling that a service lives in, by its document. */
export interface Shared {
  readonly namespace: Namespace;
  readonly service: string;
  /** The sibling's newest one. */
  readonly container: Pick<SeenContainer, 'id' | 'state'> | undefined;
}

/** A container in whose namespaces another one lives, as the engine tells it. */
export interface Provider {
  readonly container: SeenContainer;
  readonly namespaces: readonly Namespace[];
}

/** Which start of its provider a container has joined: a namespace ends with its container's run, and the next run makes another. */
export interface Joined {
  /** Id of the provider. */
  readonly container: string;
  /** RFC 3339: that start of the provider. */
  readonly startedAt: string;
  /** RFC 3339: the start of the container itself. */
  readonly since: string;
  /** How often in a row it has been started again because the provider was; undefined: never. */
  readonly restarts?: number;
  /** RFC 3339: that start's run has ended, as part of such a row. */
  readonly endedAt?: string;
}

/** A provider that has been started again after the container joined it. */
export interface Lost extends Provider {
  /** ms for which the provider has to run on before the container is started again. */
  readonly holdMs: number;
}

/** How the container's namespace was asked for. Pure. */
export const modeOf = ({ networkMode, pidMode, ipcMode }: SeenContainer, namespace: Namespace): string | undefined =>
  ({ network: networkMode, PID: pidMode, IPC: ipcMode })[namespace];

/** Containers in whose namespaces this one lives, each once. Pure. */
export function providersOf(container: SeenContainer, all: readonly SeenContainer[]): readonly Provider[] {
  const ids = new Map<string, Namespace[]>();
  for (const namespace of ['network', 'PID', 'IPC'] as const) {
    const mode = modeOf(container, namespace);
    if (!mode?.startsWith(OF_CONTAINER)) continue;
    const id = mode.slice(OF_CONTAINER.length);
    ids.set(id, [...(ids.get(id) ?? []), namespace]);
  }
  if (ids.size === 0) return [];
  return all.flatMap((one) => {
    const namespaces = ids.get(one.id);
    return namespaces ? [{ container: one, namespaces }] : [];
  });
}

/**
 * Which starts of its providers the container lives in. What was noted when it was started counts as long as it has not
 * been started again; otherwise the times tell, as far as the engine's clock has not been set back. Pure: what has been
 * noted changes with what happens, never with time alone.
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
 * Notes the end of the run that was joined: one that has lasted is no part of a crash loop, and ends the row. The engine
 * tells only the last end of a container, so this is the first one that is seen. Pure.
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
 * Providers whose present run is another one than that which the container joined. The first time it is started again at
 * once; when the provider goes on being restarted, only after that has run for 5 s, 10 s, … 60 s. Pure.
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
    // A start in the future: a clock was set back, and nothing can be told from it.
    return [{ ...provider, holdMs: ranMs < 0 ? 0 : Math.max(0, neededMs - ranMs) }];
  });
}

/** What is to be noted of a container that has been started, at `since`, while its providers looked like this. Pure. */
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

/** As in `network of vpn`. Pure. */
export const nameOf = ({ container, namespaces }: Provider): string =>
  `${namespaces.join(' and ')} of ${container.serviceName ?? container.name}`;
