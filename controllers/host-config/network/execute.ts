import { type HostConfig, keyOf } from '../../../crds/model/kinds.js';
import type { NetworkUndo, UnconfirmedChange } from '../../host/host-state.js';
import type { Units } from '../../host/units.js';
import { executeConfirmStep, type RecordEvent, withoutChange } from '../confirm-step.js';
import { beforeChange } from '../probe.js';
import type { Memory, NetworkDeps } from './observe.js';
import type { NetworkStep } from './plan.js';
import type { NetworkResult } from './status.js';

const NOT_RESTARTED =
  'The proxy takes effect at the next boot: the services that read it cannot be restarted from here';
const NOT_RENAMED = 'The host name takes effect at the next boot: this host has no systemd to tell it to';

/**
 * Carries out one step. Everything that has to be known after a crash is on disk before the host is changed: that a
 * restart is due, and what was there before. Every step may be repeated. Throws when it fails.
 */
export async function executeNetworkStep(
  deps: NetworkDeps,
  memory: Memory,
  document: HostConfig,
  step: NetworkStep,
): Promise<Partial<NetworkResult> | undefined> {
  const { store, state, network, units } = deps;
  const { uid, generation, name } = document.metadata;
  const record: RecordEvent = (type, reason, message) =>
    store.record(keyOf('HostConfig', name), { type, reason, message });
  switch (step.do) {
    case 'checkpoint':
      await store.flush();
      await keepCheckpoint(deps, document, step.undo);
      return undefined;
    case 'write-redsocks':
    case 'write-no-proxy': {
      // The status that a restart is due is written first: a crash in between costs one restart too many, never one too
      // few.
      await store.flush();
      memory.note = undefined;
      const isProxy = step.do === 'write-redsocks';
      await (isProxy ? network.writeRedsocks(step.text) : network.writeNoProxy(step.text));
      const file = isProxy ? 'redsocks.conf' : 'no_proxy';
      record('Normal', 'ProxyChanged', `${step.text === '' ? 'Removed' : 'Wrote'} ${file}: ${step.because}`);
      return undefined;
    }
    case 'restart-proxy': {
      const restarted = await restartProxy(units);
      memory.note = restarted ? undefined : NOT_RESTARTED;
      if (restarted && restarted.length > 0)
        record('Normal', 'Restarted', `Restarted ${restarted.join(' and ')}: ${step.because}`);
      return { restarted: true };
    }
    case 'configure-hostname':
      record('Normal', 'Renaming', `Writing the host name to config.json: ${step.because}`); // the OS may end this process right after
      await network.configureHostname(step.hostname);
      return undefined;
    case 'rename':
      await renameHost(deps, step.hostname);
      memory.note = units.present ? undefined : NOT_RENAMED;
      record('Normal', 'Renamed', `Named the host ${step.hostname}: ${step.because}`);
      return undefined;
    case 'note-proven':
      await state.change({ proven: { uid, generation } });
      return undefined;
    case 'start-timer':
    case 'confirm':
    case 'give-up':
      await executeConfirmStep(deps, 'network', step, { uid, generation }, record);
      return undefined;
    case 'roll-back':
      await rollBack(deps, step.because);
      record('Warning', 'RolledBack', `What was there before is back: ${step.because}`);
      return undefined;
  }
}

/** Stores what was there before a change. Of several unconfirmed changes the first decides. */
async function keepCheckpoint(
  { state, probes }: NetworkDeps,
  { metadata }: HostConfig,
  undo: NetworkUndo,
): Promise<void> {
  const { trials } = await state.load();
  const { uid, generation } = metadata;
  const { since: _, ...open } = trials.network ?? { before: await beforeChange(probes), undo: {} };
  const network: UnconfirmedChange<NetworkUndo> = {
    ...open,
    uid,
    generation,
    starts: 0,
    undo: { ...undo, ...open.undo },
  };
  await state.change({ trials: { ...trials, network } });
}

/**
 * Restores what was there before the unconfirmed change, and notes that this generation is not to be tried again. May
 * end at any point and be repeated.
 */
async function rollBack(deps: NetworkDeps, because: string): Promise<void> {
  const { network, state, units } = deps;
  const { trials, rolledBack } = await state.load();
  if (!trials.network) return;
  const { uid, generation, undo } = trials.network;
  if (undo.redsocks !== undefined) await network.writeRedsocks(undo.redsocks ?? '');
  if (undo.noProxy !== undefined) await network.writeNoProxy(undo.noProxy ?? '');
  if (undo.redsocks !== undefined || undo.noProxy !== undefined) await restartProxy(units);
  if (undo.hostname !== undefined && undo.hostname !== null) await renameHost(deps, undo.hostname);
  // Writing config.json may end this process: everything else is done before, and repeated after a start.
  if (undo.configured !== undefined) await network.configureHostname(undo.configured ?? undefined);
  await state.change({
    trials: withoutChange(trials, 'network'),
    rolledBack: { ...rolledBack, network: { uid, generation, because } },
  });
}

/** Services that are restarted after a change of the proxy: of each group the first that the host has. */
const PROXY_SERVICES = [['balena-proxy-config.service', 'resin-proxy-config.service'], ['redsocks.service']] as const;
/** Newer host OSes watch the files and restart what belongs to this target by themselves. */
const PROXY_TARGET = 'redsocks-conf.target';

/** Sets the name of a host without config.json: in the running system where that is possible, and in the file. */
async function renameHost({ units, network }: NetworkDeps, hostname: string): Promise<void> {
  if (units.present) await units.setHostname(hostname);
  await network.writeHostname(hostname);
}

/** Restarts the services that read the proxy settings. Returns their names; undefined when this host has none of them, or no systemd. */
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
