import type { SeenContainer } from '../../engine/engine.js';
import { type Plan, wait } from '../../runtime/outcome.js';
import { ALIVE } from '../commands/commands.js';
import { hasFinished } from '../health/runs.js';
import { doing, start, terminate, waitForNetworksAndVolumes, waitForSiblings } from '../plan-steps.js';
import { repairInPlace } from '../repair-in-place.js';
import type { DesiredContainer, ServiceState, ServiceStep, SurgeStrategy } from '../service-state.js';
import type { UpdateStep } from './record.js';

/** A container without a healthcheck has taken over when it has run for this long, ms. */
const MIN_READY_MS = 10_000;
/** How often the file is looked for with which an application signals that it has taken over, ms: nothing announces it. */
const LOOK_MS = 200;

/** Returns the strategy of an update during which both containers run; undefined for other strategies, and when nothing is to run. Pure. */
export function surgeStrategy(
  { commands }: ServiceState,
  { updatePolicy, running }: DesiredContainer,
): SurgeStrategy | undefined {
  if (!running || commands.stop !== undefined) return undefined;
  return updatePolicy.strategy === 'hand-over' || updatePolicy.strategy === 'rolling'
    ? updatePolicy.strategy
    : undefined;
}

/**
 * Names a container that is created while the old one exists. Where the old one has the name, the new one gets a name
 * with its hash at first. Pure.
 */
export const successorName = (
  { containerName }: DesiredContainer,
  { specHash }: { readonly specHash: string },
  current: SeenContainer,
): string => (current.name === containerName ? `${specHash.slice(0, 8)}_${containerName}` : containerName);

/** Plans to create the new container while the old one runs. Pure. */
export function planSuccessor(
  desired: DesiredContainer,
  image: { readonly specHash: string },
  current: SeenContainer,
  { surge, because }: { readonly surge: SurgeStrategy; readonly because: string },
): Plan<ServiceStep> {
  const name = successorName(desired, image, current);
  return (
    waitForNetworksAndVolumes(desired) ??
    waitForSiblings(desired.unsatisfied) ??
    doing('Installing', { do: 'create', name, start: true, because, surge })
  );
}

/**
 * Plans for two containers of one service, the newer first. The document decides which of them stays, so that changing
 * it back takes back an update under way. Pure.
 */
export function planPair(
  state: ServiceState,
  desired: DesiredContainer,
  newer: SeenContainer,
  older: SeenContainer,
): Plan<ServiceStep> {
  const hash = desired.image?.specHash;
  const isOlderWanted = hash !== undefined && older.specHash === hash;
  if (isOlderWanted && newer.specHash !== hash) {
    return terminate(state, newer, `the document wants ${older.name} again`);
  }
  if (isOlderWanted && isCopy(desired, newer, older)) {
    return terminate(state, newer, `younger duplicate of ${older.name}`);
  }
  const surge = surgeStrategy(state, desired);
  const replaced = state.commands.recreate.length > 0;
  if (!surge || replaced || !ALIVE.includes(older.state) || isOlderWanted) {
    return terminate(state, older, `older duplicate of ${newer.name}`);
  }
  if (hash === undefined) return wait('ImageMissing', `Waiting for image ${desired.reference} to be local`);
  if (newer.specHash !== hash) return terminate(state, newer, 'the spec changed before it had taken over');
  const [stranded, network] = [newer, older].flatMap((one) => closingAt(state, one))[0] ?? [];
  if (stranded) return terminate(state, stranded, `network ${network} is recreated`);
  return takeOver(state, desired, newer, older, surge);
}

/** Tells whether the newer container is a copy that somebody made with our labels: the running one under our name stays. */
const isCopy = ({ containerName }: DesiredContainer, newer: SeenContainer, older: SeenContainer): boolean =>
  older.name === containerName && newer.name !== containerName && ALIVE.includes(older.state);

function closingAt({ closing }: ServiceState, container: SeenContainer): readonly (readonly [SeenContainer, string])[] {
  const network = Object.keys(container.networks).find((name) => closing.get(name) === 'recreated');
  return network === undefined ? [] : [[container, network]];
}

function takeOver(
  state: ServiceState,
  desired: DesiredContainer,
  newer: SeenContainer,
  older: SeenContainer,
  surge: SurgeStrategy,
): Plan<ServiceStep> {
  switch (newer.state) {
    case 'created':
      return (
        waitForNetworksAndVolumes(desired) ??
        waitForSiblings(desired.unsatisfied) ??
        start(newer, 'it was made and not started yet')
      );
    case 'exited':
      if (hasFinished(desired.tuning.RestartPolicy, newer)) {
        const message = `${older.name} goes on because ${newer.name} exited with ${newer.exitCode}, and its restart policy does not start it again`;
        return wait('SuccessorFailed', message);
      }
      return start(newer, `it had exited with ${newer.exitCode} before it had taken over`);
    case 'paused':
      return doing('Unpausing', { do: 'unpause', container: newer, because: 'was paused before it had taken over' });
    case 'running':
      break;
    default:
      return wait('SuccessorNotRunning', `${older.name} goes on until ${newer.name} runs (it is ${newer.state})`);
  }
  const missing = surge === 'hand-over' ? repairInPlace(desired, newer) : undefined;
  if (missing) return missing;
  const verdict = surge === 'hand-over' ? handedOver(state, desired, newer) : proven(state, newer, older);
  if (typeof verdict !== 'string') return verdict;
  return (
    repairInPlace(desired, newer, verdict) ??
    terminate(state, older, `${newer.name} has taken over (${WORDS[verdict]})`, {
      update: { is: 'succeeded', strategy: surge, seen: verdict },
    })
  );
}

type Verdict = Extract<UpdateStep, 'Signalled' | 'TimedOut' | 'Healthy' | 'Steady'>;
const WORDS: Readonly<Record<Verdict, string>> = {
  Signalled: 'it said so',
  TimedOut: 'it has not said so in time',
  Healthy: 'it is healthy',
  Steady: 'it runs',
};

/** Waits as the documentation promises: for the signal file, and no longer than the timeout. */
function handedOver(
  { overlap: { signalled, waitedMs = 0 } }: ServiceState,
  { updatePolicy: { timeoutMs } }: DesiredContainer,
  { name }: SeenContainer,
): Verdict | Plan<ServiceStep> {
  if (signalled) return 'Signalled';
  const left = timeoutMs - waitedMs;
  if (left <= 0) return 'TimedOut';
  const message = `Waiting for ${name} to create /tmp/balena/handover-complete, for ${timeoutMs / 1000} s at most`;
  return wait('AwaitingHandover', message, Math.min(left, LOOK_MS));
}

function proven({ overlap }: ServiceState, { name, health }: SeenContainer, older: SeenContainer) {
  if (health === 'healthy') return 'Healthy';
  if (health === 'unhealthy') {
    return wait<ServiceStep>('SuccessorUnhealthy', `${older.name} goes on because ${name} is unhealthy`);
  }
  if (health === 'starting') return wait<ServiceStep>('AwaitingHealth', `Waiting for ${name} to be healthy`);
  const left = MIN_READY_MS - (overlap.ranMs ?? 0);
  if (left <= 0) return 'Steady';
  const message = `Waiting for ${name} to have run for ${MIN_READY_MS / 1000} s (it has no healthcheck)`;
  return wait<ServiceStep>('AwaitingHealth', message, left);
}
