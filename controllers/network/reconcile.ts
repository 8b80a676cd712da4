import type { LogStream } from '../../api/device-state/logs.js';
import type { Store } from '../../api/store/store.js';
import { type Condition, conditionOf, withFacts } from '../../crds/model/conditions.js';
import { keyOf, type Network } from '../../crds/model/kinds.js';
import { API_NETWORK } from '../../crds/model/names.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import { isSuspended, SUSPENDED, suspendedMessage } from '../../crds/model/suspend.js';
import type { NetworkStatus } from '../../crds/model/types.js';
import { type Engine, EngineError } from '../engine/engine.js';
import type { World } from '../engine/world.js';
import { attempt, InvalidSpecError, type Outcome, type Reconcile, TerminalError, wait } from '../runtime/outcome.js';
import type { Leaks } from './leaks.js';
import { networkOptions } from './options.js';
import { leakMessage, type NetworkFacts, type NetworkStep, planNetwork } from './plan.js';

/** Whether containers reach our API over the shared network. */
export interface ApiReach {
  /** Undefined while that network has no address at which they would call. */
  state(): { readonly isReachable: boolean; readonly message: string } | undefined;
  /** Calls back when the state has changed. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

export interface NetworkDeps {
  readonly store: Store;
  readonly world: World;
  readonly engine: Engine;
  readonly logs: LogStream;
  /** Nothing is said of it when absent. */
  readonly apiReach?: ApiReach;
  /** ms since the epoch */
  readonly now: () => number;
}

/** One pass over one network: create what is missing, step aside and make anew what changed, remove what was deleted. */
export const reconcileNetwork =
  (deps: NetworkDeps, leaks: Leaks): Reconcile =>
  async ({ name }, signal) => {
    const { store, world } = deps;
    const network = store.get('Network', name);
    if (!network) return { is: 'settled' };
    if (!world.fresh) {
      leaks.forget();
      return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;
    }

    const facts = observe(deps, leaks, network);
    const { app } = network.spec;
    if (app !== undefined && isSuspended(store.get('App', app))) {
      report(deps, network, facts, false);
      return wait(SUSPENDED, suspendedMessage(app)).outcome;
    }
    const planned = attempt(() => planNetwork(network, facts));
    if (planned instanceof TerminalError) {
      // Nothing of it is under way: services need not keep off.
      report(deps, network, facts, false);
      throw planned;
    }
    const plan = planned;
    // Said before the first step: nobody may join a network that is about to go.
    if (plan.rebuilding) report(deps, network, facts, true);
    let outcome: Outcome = plan.outcome;
    for (const step of plan.steps) outcome = (await perform(deps, leaks, network, facts, step, signal)) ?? outcome;

    const after = plan.steps.length === 0 ? facts : observe(deps, leaks, network);
    report(deps, network, after, plan.rebuilding && after.seen.length > 0);
    if (network.metadata.deletionTimestamp !== undefined && outcome.is === 'settled') await store.release(network);
    return outcome;
  };

function observe({ store, world }: NetworkDeps, leaks: Leaks, { metadata, spec }: Network): NetworkFacts {
  const seen = world.networks(spec.networkName);
  return {
    seen,
    awaited:
      store.isAwaited(keyOf('Network', metadata.name)) ||
      (spec.app !== undefined && store.isAwaited(keyOf('App', spec.app))),
    leaked: new Set(seen.flatMap(({ id }) => (leaks.isLeaked(id) ? [id] : []))),
    attached: world.attachedTo(spec.networkName),
    wantedElsewhere: store
      .list('Network')
      .some(
        (other) =>
          other.metadata.name !== metadata.name &&
          other.metadata.deletionTimestamp === undefined &&
          other.spec.networkName === spec.networkName,
      ),
  };
}

