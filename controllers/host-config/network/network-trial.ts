import type { HostConfig } from '../../../crds/model/kinds.js';
import { keyOf } from '../../../crds/model/kinds.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { handlingOf, outstanding, withHandled } from '../../../crds/model/requests.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { HostState, NetworkUndo, Trial } from '../../host/host-state.js';
import type { SeenNetwork } from '../../host/network/host-network.js';
import type { Outcome } from '../../runtime/outcome.js';
import { deadlineOf, UNPROVEN, type Verdict } from '../commit-confirm.js';
import { beforeChange, judge } from '../probe.js';
import { type HostConfigDeps, renameHost, restartProxy } from './execute.js';
import type { NetworkStep } from './plan.js';

const again = (reason: ReasonOf<'HostConfig'>, message: string): Outcome => ({ is: 'progressing', reason, message });

/**
 * Puts on disk what was there before a change, unless it is a repair of what has proved itself, or no proof is asked for.
 * Of several changes in one trial the first says what was there.
 */
export async function openNetworkTrial(
  { state, proofs }: HostConfigDeps,
  document: HostConfig,
  steps: readonly NetworkStep[],
  seen: SeenNetwork,
): Promise<void> {
  const before = undoOf(steps, seen);
  const known = await state.load();
  const { uid, generation } = document.metadata;
  const isRepair = known.proven?.uid === uid && known.proven.generation === generation;
  if (Object.keys(before).length === 0 || isRepair || deadlineOf(document) === 0) return;
  const { since: _, ...open } = known.trials.network ?? { before: await beforeChange(proofs), undo: {} };
  const network: Trial<NetworkUndo> = { ...open, uid, generation, starts: 0, undo: { ...before, ...open.undo } };
  await state.change({ trials: { ...known.trials, network } });
}

function undoOf(steps: readonly NetworkStep[], seen: SeenNetwork): NetworkUndo {
  const has = (name: NetworkStep['do']): boolean => steps.some((step) => step.do === name);
  return {
    ...(has('write-redsocks') ? { redsocks: seen.redsocks ?? null } : {}),
    ...(has('write-no-proxy') ? { noProxy: seen.noProxy ?? null } : {}),
    ...(has('configure-hostname') ? { configured: seen.configured ?? null } : {}),
    ...(has('rename') ? { hostname: seen.hostname ?? null } : {}),
  };
}

/**
 * How the change stands, and whether the files say what they should now (`isTrue`); takes it back when it has failed.
 * Settled: there is nothing left to prove.
 */
export async function judgeNetwork(deps: HostConfigDeps, document: HostConfig, isTrue: boolean): Promise<Outcome> {
  const known = await deps.state.load();
  const trial = known.trials.network;
  if (trial?.failed !== undefined) return takeBack(deps, document, trial, trial.failed);
  const clock = await deps.clock.read();
  const verdict = await judge(deps, document, trial, { ...clock, restartDue: false });
  report(deps, document, verdict);
  const { uid, generation } = document.metadata;
  if (!verdict || verdict.is === 'good') {
    if (verdict) tellConfirmed(deps, document, verdict.because);
    const proven = isTrue ? { proven: { uid, generation } } : {};
    await deps.state.change({ trials: withoutNetwork(known.trials), ...proven });
    report(deps, document, undefined);
    return { is: 'settled' };
  }
  switch (verdict.is) {
    case 'not-begun':
    case 'begin':
      await saveTrial(deps, { since: clock, starts: (trial?.starts ?? 0) + 1 });
      return again('Confirming', 'The change has taken effect');
    case 'bad':
      return giveUp(deps, document, verdict.because);
    case 'open': {
      const missing = verdict.missing.join(', ');
      const message = `The change has to prove itself, or what was there before comes back. Missing: ${missing}`;
      return { is: 'waiting', reason: 'Confirming', message, forMs: verdict.forMs };
    }
  }
}

/**
 * What becomes of a change whose document is being deleted: it goes with it, unless it has proved itself. Settled: nothing
 * is on trial any more.
 */
