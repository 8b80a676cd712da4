import { DEFAULT_STRATEGY, overlaps } from '../../../crds/model/update-strategy.js';
import type { SeenContainer } from '../../engine/engine.js';
import { type Plan, TerminalError } from '../../runtime/outcome.js';
import { ALIVE } from '../commands/commands.js';
import { isPrepared } from '../container/prepared.js';
import { doing, needsLock, terminate } from '../plan-steps.js';
import { type DesiredImage, isBlocking, type Replacement, replacementOf } from '../replacement.js';
import type { DesiredContainer, ServiceState, ServiceStep, UpdateTermination } from '../service-state.js';
import { planSuccessor, successorName, surgeStrategy } from './surge.js';

/**
 * Plans to replace a container. The new one is created under the lock, right before the old one is stopped: what the
 * engine refuses stops nothing, and no container is left half-made while somebody else holds the lock. After a refusal
 * that may pass the engine is asked without the lock until it accepts; that container goes again. Throws the error of an
 * attempt that the engine has refused for good. Pure.
 */
export function planReplacement(
  state: ServiceState,
  desired: DesiredContainer,
  image: DesiredImage,
  current: SeenContainer,
  why: Replacement,
): Plan<ServiceStep> {
  const { because, killFirst } = why;
  const overlapping = why.is === 'update' && ALIVE.includes(current.state) && !isBlocking(state, desired, current);
  const surge = overlapping ? surgeStrategy(state, desired) : undefined;
  if (surge) return planSuccessor(desired, image, current, { surge, because });

  if (why.waiting) return why.waiting;
  if (!killFirst && state.refusal instanceof TerminalError) throw state.refusal;
  const name = successorName(desired, image, current);
  const creation = { do: 'create', name, start: false, ahead: true, because } as const;
  if (!killFirst && state.refusal && !state.lockHeld) return doing('Installing', creation);
  const unlocked = why.is === 'request' ? needsLock(state, `recreate container ${current.name}`, because) : undefined;
  if (unlocked) return unlocked;
  const removal = terminate(state, current, because, removalOf(desired, image, why));
  if (killFirst || removal.steps.length === 0) return removal;
  return { ...removal, steps: [creation, ...removal.steps] };
}

/**
 * Plans for a container that was created to replace an older one that is still there: an agent was interrupted, or the
 * document has changed since. The older one is removed if it has to be replaced and the newer one fits; otherwise the
 * newer one is removed. Returns undefined for other pairs. Pure.
 */
export function planPrepared(
  state: ServiceState,
  desired: DesiredContainer,
  newer: SeenContainer,
  older: SeenContainer,
): Plan<ServiceStep> | undefined {
  if (!isPrepared(newer, older)) return undefined;
  const { image, reference } = desired;
  const withdraw = (because: string): Plan<ServiceStep> => terminate(state, newer, because, { withdrawn: true });
  if (!image) return withdraw(`image ${reference} is not local`);
  const why = replacementOf(state, desired, image, older);
  if (!why) return withdraw(`the document wants ${older.name} again`);
  // An agent may have died between its creation and its connection to a further network, which the engine may refuse.
  const isWhole = desired.networks.every(({ name }) => newer.networks[name] !== undefined);
  const isFit = isWhole && newer.specHash === image.specHash && !replacementOf(state, desired, image, newer);
  // The strategy runs both for a while.
  if (isFit && why.is === 'update' && ALIVE.includes(older.state) && surgeStrategy(state, desired)) return undefined;
  const isKept = isFit && !why.killFirst && !replacementOf(state, settledNetworks(desired), image, older)?.waiting;
  // After the wait the same container would be created again.
  if (isKept && why.waiting) return why.waiting;
  if (why.killFirst || why.waiting) return withdraw(`${older.name} goes before another one is created`);
  if (!isFit) return withdraw('the document wants another one by now');
  const removal = terminate(state, older, why.because, removalOf(desired, image, why));
  // The old one may run on for long: the new one would be there all the time, and nobody would see it.
  const isUnseen = removal.steps.length === 0 && ALIVE.includes(older.state);
  return isUnseen ? withdraw('the update lock of the app is not held') : removal;
}

/** Returns it as it is once the controller of its networks has looked at them. */
const settledNetworks = (desired: DesiredContainer): DesiredContainer => ({
  ...desired,
  networks: desired.networks.map((one) => (one.isUnsettled ? { ...one, notReady: undefined } : one)),
});

const removalOf = (
  desired: DesiredContainer,
  image: DesiredImage,
  { is, killFirst }: Replacement,
): { update?: UpdateTermination; installed?: string } => ({
  ...(is === 'update' ? { update: { is: 'first', strategy: strategyOf(desired) } } : {}),
  ...(killFirst ? {} : { installed: image.id }),
});

const strategyOf = ({ updatePolicy: { strategy } }: DesiredContainer) =>
  overlaps(strategy) ? DEFAULT_STRATEGY : strategy;
