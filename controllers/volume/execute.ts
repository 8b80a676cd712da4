import { composeVolumeLabels } from '../../crds/model/compose.js';
import { keyOf, type Volume } from '../../crds/model/kinds.js';
import { type Engine, EngineError } from '../engine/engine.js';
import { InvalidSpecError, TerminalError, wait } from '../runtime/outcome.js';
import type { VolumeDeps } from './observe.js';
import { volumeOptions } from './options.js';
import type { VolumeFacts, VolumeStep } from './plan.js';
import type { VolumeResult } from './status.js';

/** How long an engine may hold a volume after its containers have gone, ms. */
const SOON_MS = 1_000;

/** Creates or removes the volume on the engine. Throws `TerminalError` for a failure that no retry can fix. */
export async function executeVolumeStep(
  { store, cache, engine, logs }: VolumeDeps,
  { metadata, spec }: Volume,
  step: VolumeStep,
  facts: VolumeFacts,
  signal: AbortSignal,
): Promise<Partial<VolumeResult> | undefined> {
  const document = keyOf('Volume', metadata.name);
  const name = spec.volumeName;
  const key = metadata.name.startsWith(`${spec.app}.`) ? metadata.name.slice(spec.app.length + 1) : name;
  const short = name.endsWith(`_${key}`) ? key : name;
  switch (step.do) {
    case 'create': {
      logs.system(`Creating volume '${short}'`, { app: spec.app });
      const options = volumeOptions(spec, facts.purge === undefined ? [] : [facts.purge]);
      const compose = composeVolumeLabels(store.get('App', spec.app), name);
      await engine
        .createVolume(name, { ...options, Labels: { ...compose, ...options.Labels } }, signal)
        .catch((error: unknown) => {
          throw refusal(error, name);
        });
      store.record(document, {
        type: 'Normal',
        reason: 'Creating',
        message: `Created volume ${name}: ${step.because}`,
      });
      await cache.refreshVolume(name, signal);
      return undefined;
    }
    case 'refuse':
      return refusedPurge(step.because);
    case 'remove': {
      const result = await engine.removeVolume(name, signal).catch((error: unknown) => {
        throw new Error(`Could not remove volume ${name}`, { cause: error });
      });
      if (result === 'in-use') return inUse(engine, name, facts, signal);
      logs.system(`Removing volume '${short}'`, { app: spec.app });
      store.record(document, {
        type: 'Normal',
        reason: 'Removing',
        message: `Removed volume ${name}: ${step.because}`,
      });
      await cache.refreshVolume(name, signal);
      return undefined;
    }
  }
}

/**
 * Waits for containers that hold the volume. One of ours that the cache has not shown yet will go; another one may stay
 * forever, and is an error.
 */
async function inUse(
  engine: Engine,
  name: string,
  { purge }: VolumeFacts,
  signal: AbortSignal,
): Promise<Partial<VolumeResult>> {
  const users = await engine.volumeUsers(name, signal);
  const foreign = users.filter(({ isOurs }) => !isOurs).map((user) => user.name);
  if (foreign.length === 0) {
    const names = users.map((user) => user.name).join(', ') || 'the engine';
    return {
      outcome: wait('StillMounted', `Waiting for ${names} to let go of the volume ${name}`, SOON_MS).outcome,
    };
  }
  if (purge === undefined) {
    const message = `Waiting for ${foreign.join(', ')}, which is not ours, to let go of the volume ${name}`;
    return { outcome: wait('StillMounted', message).outcome };
  }
  // Its services wait meanwhile: it is better to reject the request than to keep them down.
  return refusedPurge(`The volume ${name} is used by ${foreign.join(', ')}, which is not ours`);
}

const refusedPurge = (message: string): Partial<VolumeResult> => ({
  outcome: { is: 'progressing', reason: 'PurgeRefused', message },
  refused: { reason: 'Failed', message },
});

/**
 * Converts Docker's error: it answers 404 for a missing driver, 400 for bad options, and 409 when a volume of another
 * driver has the name.
 */
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
