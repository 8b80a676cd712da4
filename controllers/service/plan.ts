import type { SeenContainer } from '../docker/engine.js';
import { type Plan, settled, wait } from '../runtime/outcome.js';
import { ALIVE, isMadeAfter, type Orders } from './orders.js';

export type ServiceStep =
  /** Stops the container, removes it, or both: started now, seen later. `locked`: only under the app's update lock. */
  | {
      readonly do: 'leave';
      readonly container: SeenContainer;
      readonly stop: boolean;
      readonly remove: boolean;
      readonly locked: boolean;
      readonly because: string;
    }
  | { readonly do: 'rename'; readonly container: SeenContainer; readonly to: string; readonly because: string }
  | { readonly do: 'connect'; readonly container: SeenContainer; readonly network: string; readonly because: string }
  /** With all of its networks; and started, unless the document does not want it to run. */
  | { readonly do: 'create'; readonly name: string; readonly start: boolean; readonly because: string }
  | { readonly do: 'start'; readonly container: SeenContainer; readonly because: string };

/** A network or volume that the container needs, by its name on the engine. */
export interface Needed {
  readonly name: string;
  /** Why it cannot be used now; undefined when it can. */
  readonly trouble: string | undefined;
}
export interface NeededNetwork extends Needed {
  readonly id: string | undefined;
}

/** What the document wants, resolved. */
export interface Wanted {
  readonly containerName: string;
  /** Image reference in the document. */
  readonly reference: string;
  /** Undefined while it is not local. */
  readonly image: { readonly id: string; readonly specHash: string } | undefined;
  readonly running: boolean;
  readonly restart: string;
  readonly networks: readonly NeededNetwork[];
  readonly volumes: readonly Needed[];
  /** Sibling whose network is shared, and its container. */
  readonly sharing: { readonly service: string; readonly container: string | undefined } | undefined;
  /** What the service still waits for, as in `db to be healthy`. */
  readonly unmet: readonly string[];
}

/** One service and what exists of it. */
export interface Situation {
  /** Undefined: the document is deleted. */
  readonly wanted: Wanted | undefined;
  /** Newest first. */
  readonly containers: readonly SeenContainer[];
  /** Ids of containers that are being stopped or removed. */
  readonly leaving: ReadonlySet<string>;
  /** Networks on the engine that have to become empty, and why. */
  readonly closing: ReadonlyMap<string, 'made anew' | 'removed'>;
  readonly lockHeld: boolean;
  readonly orders: Orders;
}

/** What to do next about one service. Pure: no clock, no I/O. Only what has no fallible step before it is disruptive. */
export function planService(situation: Situation): Plan<ServiceStep> {
  const { wanted, containers, leaving } = situation;
  const going = containers.find(({ id, state }) => leaving.has(id) || state === 'removing');
  if (going) return wait('Stopping', `Waiting for container ${going.name} to go`);
  const dead = containers.find(({ state }) => state === 'dead');
  if (dead) return leave(situation, dead, 'dead');

  const [current, older] = containers;
  if (!wanted) return current ? leave(situation, current, 'deleted') : settled();
  if (current && older) return leave(situation, older, `older duplicate of ${current.name}`);

  if (situation.orders.stop === 'due' && current && ALIVE.includes(current.state)) {
    return leave(situation, current, 'stop requested', { remove: false });
  }
  const { image } = wanted;
  if (!image) return wait('ImageMissing', `Waiting for image ${wanted.reference} to be local`);
  if (!current) return make(wanted, situation.orders);
  return (
    anew(situation, wanted, current) ??
    replace(situation, wanted, image, current) ??
    mend(situation, wanted, current) ??
    run(situation, wanted, current)
  );
}

function make(wanted: Wanted, orders: Orders): Plan<ServiceStep> {
  const { sharing, unmet } = wanted;
  const running = wanted.running && orders.stop === undefined;
  const waiting = waitForNeeded(wanted) ?? (running ? waitForSiblings(unmet) : undefined);
  if (waiting) return waiting;
  if (sharing && sharing.container === undefined)
    return waitForSiblings([`${sharing.service} to be created`]) ?? settled();
  return doing('Installing', { do: 'create', name: wanted.containerName, start: running, because: 'not found' });
}

/** Somebody asked for another container of the same kind. For a purge it goes first, and the volumes after it. */
function anew(situation: Situation, wanted: Wanted, current: SeenContainer): Plan<ServiceStep> | undefined {
  const due = situation.orders.anew.filter((one) => !isMadeAfter(current, one));
  const order = due.find(({ name }) => name === 'app.purge') ?? due[0];
  if (!order) return undefined;
  return (
    (order.name === 'app.purge' ? undefined : waitForNeeded(wanted)) ??
    needsLock(situation, `make container ${current.name} anew`, order.because) ??
    leave(situation, current, order.because)
  );
}

