import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { volumeNames } from '../../../crds/model/engine-names.js';
import {
  type AnyResource,
  API_VERSION,
  type App,
  type Declared,
  keyOf,
  type Request,
  type Service,
  type Volume,
} from '../../../crds/model/kinds.js';
import { childName, NAME, volumeName } from '../../../crds/model/names.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { referencesOf } from '../../../crds/model/references.js';
import {
  APP_COMMANDS,
  type AppCommand,
  isDisruptive,
  pendingRequest,
  startedRequest,
} from '../../../crds/model/requests.js';
import { latestOf, type Revision } from '../../../crds/model/revisions.js';
import type { SeenVolume } from '../../engine/engine.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import { APP_ID, SUPERVISED } from '../../engine/labels.js';
import { act, type Plan, wait } from '../../runtime/outcome.js';
import { identityOf } from '../release/children.js';

/** A pending restart, purge, stop or start of the whole App. */
export interface Command {
  readonly name: AppCommand;
  readonly id: string;
  /** The lock is held for it, or it needs none. */
  readonly isStarted: boolean;
  /** Services and volumes that have not acknowledged it. */
  readonly left: readonly string[];
  /** Why one of them has refused it. */
  readonly failure: string | undefined;
}

/** A pending request to remove the volumes that the App does not declare. */
interface Cleanup {
  readonly id: string;
  /** Its documents of volumes that are removed. */
  readonly victims: readonly string[];
  readonly isGoing: boolean;
}

/** Requests of an App that it has not acknowledged. */
export interface PendingCommands {
  readonly commands: readonly Command[];
  readonly cleanup: Cleanup | undefined;
  /** A request to take over containers that are not ours. */
  readonly adopt?: Request | undefined;
  /** Volumes on the engine that belong to the App, and that no document names. */
  readonly undeclared: readonly Declared<'Volume'>[];
}
export const NO_COMMANDS: PendingCommands = { commands: [], cleanup: undefined, undeclared: [] };

export type CommandStep =
  | { readonly do: 'claim'; readonly because: string }
  /** Acknowledges commands that every service and volume has acknowledged, or that cannot be carried out. */
  | { readonly do: 'finish'; readonly commands: readonly Command[]; readonly because: string }
  /** Removes volumes with their data. */
  | { readonly do: 'discard'; readonly volumes: readonly string[]; readonly because: string }
  | { readonly do: 'cleaned'; readonly id: string; readonly because: string };

/**
 * Plans what pending commands need next. The plan has no steps while services and volumes carry them out. Returns
 * undefined when nothing is pending. Pure.
 */
export function planCommands(
  { commands, cleanup, undeclared }: PendingCommands,
  locked: boolean,
): Plan<CommandStep, ReasonOf<'App'>> | undefined {
  const because = `${commands.map(({ name }) => name).join(' and ')} requested`;
  const disruptive = disruptiveOf({ commands });
  if (disruptive.some((one) => !one.isStarted) || (disruptive.length > 0 && !locked)) {
    return act('Locking', { do: 'claim', because });
  }
  const over = commands.filter(isOver);
  if (over.length > 0) return act('Commanded', { do: 'finish', commands: over, because });
  if (cleanup && !cleanup.isGoing) {
    const volumes = [...cleanup.victims, ...undeclared.map(({ metadata }) => metadata.name)];
    return volumes.length > 0
      ? act('Discarding', { do: 'discard', volumes, because: 'cleanup of volumes requested' })
      : act('Commanded', { do: 'cleaned', id: cleanup.id, because: 'cleanup of volumes requested' });
  }
  const left = [...new Set(commands.flatMap((one) => one.left))];
  if (commands.length === 0) return undefined;
  return wait('Commanding', `Waiting for ${left.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''}: ${because}`);
}

/** A purge is over with the first failure: while it is pending, no service comes back. */
const isOver = ({ name, left, failure }: Command): boolean =>
  left.length === 0 || (name === 'purge' && failure !== undefined);

/** Returns the commands that need the update lock: they are refused while the application holds it. Pure. */
export const disruptiveOf = ({ commands }: Pick<PendingCommands, 'commands'>): readonly Command[] =>
  commands.filter(({ name }) => isDisruptive(name));

/** Reads the pending commands of an App, and how far its services and volumes are with them. `revisions`: what was promoted. */
export function observeCommands(
  store: Store,
  cache: EngineCache,
  app: App,
  revisions: readonly Revision[] = [],
): PendingCommands {
  const { name } = app.metadata;
  const services = store.list('Service').filter((one) => one.spec.app === name && isActive(one));
  const volumes = store.list('Volume').filter((one) => one.spec.app === name);
  const commands = APP_COMMANDS.flatMap((command): Command[] => {
    const request = pendingRequest(app, command);
    if (!request) return [];
    const parts = command === 'purge' ? [...services, ...volumes.filter(isActive)] : services;
    return [
      {
        name: command,
        id: request.id,
        isStarted: startedRequest(app, command) !== undefined,
        ...progress(parts, command, request.id),
      },
    ];
  });
  const cleanup = pendingRequest(app, 'cleanup');
  const needsUndeclared = commands.some((one) => one.name === 'purge') || cleanup !== undefined;
  return {
    commands,
    cleanup: cleanup && {
      id: cleanup.id,
      victims: retainedVolumes(volumes, usedVolumes(app, services, latestOf(revisions)), { app, cache }).map(
        ({ metadata }) => metadata.name,
      ),
      isGoing: volumes.some((one) => !isActive(one)),
    },
    adopt: pendingRequest(app, 'adopt'),
    undeclared: needsUndeclared ? undeclaredVolumes(app, store, cache, cleanup === undefined) : [],
  };
}

