import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import {
  type AnyResource,
  API_VERSION,
  type App,
  type Declared,
  keyOf,
  type Service,
  type Volume,
} from '../../../crds/model/kinds.js';
import { childName, NAME, volumeName } from '../../../crds/model/names.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { APP_COMMANDS, type AppCommand, begun, isDisruptive, outstanding } from '../../../crds/model/requests.js';
import type { SeenVolume } from '../../engine/engine.js';
import { APP_ID, SUPERVISED } from '../../engine/labels.js';
import type { World } from '../../engine/world.js';
import { act, type Plan, wait } from '../../runtime/outcome.js';
import { identityOf } from '../release/children.js';

/** A restart, purge, stop or start of the whole App that has not been dealt with. */
export interface Command {
  readonly name: AppCommand;
  readonly id: string;
  /** The lock was given for it, or it needs none. */
  readonly begun: boolean;
  /** Services and volumes that have still to do their part. */
  readonly left: readonly string[];
  /** Why one of them could not. */
  readonly failure: string | undefined;
}

/** A request to remove the volumes that the App does not declare. */
interface Cleanup {
  readonly id: string;
  /** Its documents of volumes that are to go. */
  readonly victims: readonly string[];
  readonly isGoing: boolean;
}

/** What is asked of the App beyond its document. */
export interface Commands {
  readonly commands: readonly Command[];
  readonly cleanup: Cleanup | undefined;
  /** Volumes on the engine that belong to the App, and that no document speaks of. */
  readonly strays: readonly Declared<'Volume'>[];
}
export const NO_COMMANDS: Commands = { commands: [], cleanup: undefined, strays: [] };

export type CommandStep =
  | { readonly do: 'claim'; readonly because: string }
  /** Each part has been done, or cannot be. */
  | { readonly do: 'finish'; readonly commands: readonly Command[]; readonly because: string }
  /** Removes volumes with their data. */
  | { readonly do: 'discard'; readonly volumes: readonly string[]; readonly because: string }
  | { readonly do: 'cleaned'; readonly id: string; readonly because: string };

/** What a command needs next; a plan without steps while others do their part. Undefined when nothing is asked. Pure. */
export function planCommands(
  { commands, cleanup, strays }: Commands,
  locked: boolean,
): Plan<CommandStep, ReasonOf<'App'>> | undefined {
  const because = `${commands.map(({ name }) => name).join(' and ')} requested`;
  const disruptive = disruptiveOf({ commands });
  if (disruptive.some((one) => !one.begun) || (disruptive.length > 0 && !locked)) {
    return act('Locking', { do: 'claim', because });
  }
  const over = commands.filter(isOver);
  if (over.length > 0) return act('Commanded', { do: 'finish', commands: over, because });
  if (cleanup && !cleanup.isGoing) {
    const volumes = [...cleanup.victims, ...strays.map(({ metadata }) => metadata.name)];
    return volumes.length > 0
      ? act('Discarding', { do: 'discard', volumes, because: 'cleanup of volumes requested' })
      : act('Commanded', { do: 'cleaned', id: cleanup.id, because: 'cleanup of volumes requested' });
  }
  const left = [...new Set(commands.flatMap((one) => one.left))];
  if (commands.length === 0) return undefined;
  return wait('Commanding', `Waiting for ${left.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''}: ${because}`);
}

/** A purge ends with the first failure: while it goes on, no service comes back. */
const isOver = ({ name, left, failure }: Command): boolean =>
  left.length === 0 || (name === 'purge' && failure !== undefined);

/** Those that are given up when the application holds the lock. Pure. */
export const disruptiveOf = ({ commands }: Pick<Commands, 'commands'>): readonly Command[] =>
  commands.filter(({ name }) => isDisruptive(name));

/** What is asked of an App, and how far its parts are. */
export function observeCommands(store: Store, world: World, app: App): Commands {
  const { name } = app.metadata;
  const services = store.list('Service').filter((one) => one.spec.app === name && isActive(one));
  const volumes = store.list('Volume').filter((one) => one.spec.app === name);
  const commands = APP_COMMANDS.flatMap((command): Command[] => {
    const request = outstanding(app, command);
    if (!request) return [];
    const parts = command === 'purge' ? [...services, ...volumes.filter(isActive)] : services;
    return [
      {
        name: command,
        id: request.id,
        begun: begun(app, command) !== undefined,
        ...progress(parts, command, request.id),
      },
    ];
  });
  const cleanup = outstanding(app, 'cleanup');
  const isAsked = commands.some((one) => one.name === 'purge') || cleanup !== undefined;
  return {
    commands,
    cleanup: cleanup && {
      id: cleanup.id,
      victims: spareVolumes(app, volumes, world).map(({ metadata }) => metadata.name),
      isGoing: volumes.some((one) => !isActive(one)),
    },
    strays: isAsked ? strayVolumes(app, store, world, cleanup === undefined) : [],
  };
}

function progress(
  parts: readonly (Service | Volume)[],
  command: AppCommand,
  id: string,
): Pick<Command, 'left' | 'failure'> {
  const name = `app.${command}`;
  const left = parts.filter(({ status }) => status?.handled?.[name] !== id);
  const failed = parts.find(({ status }) => status?.handled?.[name] === id && status.refused?.[name] !== undefined);
  return {
    left: left.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    failure: failed && `${failed.metadata.name}: ${failed.status?.refused?.[name]?.message ?? 'refused'}`,
  };
}

/** Volumes that the App keeps although its document does not name them, and that no container of ours mounts. */
function spareVolumes(app: App, volumes: readonly Volume[], world: World): readonly Volume[] {
  const declared = new Set(Object.keys(app.spec.volumes ?? {}).map((name) => childName(app.metadata.name, name)));
  return volumes.filter(
    ({ metadata, spec }) =>
      metadata.owner === keyOf('App', app.metadata.name) &&
      metadata.deletionTimestamp === undefined &&
      !declared.has(metadata.name) &&
      !isMounted(world, spec.volumeName),
  );
}

/** What carries the App's number on the engine, or has its prefix and is mounted by its containers. */
function strayVolumes(app: App, store: Store, world: World, mountedToo: boolean): readonly Declared<'Volume'>[] {
  const { appId, uuid } = identityOf(app);
  const prefix = volumeName(appId, '');
  const known = new Set(store.list('Volume').map(({ spec }) => spec.volumeName));
  return world
    .volumes()
    .filter(({ name }) => !known.has(name))
    .filter((one) => isOfApp(one, appId) || (one.name.startsWith(prefix) && isMountedBy(world, one.name, appId)))
    .filter(({ name }) => mountedToo || !isMounted(world, name))
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

const isMounted = (world: World, volume: string): boolean =>
  world.containers().some(({ volumes }) => volumes.includes(volume));

const isMountedBy = (world: World, volume: string, appId: number): boolean =>
  world.containers().some((one) => one.appId === appId && one.volumes.includes(volume));

/** A service that was asked for something and has not done it: the lock is not given back meanwhile. Pure. */
export const isAsked = (one: AnyResource): boolean =>
  one.kind === 'Service' &&
  (['stop', 'start', 'restart'] as const).some((name) => outstanding(one, name) !== undefined);
