import { withFacts } from '../../../crds/model/conditions.js';
import { type HostConfig, keyOf } from '../../../crds/model/kinds.js';
import { handlingOf } from '../../../crds/model/requests.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { SeenNetwork } from '../../host/network/host-network.js';
import { parseNoProxy } from '../../host/network/no-proxy.js';
import { parseRedsocks } from '../../host/network/redsocks.js';
import { attempt, type Plan, type Reconcile, TerminalError } from '../../runtime/outcome.js';
import { type HostConfigDeps, renameHost, restartProxy } from './execute.js';
import { judgeNetwork, openNetworkTrial, withdrawNetwork } from './network-trial.js';
import { type NetworkFacts, type NetworkStep, planNetworkConfig } from './plan.js';

/** What is known only while this process lives, and has to be: a boot, which ends it, ends the waiting too. */
export interface Memory {
  note?: string | undefined;
}

const NOT_RESTARTED =
  'The proxy takes effect at the next boot: the services that read it cannot be restarted from here';
const NOT_RENAMED = 'The host name takes effect at the next boot: this host has no systemd to tell it to';

/**
 * One pass over the HostConfig `network`: one step towards what it says. Files are written only when they differ. A deleted
 * one goes when nothing of it is on trial any more.
 */
export const reconcileNetworkConfig =
  (deps: HostConfigDeps, memory: Memory): Reconcile =>
  async ({ name }) => {
    const { store, network, units } = deps;
    const document = store.get('HostConfig', name);
    if (!document) return { is: 'settled' };
    if (document.metadata.deletionTimestamp !== undefined) {
      const outcome = await withdrawNetwork(deps, document);
      if (outcome.is === 'settled') await store.release(document);
      return outcome;
    }
    const seen = await network.see();
    report(deps, memory, document, seen);
    const facts: NetworkFacts = {
      seen,
      uuid: deps.facts.uuid,
      restartDue: document.status?.restartDue ?? false,
      canRename: units.present,
    };
    const plan = await planNetwork(deps, document, facts);
    if (plan.steps.some(({ do: step }) => step === 'write-redsocks' || step === 'write-no-proxy')) {
      // On disk before the files are: a crash in between costs one restart too many, never one too few.
      memory.note = undefined;
      report(deps, memory, document, seen, true);
      await store.flush();
    }
    await openNetworkTrial(deps, document, plan.steps, seen);
    for (const step of plan.steps) await perform(deps, memory, document, step);
    if (plan.steps.length > 0) {
      const restarted = plan.steps.some(({ do: step }) => step === 'restart-proxy');
      report(deps, memory, document, await network.see(), restarted ? false : undefined);
    }
    return plan.outcome;
  };

/** What to do; when nothing differs any more, whether the change has proved itself. */
async function planNetwork(
  deps: HostConfigDeps,
  document: HostConfig,
  facts: NetworkFacts,
): Promise<Plan<NetworkStep>> {
  const { rolledBack, trials } = await deps.state.load();
  const { uid, generation } = document.metadata;
  if (
    trials.network?.failed === undefined &&
    rolledBack.network?.uid === uid &&
    rolledBack.network.generation === generation
  ) {
    const { because } = rolledBack.network;
    throw new TerminalError(
      'RolledBack',
      `What was there before is back: ${because}. Change the document to try again`,
    );
  }
  if (trials.network?.failed !== undefined) return { steps: [], outcome: await judgeNetwork(deps, document, false) };
  const plan = attempt(() => planNetworkConfig(document.spec, facts));
  if (!(plan instanceof TerminalError) && plan.outcome.is !== 'settled') return plan;
  // An earlier change proves itself, or is taken back, also while a later one is refused.
  const outcome = await judgeNetwork(deps, document, !(plan instanceof TerminalError));
  if (outcome.is === 'settled' && plan instanceof TerminalError) throw plan;
  return { steps: [], outcome };
}

async function perform(deps: HostConfigDeps, memory: Memory, document: HostConfig, step: NetworkStep): Promise<void> {
  const { store, network, units } = deps;
  const key = keyOf('HostConfig', document.metadata.name);
  const tell = (reason: string, what: string): void =>
    store.record(key, { type: 'Normal', reason, message: `${what}: ${step.because}` });
  switch (step.do) {
    case 'write-redsocks':
      await network.writeRedsocks(step.text);
      return tell('ProxyChanged', step.text === '' ? 'Removed redsocks.conf' : 'Wrote redsocks.conf');
    case 'write-no-proxy':
      await network.writeNoProxy(step.text);
      return tell('ProxyChanged', step.text === '' ? 'Removed no_proxy' : 'Wrote no_proxy');
    case 'restart-proxy': {
      const restarted = await restartProxy(units);
      memory.note = restarted ? undefined : NOT_RESTARTED;
      return restarted && restarted.length > 0 ? tell('Restarted', `Restarted ${restarted.join(' and ')}`) : undefined;
    }
    case 'configure-hostname':
      tell('Renaming', 'Writing the host name to config.json'); // the OS may end us right after
      return network.configureHostname(step.hostname);
    case 'rename':
      await renameHost(deps, step.hostname);
      memory.note = units.present ? undefined : NOT_RENAMED;
      return tell('Renamed', `Named the host ${step.hostname}`);
  }
}

/** What is seen, without credentials; that a restart is due stays as it is unless said. */
function report(
  { store }: HostConfigDeps,
  { note }: Memory,
  { metadata }: HostConfig,
  seen: SeenNetwork,
  due?: boolean,
): void {
  const current = store.get('HostConfig', metadata.name);
  if (current?.metadata.uid !== metadata.uid) return;
  const restartDue = due ?? current.status?.restartDue ?? false;
  const { handled } = handlingOf(current.status);
  const { trial } = current.status ?? {};
  store.setStatus(
    current,
    withFacts<HostConfigStatus>(current, {
      ...factsOf(seen),
      ...(handled ? { handled: { ...handled } } : {}),
      ...(trial ? { trial } : {}),
      ...(restartDue ? { restartDue } : {}),
      ...(note === undefined ? {} : { note }),
    }),
  );
}

function factsOf(seen: SeenNetwork): Pick<HostConfigStatus, 'hostname' | 'proxy' | 'noProxy'> {
  const proxy = parseRedsocks(seen.redsocks ?? '');
  const { type, ip, port } = proxy?.fields ?? {};
  const noProxy = parseNoProxy(seen.noProxy ?? '');
  return {
    ...(seen.hostname === undefined ? {} : { hostname: seen.hostname }),
    ...(proxy
      ? {
          proxy: {
            type: String(type),
            ip: String(ip),
            port: Number(port),
            ...(proxy.dns === undefined ? {} : { dns: proxy.dns }),
          },
        }
      : {}),
    ...(noProxy.length === 0 ? {} : { noProxy: [...noProxy] }),
  };
}
