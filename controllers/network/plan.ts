import { isActive } from '../../crds/model/active.js';
import type { Network } from '../../crds/model/kinds.js';
import { API_NETWORK } from '../../crds/model/names.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import type { SeenContainer, SeenNetwork } from '../engine/engine.js';
import { SUPERVISED } from '../engine/labels.js';
import { act, type Plan, settled, TerminalError, wait } from '../runtime/outcome.js';
import { differenceOf, networkHash } from './options.js';

export type NetworkStep =
  | { readonly do: 'create'; readonly because: string }
  | { readonly do: 'remove'; readonly because: string; readonly id: string };

export interface NetworkFacts {
  /** Every network of that name: Docker allows duplicates. */
  readonly seen: readonly SeenNetwork[];
  /** Our containers on a network of that name, in any state. */
  readonly attached: readonly SeenContainer[];
  /** Another document that is not deleted declares the same network, and not as external. */
  readonly wantedElsewhere: boolean;
  /** It is being deleted, and a declared document waits for that. */
  readonly awaited: boolean;
  /** Ids of containers on it whose services are not being deleted: they may never leave. */
  readonly staying?: ReadonlySet<string>;
  /**
   * Containers on it that are not ours, by name: those that run; on a network of docker compose all of its project, which
   * could not be started again without it. Asked for only where the network would be removed or recreated.
   */
  readonly foreign: readonly string[];
  /** Ids of networks that docker compose has made for the same network of the same project: they are taken over. */
  readonly adopted?: ReadonlySet<string>;
  /** Ids of networks that the engine does not remove because of endpoints that no container has. */
  readonly leaked: ReadonlySet<string>;
}

/** Returns the message about such a network. Pure. */
export const leakMessage = (name: string): string =>
  `The engine keeps endpoints of containers that are gone on network ${name} and does not remove it: disconnect them with \`docker network disconnect --force ${name} <name of a former container>\`, or restart the engine`;

type Next = Plan<NetworkStep, ReasonOf<'Network'>>;

/** The plan, and whether services have to leave the network for it. */
export type NetworkPlan = Next & { readonly rebuilding: boolean };

/** Plans what to do about one network, given what exists. Throws `TerminalError` for what no pass can fix. Pure. */
export function planNetwork(network: Network, facts: NetworkFacts): NetworkPlan {
  const { networkName: name } = network.spec;
  const isAdopted = ({ id }: SeenNetwork): boolean => facts.adopted?.has(id) === true;
  const ours = facts.seen.filter((one) => isOurs(one) || isAdopted(one));

  if (network.spec.external) return stay(planExternal(network, facts));
  if (network.metadata.deletionTimestamp !== undefined) {
    const [first] = ours;
    if (!first || facts.wantedElsewhere) return stay(settled());
    if (isAdopted(first) && facts.foreign.length > 0) return stay(settled()); // it stays theirs
    // Whoever declares the network again takes it over as it is, and need not wait for the engine to be restarted.
    if (facts.leaked.has(first.id) && facts.awaited && facts.attached.length === 0) return stay(settled());
    // Services of other Apps may stay on it for months, and those of an App that goes back want it again: whoever declares it
    // in its place takes it over with them.
    const mayStay = ({ id, appId }: SeenContainer): boolean =>
      appId !== network.spec.appId || facts.staying?.has(id) === true;
    if (facts.awaited && facts.attached.length > 0 && facts.attached.every(mayStay)) return stay(settled());
    return stay(blockers(name, facts.attached, 'removed') ?? remove('deleted', first));
  }

  const foreign = facts.seen.find((one) => !ours.includes(one));
  if (foreign) {
    throw new TerminalError(
      'NameTaken',
      `A network ${name} that is not ours exists (${foreign.id.slice(0, 12)}): use it as it is with external: true, give this one another name, or remove it with \`docker network rm\``,
    );
  }

  const [first, ...others] = ours;
  if (!first) return stay(act('Creating', { do: 'create', because: 'there was none' }));
  if (others.length > 0) return planDuplicates(name, ours, facts);

  const because = changed(network, first, facts);
  if (because === undefined) return stay(settled());
  // It serves both sides until the last of theirs has gone.
  if (isAdopted(first) && facts.foreign.length > 0) {
    const message = `${keptMessage(name, facts, because)}; take them over, or remove them`;
    throw new TerminalError('StillAttached', message, { requeueAfterMs: LOOK_AGAIN_MS });
  }
  // Services do not leave in vain: the network stays as it is. An engine that has been away is asked again.
  if (facts.leaked.has(first.id)) {
    throw new TerminalError('EndpointsLeaked', `${leakMessage(name)}; until then it stays as it was (${because})`);
  }
  return (
    stayForOthers(name, facts, because) ?? aside(blockers(name, facts.attached, 'recreated') ?? remove(because, first))
  );
}

