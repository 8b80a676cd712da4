import type { HostConfig } from '../../../crds/model/kinds.js';
import { HOST_NAME_RULE, isHostName } from '../../../crds/model/names.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import type { HostState, NetworkUndo, UnconfirmedChange } from '../../host/host-state.js';
import type { SeenNetwork } from '../../host/network/host-network.js';
import {
  dnsServer,
  fieldIssues,
  isReserved,
  type ProxyFields,
  renderNoProxy,
  renderRedsocks,
} from '../../host/network/redsocks.js';
import { act, attempt, InvalidSpecError, type Plan, settled, TerminalError } from '../../runtime/outcome.js';
import { type ConfirmStep, deadlineOf, planConfirm, UNPROVEN, type Verdict } from '../commit-confirm.js';

export type NetworkStep =
  /** Stores what was there before the steps that follow. */
  | { readonly do: 'checkpoint'; readonly undo: NetworkUndo; readonly because: string }
  | { readonly do: 'write-redsocks' | 'write-no-proxy'; readonly text: string; readonly because: string }
  | { readonly do: 'restart-proxy'; readonly because: string }
  | { readonly do: 'configure-hostname' | 'rename'; readonly hostname: string; readonly because: string }
  /** Notes that this generation is true and confirmed: later writes are repairs. */
  | { readonly do: 'note-proven'; readonly because: string }
  | ConfirmStep;

/** What the settings are compared with. */
export interface NetworkFacts {
  readonly seen: SeenNetwork;
  /** The device's uuid; the default host name begins with it. */
  readonly uuid: string;
  /** Services have not been restarted since files of the proxy were changed. */
  readonly restartDue: boolean;
  /** The running system can be renamed. */
  readonly canRename: boolean;
}

/** Everything that a decision about the network settings of the host depends on. */
export interface NetworkObservation extends Omit<NetworkFacts, 'seen'> {
  /** Undefined while the document is being deleted. */
  readonly seen: SeenNetwork | undefined;
  readonly unconfirmed: UnconfirmedChange<NetworkUndo> | undefined;
  /** Undefined without an unconfirmed change, and for one that has failed. */
  readonly verdict: Verdict | undefined;
  /** The generation that was last true and confirmed. */
  readonly proven: HostState['proven'];
  /** The generation that was rolled back. */
  readonly rolledBack: HostState['rolledBack']['network'];
  /** Id of a request to confirm that was there at the time of the observation and is not acknowledged. */
  readonly request: string | undefined;
  /** A setting that takes effect only with the next boot. */
  readonly note: string | undefined;
}

/**
 * Plans the host's network settings: the settings first, then the confirmation or rollback of an earlier change, also
 * while a later one is rejected. Throws for a generation that was rolled back. Pure.
 */
export function planNetwork(document: HostConfig, observation: NetworkObservation): Plan<NetworkStep> {
  const { seen, unconfirmed, verdict, rolledBack, proven } = observation;
  const { metadata, spec } = document;
  if (!seen) return planDeleted(observation);
  if (unconfirmed?.failed !== undefined) return act('RollingBack', { do: 'roll-back', because: unconfirmed.failed });
  if (isGeneration(rolledBack, metadata)) {
    throw new TerminalError(
      'RolledBack',
      `What was there before is back: ${rolledBack.because}. Change the document to try again`,
    );
  }
  const settings = attempt(() => planSettings(spec, { ...observation, seen }));
  const refused = settings instanceof TerminalError ? settings : undefined;
  if (!(settings instanceof TerminalError) && settings.outcome.is !== 'settled') {
    return { ...settings, steps: [...opening(document, settings.steps, seen, proven), ...settings.steps] };
  }
  if (verdict && verdict.is !== 'good') return planConfirm(verdict) ?? settled();
  return {
    ...settled(),
    steps: [
      ...(verdict ? [{ do: 'confirm', because: verdict.because } as const] : []),
      ...(refused || isGeneration(proven, metadata)
        ? []
        : [{ do: 'note-proven', because: 'nothing differs and nothing is unconfirmed' } as const]),
    ],
    ...(refused ? { failure: refused } : {}),
  };
}

/** Plans for a deleted document: an unconfirmed change is rolled back. Settled: the document may go. */
function planDeleted({ unconfirmed, verdict }: NetworkObservation): Plan<NetworkStep> {
  if (!unconfirmed) return settled();
  if (unconfirmed.failed !== undefined) return act('RollingBack', { do: 'roll-back', because: unconfirmed.failed });
  if (verdict?.is === 'good') return { ...settled(), steps: [{ do: 'confirm', because: verdict.because }] };
  return act('RollingBack', { do: 'give-up', because: verdict?.is === 'bad' ? verdict.because : UNPROVEN });
}

interface Generation {
  readonly uid: string;
  readonly generation: number;
}

const isGeneration = <T extends Generation>(one: T | undefined, { uid, generation }: Generation): one is T =>
  one?.uid === uid && one.generation === generation;

