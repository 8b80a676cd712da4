import { CONTENTS_LABEL } from '../../crds/model/compose.js';
import { killsFirst } from '../../crds/model/update-strategy.js';
import type { SeenContainer } from '../engine/engine.js';
import type { Plan } from '../runtime/outcome.js';
import { isMadeAfter } from './commands/commands.js';
import { driftOf } from './container/drift.js';
import { hasRun } from './container/prepared.js';
import { modeOf } from './dependencies/namespaces.js';
import { hasFinished } from './health/runs.js';
import { waitForNetworksAndVolumes, waitForSiblings } from './plan-steps.js';
import type { DesiredContainer, ServiceState, ServiceStep } from './service-state.js';

/** Image and hash of the definition that a container is to be made of. */
export type DesiredImage = NonNullable<DesiredContainer['image']>;

/** Tells why a container has to be replaced by another one of its service, and in which order. */
export interface Replacement {
  readonly because: string;
  /** `request`: somebody asked for it. `update`: definition or image changed, which is what update strategies are for. */
  readonly is: 'request' | 'update' | 'repair';
  /** The wait that comes first, undefined when everything is there. */
  readonly waiting: Plan<ServiceStep> | undefined;
  /** True when the old container is removed before the new one is created. Otherwise what the engine refuses stops nothing. */
  readonly killFirst: boolean;
}

/** Returns why the container has to be replaced, or undefined when it can stay. Pure. */
export function replacementOf(
  state: ServiceState,
  desired: DesiredContainer,
  image: DesiredImage,
  current: SeenContainer,
): Replacement | undefined {
  const by = (is: Replacement['is'], because: string, more: Partial<Replacement> = {}): Replacement => {
    const killFirst = mustKillFirst(state, desired, current);
    const waiting = killFirst ? waitForNetworksAndVolumes(desired) : waitForCreation(desired);
    return { is, because, killFirst, waiting, ...more };
  };

  const command = commandFor(state, current);
  // The volumes are emptied before the new one is created.
  if (command?.name === 'app.purge') return by('request', command.because, { killFirst: true, waiting: undefined });
  if (command) {
    // The sibling whose namespace it shares is recreated as well: there is nothing yet to create the new container in.
    const isOfAll = command.name !== 'restart' && desired.shares.length > 0;
    return by('request', command.because, isOfAll ? first(desired) : {});
  }

  const attached = Object.keys(current.networks);
  const rebuilt = attached.find((network) => state.closing.get(network) === 'recreated');
  if (rebuilt !== undefined)
    return by('repair', `network ${rebuilt} is recreated`, { killFirst: true, waiting: undefined });

  const changed = difference(current, image, desired);
  // A network that is to go may hold the addresses of the new one: then that is not waited for.
  if (changed !== undefined)
    return by('update', changed, isBlocking(state, desired, current) ? { waiting: undefined } : {});
  if (isAtRest(state, desired, current)) return undefined;

  const drift = desired.running ? driftOf(current, desired.tuning) : undefined;
  if (drift?.repair === 'replace') return by('repair', drift.because);

  const { shares } = desired;
  // This container would have to go as soon as that one has gone: so both stop at the same time.
  const going = goingOf(state, desired);
  if (going) return by('repair', `container of ${going.service} is being replaced`, { waiting: undefined });
  const left = shares.find(({ namespace, container }) => modeOf(current, namespace) !== `container:${container?.id}`);
  if (left) {
    const unsatisfied = left.container === undefined ? [`${left.service} to be created`] : desired.unsatisfied;
    const because = `container of ${left.service} was replaced`;
    const waiting = waitForSiblings(unsatisfied);
    return by('repair', because, waiting ? { waiting } : mustKillFirst(state, desired, current) ? NO_WAIT : {});
  }
  const stale = desired.networks.find(
    ({ name, id }) => id !== undefined && ![undefined, '', id].includes(current.networks[name]?.id),
  );
  return stale && by('repair', `network ${stale.name} was recreated`);
}

/**
 * Tells whether nothing is to run: the container finished by its restart policy, was stopped through the API, or the
 * document says `running: false`. Pure.
 */
export function isAtRest(
  { commands }: ServiceState,
  { running, tuning }: DesiredContainer,
  current: SeenContainer,
): boolean {
  if (commands.start) return false;
  if (!running || commands.stop !== undefined) return current.state === 'created' || current.state === 'exited';
  return hasFinished(tuning.RestartPolicy, current);
}

/**
 * Tells whether the container is on a network that something waits to become empty: it is recreated, or it is removed
 * while a network of the new container lacks addresses. Pure.
 */
export const isBlocking = (
  { closing }: ServiceState,
  desired: DesiredContainer,
  { networks }: SeenContainer,
): boolean => {
  const lacksSubnet = desired.networks.some((one) => one.lacksSubnet);
  return Object.keys(networks).some(
    (network) => closing.get(network) === 'recreated' || (lacksSubnet && closing.has(network)),
  );
};

/**
 * Tells whether the container is removed before the new one is created: it never ran, nothing is to run after it, its
 * strategy says so, or the new one cannot be created beside it. Pure.
 */
const mustKillFirst = (state: ServiceState, desired: DesiredContainer, current: SeenContainer): boolean =>
  !hasRun(current) ||
  !desired.running ||
  state.commands.stop !== undefined ||
  killsFirst(desired.updatePolicy.strategy) ||
  isBlocking(state, desired, current) ||
  goingOf(state, desired) !== undefined;

const NO_WAIT = { waiting: undefined };

const first = (desired: DesiredContainer): Partial<Replacement> => ({
  killFirst: true,
  waiting: waitForNetworksAndVolumes(desired),
});

/** Returns a sibling whose namespace the service shares and whose container is being removed. Pure. */
const goingOf = ({ terminating }: ServiceState, { shares }: DesiredContainer) =>
  shares.find(({ container }) => container && terminating.get(container.id) === 'removed');

/** Returns the wait for whatever the new container is created in: that has to exist, and to stay. Pure. */
function waitForCreation(desired: DesiredContainer): Plan<ServiceStep> | undefined {
  const { shares, unsatisfied } = desired;
  const missing = shares.filter(({ container }) => !container).map(({ service }) => `${service} to be created`);
  return (
    waitForNetworksAndVolumes(desired) ??
    waitForSiblings([...new Set(missing)]) ??
    (shares.length > 0 ? waitForSiblings(unsatisfied) : undefined)
  );
}

/** Returns a request for a new container that was made after this one was created. Pure. */
function commandFor(
  { commands }: ServiceState,
  current: SeenContainer,
): ServiceState['commands']['recreate'][number] | undefined {
  const due = commands.recreate.filter((one) => !isMadeAfter(current, one));
  return due.find(({ name }) => name === 'app.purge') ?? due[0];
}

function difference(
  current: SeenContainer,
  image: DesiredImage,
  { contents }: Pick<DesiredContainer, 'contents'>,
): string | undefined {
  if (current.specHash === image.specHash) return undefined;
  if (current.specHash === undefined) return 'made by another agent';
  if (current.image !== image.id) return 'image changed';
  const before = current.labels[CONTENTS_LABEL];
  const isOfFiles = before !== undefined && contents !== undefined && before !== contents;
  return isOfFiles ? 'contents of mounted files changed' : 'spec changed';
}