/**
 * Tells whether the network has to be recreated: then `foreign` has to be known, since services of ours do not leave a
 * network that cannot go. Pure.
 */
export const mustBeRecreated = (
  network: Network,
  seen: readonly SeenNetwork[],
  adopted: NetworkFacts['adopted'] = new Set(),
): boolean => {
  const [first, ...others] = seen.filter((one) => isOurs(one) || adopted.has(one.id));
  if (network.spec.external || first === undefined) return false;
  if (!isActive(network)) return adopted.has(first.id);
  return others.length > 0 || changed(network, first, { adopted }) !== undefined;
};

/** Nobody knows when a container of somebody else leaves, and nothing announces it. */
const LOOK_AGAIN_MS = 10_000;

function stayForOthers(name: string, { foreign }: NetworkFacts, because: string): NetworkPlan | undefined {
  if (foreign.length === 0) return undefined;
  const message = `${keptMessage(name, { foreign }, because)}; disconnect it with \`docker network disconnect ${name} ${foreign[0]}\``;
  return stay(wait('StillAttached', message, LOOK_AGAIN_MS));
}

function keptMessage(name: string, { foreign }: Pick<NetworkFacts, 'foreign'>, because: string): string {
  const users = [...foreign]
    .sort()
    .map((one) => `container ${one}`)
    .join(', ');
  return `Network ${name} is to be recreated (${because}) and stays as it was: ${users}, not ours, is on it`;
}

/** Waits for a network that somebody else makes; nothing is ever done to it. */
function planExternal({ metadata, spec: { networkName: name } }: Network, { seen }: NetworkFacts): Next {
  if (metadata.deletionTimestamp !== undefined || seen.length > 0) return settled();
  return wait('NetworkMissing', `Network ${name} is not there; it is declared external`);
}

/**
 * Plans for duplicates: those that nobody uses are removed, but for one. When several are in use, all services leave
 * and the network is recreated.
 */
function planDuplicates(name: string, ours: readonly SeenNetwork[], facts: NetworkFacts): NetworkPlan {
  const { attached } = facts;
  const idle = ours.filter(({ id }) => !attached.some(({ networks }) => [id, ''].includes(networks[name]?.id ?? '')));
  const spare = idle.length === ours.length ? idle.slice(1) : idle;
  const [victim] = spare;
  if (victim) return stay(remove('duplicate', victim));
  return stayForOthers(name, facts, 'there are several') ?? aside(blockers(name, attached, 'recreated') ?? settled());
}

function changed(network: Network, seen: SeenNetwork, { adopted }: Pick<NetworkFacts, 'adopted'>): string | undefined {
  if (seen.specHash !== undefined) return seen.specHash === networkHash(network.spec) ? undefined : 'spec changed';
  const difference = differenceOf(network.spec, seen, { mayBeAttachable: adopted?.has(seen.id) === true });
  return difference === undefined ? undefined : `${difference} changed`;
}

function blockers(name: string, attached: readonly SeenContainer[], what: string): Next | undefined {
  if (attached.length === 0) return undefined;
  const names = attached.map((container) => container.name).sort();
  return wait(
    'StillAttached',
    `Waiting for ${names.join(', ')} to leave the network ${name}, so that it can be ${what}`,
  );
}

const remove = (because: string, { id }: SeenNetwork): Next => act('Removing', { do: 'remove', because, id });
const stay = (plan: Next): NetworkPlan => ({ ...plan, rebuilding: false });
const aside = (plan: Next): NetworkPlan => ({ ...plan, rebuilding: true });

/**
 * Tells whether a network is ours: it has our label, or it is the `supervisor0` of a Supervisor, which has no labels
 * but a bridge of the network's name. Pure.
 */
const isOurs = ({ name, labels, definition }: SeenNetwork): boolean =>
  labels[SUPERVISED] !== undefined ||
  labels['io.resin.supervised'] !== undefined ||
  (name === API_NETWORK && definition?.options['com.docker.network.bridge.name'] === name);
