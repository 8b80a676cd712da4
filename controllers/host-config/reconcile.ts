import type { Store } from '../../api/store/store.js';
import { withFacts } from '../../crds/conditions.js';
import { type HostConfig, keyOf } from '../../crds/kinds.js';
import type { HostConfigStatus } from '../../crds/types.js';
import type { HostNetwork, SeenNetwork } from '../host/host-network.js';
import { parseNoProxy } from '../host/no-proxy.js';
import { parseRedsocks } from '../host/redsocks.js';
import type { Units } from '../host/units.js';
import type { Reconcile } from '../runtime/outcome.js';
import { type NetworkFacts, type NetworkStep, planNetworkConfig } from './plan.js';

export interface HostConfigDeps {
  readonly store: Store;
  readonly network: HostNetwork;
  readonly units: Units;
  readonly facts: { readonly uuid: string };
}

/** What is known only while this process lives, and has to be: a boot, which ends it, ends the waiting too. */
export interface Memory {
  note?: string | undefined;
}

/** Restarted after a change of the proxy; of each group the first that the host has. */
const PROXY_SERVICES = [['balena-proxy-config.service', 'resin-proxy-config.service'], ['redsocks.service']] as const;
/** Newer host OSes watch the files and restart what is part of this target by themselves. */
const PROXY_TARGET = 'redsocks-conf.target';

const NOT_RESTARTED =
  'The proxy takes effect at the next boot: the services that read it cannot be restarted from here';
const NOT_RENAMED = 'The host name takes effect at the next boot: this host has no systemd to tell it to';

/** One pass over the HostConfig `network`: one step towards what it says. Files are written only when they differ. */
export const reconcileNetworkConfig =
  (deps: HostConfigDeps, memory: Memory): Reconcile =>
  async ({ name }) => {
    const { store, network, units } = deps;
    const document = store.get('HostConfig', name);
    if (!document) return { is: 'settled' };
    const seen = await network.see();
    report(deps, memory, document, seen);
    const facts: NetworkFacts = {
      seen,
      uuid: deps.facts.uuid,
      restartDue: document.status?.restartDue ?? false,
      canRename: units.present,
    };
    const plan = planNetworkConfig(document.spec, facts);
    if (plan.steps.some(({ do: step }) => step === 'write-redsocks' || step === 'write-no-proxy')) {
      // On disk before the files are: a crash in between costs one restart too many, never one too few.
      memory.note = undefined;
      report(deps, memory, document, seen, true);
      await store.flush();
    }
    for (const step of plan.steps) await perform(deps, memory, document, step);
    if (plan.steps.length > 0) {
      const restarted = plan.steps.some(({ do: step }) => step === 'restart-proxy');
      report(deps, memory, document, await network.see(), restarted ? false : undefined);
    }
    return plan.outcome;
  };

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
      if (units.present) await units.setHostname(step.hostname);
      await network.writeHostname(step.hostname);
      memory.note = units.present ? undefined : NOT_RENAMED;
      return tell('Renamed', `Named the host ${step.hostname}`);
  }
}

/** The services that were restarted; undefined when this host has none of them, or no systemd. */
async function restartProxy(units: Units): Promise<readonly string[] | undefined> {
  const restarted: string[] = [];
  let found = false;
  for (const names of PROXY_SERVICES) {
    for (const name of names) {
      const unit = await units.find(name);
      if (!unit) continue;
      found = true;
      if (!unit.partOf.includes(PROXY_TARGET)) {
        await units.restart(name);
        restarted.push(name);
      }
      break;
    }
  }
  return found ? restarted : undefined;
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
  store.setStatus(
    current,
    withFacts<HostConfigStatus>(current, {
      ...factsOf(seen),
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