export async function withdrawNetwork(deps: HostConfigDeps, document: HostConfig): Promise<Outcome> {
  const { trials } = await deps.state.load();
  const trial = trials.network;
  if (!trial) return { is: 'settled' };
  if (trial.failed !== undefined) return takeBack(deps, document, trial, trial.failed);
  const verdict = await judge(deps, document, trial, { ...(await deps.clock.read()), restartDue: false });
  if (verdict?.is !== 'good') return giveUp(deps, document, verdict?.is === 'bad' ? verdict.because : UNPROVEN);
  tellConfirmed(deps, document, verdict.because);
  await deps.state.change({ trials: withoutNetwork(trials) });
  report(deps, document, undefined);
  return { is: 'settled' };
}

function tellConfirmed({ store }: HostConfigDeps, { metadata }: HostConfig, because: string): void {
  const message = `The change stays: ${because}`;
  store.record(keyOf('HostConfig', metadata.name), { type: 'Normal', reason: 'Confirmed', message });
}

/** The decision, on disk: what follows may be cut anywhere. */
async function giveUp(deps: HostConfigDeps, { metadata }: HostConfig, because: string): Promise<Outcome> {
  const { uid, generation, name } = metadata;
  await saveTrial(deps, { failed: because, uid, generation });
  const message = `The change is taken back: ${because}`;
  deps.store.record(keyOf('HostConfig', name), { type: 'Warning', reason: 'RollingBack', message });
  return again('RollingBack', because);
}

async function takeBack(
  deps: HostConfigDeps,
  document: HostConfig,
  { uid, generation, undo }: Trial<NetworkUndo>,
  because: string,
): Promise<Outcome> {
  const { network, state, store, units } = deps;
  const { name } = document.metadata;
  if (undo.redsocks !== undefined) await network.writeRedsocks(undo.redsocks ?? '');
  if (undo.noProxy !== undefined) await network.writeNoProxy(undo.noProxy ?? '');
  if (undo.redsocks !== undefined || undo.noProxy !== undefined) await restartProxy(units);
  const known = await state.load();
  const rolledBack = { ...known.rolledBack, network: { uid, generation, because } };
  if (undo.hostname !== undefined && undo.hostname !== null) await renameHost(deps, undo.hostname);
  // Writing config.json may end us: everything else is done before, and it is done again when we start.
  if (undo.configured !== undefined) await network.configureHostname(undo.configured ?? undefined);
  await state.change({ trials: withoutNetwork(known.trials), rolledBack });
  const message = `What was there before is back: ${because}`;
  store.record(keyOf('HostConfig', name), { type: 'Warning', reason: 'RolledBack', message });
  report(deps, document, undefined);
  return again('RollingBack', because);
}

/** The trial in the status, and a request to confirm as dealt with once it has decided or has nothing to decide. */
function report({ store }: HostConfigDeps, document: HostConfig, verdict: Verdict | undefined): void {
  const current = store.get('HostConfig', document.metadata.name);
  if (current?.metadata.uid !== document.metadata.uid) return;
  const { trial: _, ...status }: HostConfigStatus = current.status ?? {};
  const request = verdict ? undefined : outstanding(document, 'confirm');
  const waitsFor = verdict?.is === 'open' ? { waitsFor: [...verdict.missing] } : {};
  store.setStatus(current, {
    ...status,
    ...(verdict ? { trial: { deadlineSeconds: deadlineOf(document), ...waitsFor } } : {}),
    ...(request ? withHandled(handlingOf(status), { confirm: request.id }) : {}),
  });
}

async function saveTrial({ state }: HostConfigDeps, change: Partial<Trial<NetworkUndo>>): Promise<void> {
  const known = await state.load();
  const { network } = known.trials;
  if (network) await state.change({ trials: { ...known.trials, network: { ...network, ...change } } });
}

function withoutNetwork(trials: HostState['trials']): HostState['trials'] {
  const { network: _, ...others } = trials;
  return others;
}