function report(deps: NetworkDeps, { metadata }: Network, facts: NetworkFacts, rebuilding: boolean): void {
  const { store } = deps;
  const current = store.get('Network', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  const [seen] = facts.seen;
  const leaving = rebuilding || metadata.deletionTimestamp !== undefined;
  const status = withFacts<NetworkStatus>(current, {
    ...(seen ? { id: seen.id } : {}),
    ...(seen?.gateway === undefined ? {} : { gateway: seen.gateway }),
    ...(rebuilding ? { rebuilding } : {}),
    ...(leaving && facts.attached.length > 0 ? { attached: facts.attached.map((one) => one.name).sort() } : {}),
  });
  store.setStatus(current, metadata.name === API_NETWORK ? withReach(deps, current, status) : status);
}

/** The status with the condition `ApiReachable`, which keeps its time while it does not change. */
function withReach({ apiReach, now }: NetworkDeps, network: Network, status: NetworkStatus): NetworkStatus {
  const state = apiReach?.state();
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'ApiReachable');
  if (!state) return others.length === 0 ? status : { ...status, conditions: others };
  const before = conditionOf(network, 'ApiReachable');
  const truth = state.isReachable ? 'True' : 'False';
  const condition: Condition = {
    type: 'ApiReachable',
    status: truth,
    reason: state.isReachable ? 'Listening' : 'NotListening',
    message: state.message,
    lastTransitionTime: before?.status === truth ? before.lastTransitionTime : new Date(now()).toISOString(),
    observedGeneration: network.metadata.generation,
  };
  return { ...status, conditions: [...others, condition] };
}

/** Does one step; says what else to conclude when it did not come out as planned. */
async function perform(
  { store, world, engine, logs }: NetworkDeps,
  leaks: Leaks,
  { metadata, spec }: Network,
  facts: NetworkFacts,
  step: NetworkStep,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const key = keyOf('Network', metadata.name);
  const name = spec.networkName;
  const short = spec.app && metadata.name.startsWith(`${spec.app}.`) ? metadata.name.slice(spec.app.length + 1) : name;
  const owner = spec.app === undefined ? 'device' : { app: spec.app };
  switch (step.do) {
    case 'create': {
      logs.system(`Creating network '${short}'`, owner);
      await engine.createNetwork(name, networkOptions(spec), signal).catch((error: unknown) => {
        throw refusal(error, spec, name);
      });
      store.record(key, { type: 'Normal', reason: 'Creating', message: `Created network ${name}: ${step.because}` });
      await world.refreshNetwork(name, signal);
      return undefined;
    }
    case 'remove': {
      const result = await engine.removeNetwork(step.id, signal).catch((error: unknown) => {
        throw new Error(`Could not remove network ${name}`, { cause: error });
      });
      if (result === 'in-use') {
        const users = await engine.networkUsers(step.id, signal);
        const others = users?.map((user) => `container ${user}`).join(', ');
        if (others) return wait('StillAttached', `Waiting for ${others} to leave the network ${name}`).outcome;
        const outcome = await clearLeak(engine, leaks, { name, id: step.id }, signal);
        const goesOn = metadata.deletionTimestamp === undefined || facts.awaited;
        const { reason } = outcome;
        // What can be done without the removal is for the next pass, at once.
        return reason === 'EndpointsLeaked' && goesOn
          ? { is: 'progressing', reason, message: leakMessage(name) }
          : outcome;
      }
      leaks.removed(name, step.id);
      logs.system(`Removing network '${short}'`, owner);
      store.record(key, { type: 'Normal', reason: 'Removing', message: `Removed network ${name}: ${step.because}` });
      await world.refreshNetwork(name, signal);
      return undefined;
    }
  }
}

/** Nobody is on it, and the engine keeps it: takes away the endpoints whose names are known, and says what else can be done. */
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
/** An engine that is about to let go needs no longer, ms. */
const AGAIN_MS = 1_000;
const LEAK_RETRY_MS = 30_000;

/** Docker answers 403 for an overlap and for other things, and 500 for bad addresses, so its words have to tell them apart. */
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
