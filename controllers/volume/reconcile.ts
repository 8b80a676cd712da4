import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { withFacts } from '../../crds/model/conditions.js';
import { keyOf, type Volume } from '../../crds/model/kinds.js';
import { isLiving } from '../../crds/model/living.js';
import { begun, handlingOf, type Refusal, withHandled } from '../../crds/model/requests.js';
import { isSuspended, SUSPENDED, suspendedMessage } from '../../crds/model/suspend.js';
import type { VolumeStatus } from '../../crds/model/types.js';
import { accessByHand } from '../../crds/schema/check-host-access.js';
import { type Engine, EngineError } from '../engine/engine.js';
import type { World } from '../engine/world.js';
import { InvalidSpecError, type Outcome, type Reconcile, TerminalError, wait } from '../runtime/outcome.js';
import { isMadeAfter, volumeOptions } from './options.js';
import { planVolume, type VolumeFacts, type VolumeStep } from './plan.js';

export interface VolumeDeps {
  readonly store: Store;
  readonly world: World;
  readonly engine: Engine;
  readonly logs: LogStream;
}

/** When the engine holds a volume for a moment longer than its containers show. */
const SOON_MS = 1_000;
/** How its status knows a purge of the app. */
const PURGE = 'app.purge';

/** One pass over one volume: create it when it is missing; remove it only when it was deleted and its data may go, or for a purge. */
export const reconcileVolume =
  (deps: VolumeDeps): Reconcile =>
  async ({ name }, signal) => {
    const { store, world } = deps;
    const volume = store.get('Volume', name);
    if (!volume) return { is: 'settled' };
    if (!world.fresh) return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;

    const facts = observe(deps, volume);
    report(deps, volume, facts);
    if (isSuspended(store.get('App', volume.spec.app))) {
      return wait(SUSPENDED, suspendedMessage(volume.spec.app)).outcome;
    }
    refuseHostAccess(deps, volume, facts);
    const plan = planVolume(volume, facts);
    let outcome: Outcome = plan.outcome;
    for (const step of plan.steps) outcome = (await perform(deps, volume, step, signal)) ?? outcome;
    if (plan.steps.length > 0) report(deps, volume, observe(deps, volume));

    if (volume.metadata.deletionTimestamp !== undefined && outcome.is === 'settled') await store.release(volume);
    return outcome;
  };

/** What an App declares had leave when the App made the document of it; whoever writes a volume by hand needs it now. What is there stays. */
function refuseHostAccess(deps: VolumeDeps, volume: Volume, facts: VolumeFacts): void {
  if (volume.metadata.origin === `App/${volume.spec.app}` || !isLiving(volume)) return;
  const issues = accessByHand(volume, deps.store.get('App', volume.spec.app));
  const [first] = issues;
  if (!first) return;
  if (facts.purge !== undefined) report(deps, volume, facts, { reason: 'Failed', message: first.message });
  throw new InvalidSpecError(issues);
}

function observe({ store, world }: VolumeDeps, { metadata, spec, status }: Volume): VolumeFacts {
  const purge = begun(store.get('App', spec.app), 'purge')?.id;
  return {
    purge: purge === undefined || status?.handled?.[PURGE] === purge ? undefined : purge,
    seen: world.volume(spec.volumeName),
    mountedBy: world
      .containers()
      .filter(({ volumes }) => volumes.includes(spec.volumeName))
      .map((container) => container.name),
    wantedElsewhere: store
      .list('Volume')
      .some(
        (other) =>
          other.metadata.name !== metadata.name &&
          other.metadata.deletionTimestamp === undefined &&
          other.spec.volumeName === spec.volumeName,
      ),
  };
}

