import { composeNetworkLabels } from '../../crds/model/compose.js';
import { keyOf, type Network } from '../../crds/model/kinds.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import { type Engine, EngineError } from '../engine/engine.js';
import { InvalidSpecError, type Outcome, TerminalError, wait } from '../runtime/outcome.js';
import type { StepResult } from '../runtime/reconciler.js';
import type { Leaks } from './leaks.js';
import type { NetworkDeps } from './observe.js';
import { networkOptions } from './options.js';
import { leakMessage, type NetworkFacts, type NetworkStep } from './plan.js';

/** Creates or removes the network on the engine. Throws `TerminalError` for a failure that no retry can fix. */
export async function executeNetworkStep(
  { store, cache, engine, logs }: NetworkDeps,
  leaks: Leaks,
  { metadata, spec }: Network,
  step: NetworkStep,
  facts: NetworkFacts,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const document = keyOf('Network', metadata.name);
  const name = spec.networkName;
  const key = spec.app && metadata.name.startsWith(`${spec.app}.`) ? metadata.name.slice(spec.app.length + 1) : name;
  const short = name.endsWith(`_${key}`) ? key : name;
  const owner = spec.app === undefined ? 'device' : { app: spec.app };
  switch (step.do) {
    case 'create': {
      logs.system(`Creating network '${short}'`, owner);
      const options = networkOptions(spec);
      const compose = composeNetworkLabels(spec.app === undefined ? undefined : store.get('App', spec.app), name);
      const labelled = { ...options, Labels: { ...compose, ...options.Labels } };
      await engine.createNetwork(name, labelled, signal).catch((error: unknown) => {
        throw refusal(error, spec, name);
      });
      store.record(document, {
        type: 'Normal',
        reason: 'Creating',
        message: `Created network ${name}: ${step.because}`,
      });
      await cache.refreshNetwork(name, signal);
      return undefined;
    }
    case 'remove': {
      const result = await engine.removeNetwork(step.id, signal).catch((error: unknown) => {
        throw new Error(`Could not remove network ${name}`, { cause: error });
      });
      if (result === 'in-use') {
        const users = await engine.networkUsers(step.id, signal);
        const others = users?.map((user) => `container ${user}`).join(', ');
        if (others) {
          return { outcome: wait('StillAttached', `Waiting for ${others} to leave the network ${name}`).outcome };
        }
        const outcome = await clearLeak(engine, leaks, { name, id: step.id }, signal);
        const goesOn = metadata.deletionTimestamp === undefined || facts.awaited;
        const { reason } = outcome;
        // The next pass does at once what is possible without the removal.
        return reason === 'EndpointsLeaked' && goesOn
          ? { outcome: { is: 'progressing', reason, message: leakMessage(name) } }
          : { outcome };
      }
      leaks.removed(name, step.id);
      logs.system(`Removing network '${short}'`, owner);
      store.record(document, {
        type: 'Normal',
        reason: 'Removing',
        message: `Removed network ${name}: ${step.because}`,
      });
      await cache.refreshNetwork(name, signal);
      return undefined;
    }
  }
}

/**
 * Removes the endpoints whose names are known from a network that the engine keeps although no container is on it, and
 * says what else can be done.
 */
async function clearLeak(
  engine: Engine,
  leaks: Leaks,
  { name, id }: { readonly name: string; readonly id: string },
  signal: AbortSignal,
): Promise<Extract<Outcome, { is: 'waiting' }>> {
  const again = waiting('StillAttached', `Waiting for the engine to let go of the network ${name}`, AGAIN_MS);
  if (!leaks.refused(id)) return again;
  const released: string[] = [];
  for (const former of leaks.names(name)) {
    if ((await engine.releaseEndpoint(id, former, signal)) === 'released') released.push(former);
  }
  return released.length > 0 ? again : waiting('EndpointsLeaked', leakMessage(name), LEAK_RETRY_MS);
}
const waiting = (reason: ReasonOf<'Network'>, message: string, forMs: number) =>
  ({ is: 'waiting', reason, message, forMs }) as const;
/** How long an engine may need to release a network, ms. */
const AGAIN_MS = 1_000;
const LEAK_RETRY_MS = 30_000;

/** Reads the cause from Docker's message: it answers 403 for an overlap and for other things, and 500 for bad addresses. */
function refusal(error: unknown, { ipam }: Network['spec'], name: string): Error {
  if (!(error instanceof EngineError)) return new Error(`Could not create network ${name}`, { cause: error });
  const { message } = error;
  if (/pool overlaps/i.test(message)) {
    const subnets = (ipam?.config ?? []).flatMap(({ subnet }) => subnet ?? []).join(', ');
    const words = `Subnet ${subnets || '(chosen by the engine)'} of network ${name} overlaps with another network: choose another one, or remove the other network`;
    return new TerminalError('PoolOverlaps', words, { cause: error });
  }
  if (/non-overlapping IPv\d address pool/i.test(message)) {
    const words = `The engine has no free addresses for network ${name}: give it a subnet under ipam.config (of its own for enable_ipv6), or remove networks that nobody uses`;
    return new TerminalError('PoolsExhausted', words, { cause: error });
  }
  const [, driver] = /plugin "([^"]+)" not found/.exec(message) ?? [];
  if (driver !== undefined) {
    const words = `Network ${name} wants the driver ${driver}, which this engine does not have: install it, or name another one`;
    return new TerminalError('DriverMissing', words, { cause: error });
  }
  if (error.statusCode === 400 || BAD_ADDRESSES.test(message)) {
    return new InvalidSpecError([{ path: 'spec', message: `the engine refuses network ${name}: ${message}` }]);
  }
  return new Error(`Could not create network ${name}`, { cause: error });
}
const BAD_ADDRESSES =
  /failed to allocate gateway|out of range|invalid CIDR|invalid subnet|must belong to the master pool|no matching subnet|failed to check bridge interface/i;