function progress(
  parts: readonly (Service | Volume)[],
  command: AppCommand,
  id: string,
): Pick<Command, 'left' | 'failure'> {
  const name = `app.${command}`;
  const left = parts.filter(({ status }) => status?.handled?.[name] !== id);
  const failures = parts.flatMap(({ metadata, status }) => {
    const refusal = status?.handled?.[name] === id ? status.refused?.[name] : undefined;
    return refusal ? [`${metadata.name}: ${refusal.message}`] : [];
  });
  return {
    left: left.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    failure: failures[0],
  };
}

/** Volumes that the App retains although nothing uses them, and that no container of ours mounts. */
function retainedVolumes(
  volumes: readonly Volume[],
  used: ReadonlySet<string>,
  { app, cache }: { readonly app: App; readonly cache: EngineCache },
): readonly Volume[] {
  return volumes.filter(
    ({ metadata, spec }) =>
      metadata.owner === keyOf('App', app.metadata.name) &&
      metadata.deletionTimestamp === undefined &&
      !used.has(metadata.name) &&
      !isMounted(cache, spec.volumeName),
  );
}

/**
 * Names of the volumes that the App's document declares, that what was promoted last declares, which differs while another
 * release waits or is refused, and that its services mount, though their containers may be gone at this moment. Pure.
 */
function usedVolumes(
  { metadata, spec }: App,
  services: readonly Service[],
  latest: Revision | undefined,
): ReadonlySet<string> {
  const { appId } = identityOf({ metadata, spec });
  const declared = Object.entries(spec.volumes ?? {}).map(([key, said]) =>
    volumeNames(metadata.name, appId, key, said),
  );
  const mounted = services.flatMap((one) =>
    referencesOf(one.spec).volumes.map((key) =>
      volumeNames(metadata.name, appId, key, { name: one.spec.volumeNames?.[key] }),
    ),
  );
  const promoted = latest?.spec.documents.filter(({ kind }) => kind === 'Volume') ?? [];
  return new Set([...[...declared, ...mounted].map(({ document }) => document), ...promoted.map(({ name }) => name)]);
}

/**
 * Returns the volumes without a document that carry the App's number on the engine, or have its prefix and are mounted
 * by its containers.
 */
function undeclaredVolumes(
  app: App,
  store: Store,
  cache: EngineCache,
  mountedToo: boolean,
): readonly Declared<'Volume'>[] {
  const { appId, uuid } = identityOf(app);
  const prefix = volumeName(appId, '');
  const known = new Set(store.list('Volume').map(({ spec }) => spec.volumeName));
  return cache
    .volumes()
    .filter(({ name }) => !known.has(name))
    .filter((one) => isOfApp(one, appId) || (one.name.startsWith(prefix) && isMountedBy(cache, one.name, appId)))
    .filter(({ name }) => mountedToo || !isMounted(cache, name))
    .flatMap(({ name: engineName }) => {
      const short = engineName.startsWith(prefix) ? engineName.slice(prefix.length) : engineName;
      const name = childName(app.metadata.name, short);
      if (!NAME.test(short) || store.get('Volume', name)) return [];
      const reclaim = app.spec.volumeReclaim ?? 'Retain';
      const spec = { app: app.metadata.name, appId, appUuid: uuid, volumeName: engineName, reclaim };
      return [{ apiVersion: API_VERSION, kind: 'Volume' as const, metadata: { name }, spec }];
    });
}

const isOfApp = ({ labels }: SeenVolume, appId: number): boolean =>
  (labels[SUPERVISED] !== undefined || labels['io.resin.supervised'] !== undefined) && labels[APP_ID] === String(appId);

const isMounted = (cache: EngineCache, volume: string): boolean =>
  cache.containers().some(({ volumes }) => volumes.includes(volume));

const isMountedBy = (cache: EngineCache, volume: string, appId: number): boolean =>
  cache.containers().some((one) => one.appId === appId && one.volumes.includes(volume));

/** Tells whether a service has a request that it has not acknowledged: the lock is kept meanwhile. Pure. */
export const hasPendingRequest = (one: AnyResource): boolean =>
  one.kind === 'Service' &&
  (['stop', 'start', 'restart'] as const).some((name) => pendingRequest(one, name) !== undefined);