/** Returns the step that stores what those steps change, unless they repair what was confirmed or need no confirmation. */
function opening(
  document: HostConfig,
  steps: readonly NetworkStep[],
  seen: SeenNetwork,
  proven: HostState['proven'],
): readonly NetworkStep[] {
  const undo = undoOf(steps, seen);
  const isRepair = isGeneration(proven, document.metadata);
  if (Object.keys(undo).length === 0 || isRepair || deadlineOf(document) === 0) return [];
  return [{ do: 'checkpoint', undo, because: 'the change has to prove itself' }];
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

/** Tells whether the services that read the proxy settings have to be restarted after the step. Pure. */
export const isProxyFile = ({ do: step }: NetworkStep): boolean =>
  step === 'write-redsocks' || step === 'write-no-proxy';

/** Number of characters of the uuid in a default host name. */
const SHORT_UUID = 7;

/**
 * Plans the steps that make the settings true, given the host's files. The proxy comes first, then the name: on
 * balenaOS a new name restarts the engine, and this process with it. Settings that the document leaves out stay. Throws
 * for settings that cannot be made true. Pure.
 */
export function planSettings(spec: HostConfigSpec, facts: NetworkFacts): Plan<NetworkStep> {
  const { seen, restartDue } = facts;
  const hostname = spec.hostname === undefined ? undefined : spec.hostname || facts.uuid.slice(0, SHORT_UUID);
  checkHostname(hostname);
  const redsocks = desiredRedsocks(spec.proxy);
  const noProxy = spec.proxy?.noProxy && renderNoProxy(checkedNoProxy(spec.proxy.noProxy));

  if (seen.hasBoot) {
    const files = [
      ...differs('write-redsocks', 'redsocks.conf', redsocks, seen.redsocks),
      ...differs('write-no-proxy', 'no_proxy', noProxy, seen.noProxy),
    ];
    if (files.length > 0) return act('Writing', ...files);
    if (restartDue) return act('Restarting', { do: 'restart-proxy', because: 'the proxy settings changed' });
  }
  const naming = hostname === undefined ? undefined : planHostname(hostname, facts);
  if (naming) return act('Renaming', naming);
  if (!seen.hasBoot && ((redsocks ?? '') !== '' || (noProxy ?? '') !== '')) {
    throw new TerminalError(
      'NotApplicable',
      'This host has no boot partition of balenaOS, so nothing on it would read proxy settings; take proxy out of the document',
    );
  }
  return settled();
}

function differs(
  step: 'write-redsocks' | 'write-no-proxy',
  file: string,
  wanted: string | undefined,
  seen: string | undefined,
): readonly NetworkStep[] {
  if (wanted === undefined || wanted === (seen ?? '')) return wanted === '' && seen === '' ? remove(step, file) : [];
  if (wanted === '') return remove(step, file);
  return [{ do: step, text: wanted, because: seen === undefined ? `there was no ${file}` : `${file} differs` }];
}

const remove = (step: 'write-redsocks' | 'write-no-proxy', file: string): readonly NetworkStep[] => [
  { do: step, text: '', because: `${file} is not wanted` },
];

function planHostname(hostname: string, { seen, canRename }: NetworkFacts): NetworkStep | undefined {
  const differ = (now: string | undefined): string =>
    `the host name is ${now === undefined ? 'not set' : `"${now}"`}, not "${hostname}"`;
  if (seen.hasBoot) {
    if (seen.configured === hostname) return undefined;
    return { do: 'configure-hostname', hostname, because: differ(seen.configured) };
  }
  if (seen.hostname !== hostname) return { do: 'rename', hostname, because: differ(seen.hostname) };
  if (canRename && seen.running !== undefined && seen.running !== hostname) {
    return { do: 'rename', hostname, because: differ(seen.running) };
  }
  return undefined;
}

/** Returns the desired text of redsocks.conf, empty for no file; undefined when the document does not say. */
function desiredRedsocks(proxy: HostConfigSpec['proxy']): string | undefined {
  if (proxy === undefined) return undefined;
  const { dns, noProxy, ...given } = proxy ?? {};
  const fields: Record<string, string> = {};
  for (const [key, value] of Object.entries(given)) {
    if (isReserved(key) || value === undefined || value === null) continue;
    if (typeof value === 'object')
      throw new InvalidSpecError([{ path: `spec.proxy.${key}`, message: 'Expected a text or a number' }]);
    fields[key] = String(value);
  }
  if (Object.keys(fields).length === 0) return noProxy !== undefined && dns === undefined ? undefined : '';
  return renderRedsocks({ fields: checkedFields(fields), ...dnsOf(dns) });
}

function dnsOf(dns: string | boolean | undefined): { dns?: string } {
  const server = dnsServer(dns);
  if (server === undefined) return {};
  if (!/^[^\s;{}"=]+:\d+$/.test(server)) {
    throw new InvalidSpecError([{ path: 'spec.proxy.dns', message: 'Expected address:port, true or false' }]);
  }
  return { dns: server };
}

function checkedFields(fields: ProxyFields): ProxyFields {
  const issues = fieldIssues(fields).map(({ field, message }) => ({ path: `spec.proxy.${field}`, message }));
  if (issues.length > 0) throw new InvalidSpecError(issues);
  return fields;
}

function checkedNoProxy(entries: readonly string[]): readonly string[] {
  const at = entries.findIndex((entry) => /[\r\n]/.test(entry));
  if (at >= 0) throw new InvalidSpecError([{ path: `spec.proxy.noProxy[${at}]`, message: 'Expected one line' }]);
  return entries;
}

/** Throws for an invalid host name, which a document that an earlier version accepted may have. */
function checkHostname(hostname: string | undefined): void {
  if (hostname === undefined || isHostName(hostname)) return;
  throw new InvalidSpecError([{ path: 'spec.hostname', message: `Not a host name: ${HOST_NAME_RULE}` }]);
}