function report({ store }: VolumeDeps, { metadata }: Volume, { seen, purge }: VolumeFacts, refusal?: Refusal): void {
  const current = store.get('Volume', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  const isPurged = purge !== undefined && (refusal !== undefined || (seen !== undefined && isMadeAfter(seen, purge)));
  const handling = withHandled(
    handlingOf(current.status),
    isPurged ? { [PURGE]: purge } : {},
    refusal ? { [PURGE]: refusal } : {},
  );
  const facts = { present: seen !== undefined, ...(seen ? { mountpoint: seen.mountpoint } : {}), ...handling };
  store.setStatus(current, withFacts<VolumeStatus>(current, facts));
}

/** Does one step; says what else to conclude when it did not come out as planned. */
async function perform(
  deps: VolumeDeps,
  volume: Volume,
  step: VolumeStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { store, world, engine, logs } = deps;
  const { metadata, spec } = volume;
  const facts = observe(deps, volume);
  const key = keyOf('Volume', metadata.name);
  const name = spec.volumeName;
  const short = metadata.name.startsWith(`${spec.app}.`) ? metadata.name.slice(spec.app.length + 1) : name;
  switch (step.do) {
    case 'create': {
      logs.system(`Creating volume '${short}'`, { app: spec.app });
      await engine
        .createVolume(name, volumeOptions(spec, facts.purge === undefined ? [] : [facts.purge]), signal)
        .catch((error: unknown) => {
          throw refusal(error, name);
        });
      store.record(key, { type: 'Normal', reason: 'Creating', message: `Created volume ${name}: ${step.because}` });
      await world.refreshVolume(name, signal);
      return undefined;
    }
    case 'remove': {
      const result = await engine.removeVolume(name, signal).catch((error: unknown) => {
        throw new Error(`Could not remove volume ${name}`, { cause: error });
      });
      if (result === 'in-use') return inUse(deps, volume, facts, signal);
      logs.system(`Removing volume '${short}'`, { app: spec.app });
      store.record(key, { type: 'Normal', reason: 'Removing', message: `Removed volume ${name}: ${step.because}` });
      await world.refreshVolume(name, signal);
      return undefined;
    }
  }
}

/** One of ours that the world has not shown yet will go; somebody else's may stay for ever. */
async function inUse(deps: VolumeDeps, volume: Volume, facts: VolumeFacts, signal: AbortSignal): Promise<Outcome> {
  const { volumeName: name } = volume.spec;
  const users = await deps.engine.volumeUsers(name, signal);
  const foreign = users.filter(({ isOurs }) => !isOurs).map((user) => user.name);
  if (foreign.length === 0) {
    const names = users.map((user) => user.name).join(', ') || 'the engine';
    return wait('StillMounted', `Waiting for ${names} to let go of the volume ${name}`, SOON_MS).outcome;
  }
  if (facts.purge === undefined) {
    const message = `Waiting for ${foreign.join(', ')}, which is not ours, to let go of the volume ${name}`;
    return wait('StillMounted', message).outcome;
  }
  // Its services wait meanwhile: better to tell than to keep them down for somebody else's container.
  const message = `The volume ${name} is used by ${foreign.join(', ')}, which is not ours`;
  report(deps, volume, facts, { reason: 'Failed', message });
  return { is: 'progressing', reason: 'PurgeRefused', message };
}

/** Where the driver is missing Docker answers 404, for bad options 400, and 409 for a name that a volume of another driver has. */
function refusal(error: unknown, name: string): Error {
  if (!(error instanceof EngineError)) return new Error(`Could not create volume ${name}`, { cause: error });
  const [, driver] = /plugin "([^"]+)" not found/.exec(error.message) ?? [];
  if (driver !== undefined) {
    const words = `Volume ${name} wants the driver ${driver}, which this engine does not have: install it, or name another one`;
    return new TerminalError('DriverMissing', words, { cause: error });
  }
  if (error.statusCode === 400) {
    return new InvalidSpecError([{ path: 'spec', message: `the engine refuses volume ${name}: ${error.message}` }]);
  }
  return new Error(`Could not create volume ${name}`, { cause: error });
}