/** The container has to go: another network, another definition, another sibling behind its network. */
function replace(
  situation: Situation,
  wanted: Wanted,
  image: { readonly id: string; readonly specHash: string },
  current: SeenContainer,
): Plan<ServiceStep> | undefined {
  const attached = Object.keys(current.networks);
  const rebuilt = attached.find((network) => situation.closing.get(network) === 'made anew');
  if (rebuilt !== undefined) return leave(situation, current, `network ${rebuilt} is made anew`);

  const because = difference(current, image);
  if (because !== undefined) {
    // A network that is to go may hold the subnet of the one that shall come: then the old container goes first.
    const blocking = attached.some((network) => situation.closing.has(network));
    return (blocking ? undefined : waitForNeeded(wanted)) ?? leave(situation, current, because);
  }
  if (isAtRest(situation, wanted, current)) return undefined;

  const { sharing } = wanted;
  if (sharing && current.networkMode !== `container:${sharing.container}`) {
    const unmet = sharing.container === undefined ? [`${sharing.service} to be created`] : wanted.unmet;
    return waitForSiblings(unmet) ?? leave(situation, current, `container of ${sharing.service} was replaced`);
  }
  const stale = wanted.networks.find(
    ({ name, id }) => id !== undefined && ![undefined, '', id].includes(current.networks[name]?.id),
  );
  return stale && (waitForNeeded(wanted) ?? leave(situation, current, `network ${stale.name} was made anew`));
}

/** What can be put right without stopping anything. */
function mend(situation: Situation, wanted: Wanted, current: SeenContainer): Plan<ServiceStep> | undefined {
  if (isAtRest(situation, wanted, current)) return undefined;
  const missing = wanted.networks.find(({ name }) => current.networks[name] === undefined);
  if (!missing) return undefined;
  const because = `not connected to network ${missing.name}`;
  return (
    waitForNeeded(wanted) ?? doing('Connecting', { do: 'connect', container: current, network: missing.name, because })
  );
}

function run(situation: Situation, wanted: Wanted, current: SeenContainer): Plan<ServiceStep> {
  if (current.name !== wanted.containerName) {
    const because = `name changed from ${current.name}`;
    return (
      needsLock(situation, 'rename the container', because) ??
      doing('Renaming', { do: 'rename', container: current, to: wanted.containerName, because })
    );
  }
  if (isAtRest(situation, wanted, current)) return settled();
  switch (current.state) {
    case 'created':
      return waitForNeeded(wanted) ?? waitForSiblings(wanted.unmet) ?? start(current, 'created but never started');
    case 'exited':
      if (situation.orders.start) return start(current, 'start requested');
      return start(current, wanted.restart === 'on-failure' ? `exited with ${current.exitCode}` : 'was stopped');
    default: // running, restarting, paused
      return wanted.running ? settled() : leave(situation, current, 'running: false', { remove: false });
  }
}

/** Nothing is to run: it finished for good by its restart policy, was stopped through the API, or the document does not want it to run. Pure. */
function isAtRest({ orders }: Situation, { running, restart }: Wanted, { state, exitCode }: SeenContainer): boolean {
  if (orders.start) return false;
  if (!running || orders.stop !== undefined) return state === 'created' || state === 'exited';
  return state === 'exited' && (restart === 'no' || (restart === 'on-failure' && exitCode === 0));
}

function difference(
  current: SeenContainer,
  image: { readonly id: string; readonly specHash: string },
): string | undefined {
  if (current.specHash === image.specHash) return undefined;
  if (current.specHash === undefined) return 'made by another agent';
  return current.image === image.id ? 'spec changed' : 'image changed';
}

function waitForNeeded({ networks, volumes }: Wanted): Plan<ServiceStep> | undefined {
  const network = networks.find(({ trouble }) => trouble !== undefined);
  if (network) return wait('NetworkNotReady', `Waiting for network ${network.name}: ${network.trouble}`);
  const volume = volumes.find(({ trouble }) => trouble !== undefined);
  return volume && wait('VolumeNotReady', `Waiting for volume ${volume.name}: ${volume.trouble}`);
}

const waitForSiblings = (unmet: readonly string[]): Plan<ServiceStep> | undefined =>
  unmet.length === 0 ? undefined : wait('DependencyNotReady', `Waiting for ${unmet.join(', ')}`);

const start = (container: SeenContainer, because: string): Plan<ServiceStep> =>
  doing('Starting', { do: 'start', container, because });

function leave(
  situation: Situation,
  container: SeenContainer,
  because: string,
  { remove = true }: { remove?: boolean } = {},
): Plan<ServiceStep> {
  const stop = ALIVE.includes(container.state);
  // What is dead or has never run is not interrupted.
  const locked = container.state !== 'dead' && (container.state !== 'created' || container.startedAt !== undefined);
  const what = remove ? `remove container ${container.name}` : `stop container ${container.name}`;
  return (
    (locked ? needsLock(situation, what, because) : undefined) ?? {
      steps: [{ do: 'leave', container, stop, remove, locked, because }],
      outcome: wait('Stopping', `Waiting for container ${container.name} to go: ${because}`).outcome,
    }
  );
}

const needsLock = ({ lockHeld }: Situation, what: string, because: string): Plan<ServiceStep> | undefined =>
  lockHeld ? undefined : wait('NeedsLock', `Needs the update lock of the app to ${what}: ${because}`);

function doing(reason: string, step: ServiceStep): Plan<ServiceStep> {
  return { steps: [step], outcome: { is: 'progressing', reason, message: `${reason}: ${step.because}` } };
}
