import { EngineError, type NetworkOptions, type SeenNetwork } from '../engine.js';
import { SPEC_HASH } from '../labels.js';
import { overlaps } from '../local/engine-bridge.js';
import { isAlive, type MemoryContainer } from './memory-container.js';
import type { MemoryEvents } from './memory-events.js';

interface MemoryNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly subnets: readonly string[];
  readonly gateway: string | undefined;
  readonly definition?: SeenNetwork['definition'];
}

const PREDEFINED = ['bridge', 'host', 'none'];

/** The networks of an engine in memory, and the endpoints of containers on them. */
export class MemoryNetworks {
  readonly #networks = new Map<string, MemoryNetwork>();
  /** Endpoints of containers that are gone, by id of the network: names of those containers. */
  readonly #leaked = new Map<string, Set<string>>();

  constructor(
    readonly events: MemoryEvents,
    readonly newId: (what: string) => string,
  ) {
    for (const name of PREDEFINED) {
      const id = this.newId(name);
      const [subnets, gateway] = name === 'bridge' ? [['172.17.0.0/16'], '172.17.0.1'] : [[], undefined];
      this.#networks.set(id, { id, name, driver: name === 'none' ? 'null' : name, labels: {}, subnets, gateway });
    }
  }

  /** Has these in the place of what it had. Nothing is announced. */
  adopt(networks: readonly SeenNetwork[]): void {
    this.#networks.clear();
    for (const one of networks) {
      const { id, name, labels, gateway, definition } = one;
      const subnets = (definition?.pools ?? []).flatMap(({ subnet }) => subnet ?? []);
      const driver = definition?.driver ?? 'bridge';
      this.#networks.set(id, {
        ...{ id, name, driver, labels, subnets, gateway },
        ...(definition ? { definition } : {}),
      });
    }
  }

  get all(): readonly SeenNetwork[] {
    return [...this.#networks.values()].map(seenMemoryNetwork);
  }

  find(reference: string): SeenNetwork | undefined {
    const network = this.#one(reference);
    return network === undefined ? undefined : seenMemoryNetwork(network);
  }

  /** The name of the network that a container asks for by name or id; what it asks for when there is none. */
  nameOf(reference: string): string {
    return this.#named(reference)[0]?.name ?? reference;
  }

  /** `checked`: refuse a name that exists; the API does so only when asked to. */
  create(name: string, options: NetworkOptions, checked = true): string {
    if (PREDEFINED.includes(name)) {
      throw new EngineError(`operation is not permitted on predefined ${name} network`, 403);
    }
    if (checked && this.#named(name).length > 0) {
      throw new EngineError(`network with name ${name} already exists`, 409);
    }
    const pools = (options.IPAM as { Config?: { Subnet?: string; Gateway?: string }[] } | undefined)?.Config ?? [];
    const given = pools.flatMap(({ Subnet }) => (Subnet ? [Subnet] : []));
    const used = [...this.#networks.values()].flatMap(({ subnets }) => subnets);
    if (given.some((one) => used.some((other) => overlaps(one, other)))) {
      throw new EngineError('Pool overlaps with other one on this address space', 403);
    }
    const subnets = given.length > 0 || options.ConfigOnly ? given : [this.#freeSubnet(used)];
    const gateway =
      pools.find((pool) => pool.Gateway)?.Gateway ?? subnets[0]?.replace(/^(\d+\.\d+\.\d+)\.\d+\/\d+$/, '$1.1');
    const id = this.newId('network');
    const driver = options.Driver || 'bridge';
    const definition = {
      driver: options.ConfigOnly ? 'null' : driver,
      internal: options.Internal ?? false,
      ipv6: options.EnableIPv6 ?? false,
      configOnly: options.ConfigOnly ?? false,
      attachable: options.Attachable ?? false,
      options: { ...options.Options },
      pools: subnets.map((subnet, at) => ({ subnet, ...(at === 0 && gateway ? { gateway } : {}) })),
    };
    this.#networks.set(id, { id, name, driver, labels: { ...options.Labels }, subnets, gateway, definition });
    this.events.emit('network', 'create', id, { name, type: driver });
    return id;
  }

  /** In use is only who runs: a stopped container does not keep its network, and cannot start without it. */
  remove(reference: string, containers: readonly MemoryContainer[]): void {
    const network = this.#one(reference);
    if (network === undefined) throw new EngineError(`network ${reference} not found`, 404);
    const { id, name } = network;
    if (PREDEFINED.includes(name)) throw new EngineError(`${name} is a pre-defined network and cannot be removed`, 403);
    if (containers.some((one) => [...one.networks.values()].some((endpoint) => endpoint.up && endpoint.id === id))) {
      throw new EngineError(`error while removing network: network ${name} id ${id} has active endpoints`, 403);
    }
    if ((this.#leaked.get(id)?.size ?? 0) > 0) {
      throw new EngineError(`error while removing network: network ${name} id ${id} has active endpoints`, 403);
    }
    this.#networks.delete(id);
    this.events.emit('network', 'destroy', id, { name, type: network.driver });
  }

  /** For a container that does not run nothing is looked up: a network that is not there shows at its start. */
  connect(reference: string, container: MemoryContainer, aliases: readonly string[]): void {
    const network = this.#one(reference);
    if (/^(host$|container:)/.test(container.networkMode) && (network !== undefined || isAlive(container))) {
      const words = 'container sharing network namespace with another container or host';
      throw new EngineError(`${words} cannot be connected to any other network`, 400);
    }
    if (!isAlive(container)) {
      const name = network?.name ?? reference;
      container.networks.set(name, container.networks.get(name) ?? { id: '', up: false, aliases });
      return;
    }
    if (network === undefined) throw new EngineError(`network ${reference} not found`, 404);
    if (container.networks.has(network.name)) {
      throw new EngineError(`endpoint with name ${container.name} already exists in network ${network.name}`, 403);
    }
    container.networks.set(network.name, { id: network.id, up: true, aliases });
    this.#announce('connect', network, container);
  }

  disconnect(reference: string, container: MemoryContainer): void {
    const network = this.#one(reference);
    if (network === undefined && isAlive(container)) throw new EngineError(`network ${reference} not found`, 404);
    const name = network?.name ?? reference;
    if (!container.networks.delete(name)) {
      throw new EngineError(`container ${container.id} is not connected to network ${name}`, 500);
    }
    if (network !== undefined) this.#announce('disconnect', network, container);
  }

  /** The daemon forgets to take a container's endpoint away with the container. No list shows it. */
  leak(reference: string, container: string): void {
    const { id } = this.#one(reference) ?? {};
    if (id === undefined) throw new Error(`There is no network ${reference}`);
    this.#leaked.set(id, new Set([...(this.#leaked.get(id) ?? []), container]));
  }

  /** The daemon was started again: no endpoint is left over. */
  forget(): void {
    this.#leaked.clear();
  }

  /** Takes the endpoint of a container that is gone away; returns whether there was one. */
  release(reference: string, container: string): boolean {
    return this.#leaked.get(this.#one(reference)?.id ?? '')?.delete(container) ?? false;
  }

  /** Names of the containers that have an endpoint there; undefined when there is no such network. */
  users(reference: string, containers: readonly MemoryContainer[]): readonly string[] | undefined {
    const network = this.#one(reference);
    return (
      network &&
      containers
        .filter(({ networks }) => [...networks.values()].some(({ up, id }) => up && id === network.id))
        .map(({ name }) => name)
    );
  }

  /** Looks up every network of a container that is about to start; throws when it cannot join one. */
  lookUp(container: MemoryContainer): void {
    for (const [name, endpoint] of container.networks) {
      const network = this.#one(endpoint.id === '' ? name : endpoint.id);
      if (network === undefined) throw new EngineError(`network ${endpoint.id || name} not found`, 404);
      endpoint.id = network.id;
      if (this.#leaked.get(network.id)?.has(container.name)) {
        throw new EngineError(`endpoint with name ${container.name} already exists in network ${network.name}`, 403);
      }
    }
  }

  /** Its process begins: it gets an endpoint on each of its networks. */
  join(container: MemoryContainer): void {
    this.#setEndpoints(container, true);
  }

  /** Its process has ended. */
  leave(container: MemoryContainer): void {
    this.#setEndpoints(container, false);
  }

  #setEndpoints(container: MemoryContainer, up: boolean): void {
    for (const endpoint of container.networks.values()) {
      endpoint.up = up;
      const network = this.#networks.get(endpoint.id);
      if (network !== undefined) this.#announce(up ? 'connect' : 'disconnect', network, container);
    }
  }

  #one(reference: string): MemoryNetwork | undefined {
    const found = this.#named(reference);
    if (found.length > 1) {
      throw new EngineError(`network ${reference} is ambiguous (${found.length} matches found based on name)`, 400);
    }
    return found[0];
  }

  /** The one of that id, else all of that name, else those whose id begins so. */
  #named(reference: string): MemoryNetwork[] {
    const byId = this.#networks.get(reference);
    if (byId !== undefined) return [byId];
    const byName = [...this.#networks.values()].filter(({ name }) => name === reference);
    if (byName.length > 0 || !/^[0-9a-f]{8,}$/.test(reference)) return byName;
    return [...this.#networks.values()].filter(({ id }) => id.startsWith(reference));
  }

  #freeSubnet(used: readonly string[]): string {
    const pools = Array.from({ length: 14 }, (_, index) => `172.${18 + index}.0.0/16`);
    const small = Array.from({ length: 256 }, (_, index) => `192.168.${index}.0/24`);
    const free = [...pools, ...small].find((pool) => !used.some((other) => overlaps(pool, other)));
    if (free === undefined) {
      throw new EngineError('could not find an available, non-overlapping IPv4 address pool among the defaults', 500);
    }
    return free;
  }

  #announce(action: 'connect' | 'disconnect', network: MemoryNetwork, container: MemoryContainer): void {
    this.events.emit('network', action, network.id, {
      container: container.id,
      name: network.name,
      type: network.driver,
    });
  }
}

const seenMemoryNetwork = ({ id, name, labels, gateway, definition }: MemoryNetwork): SeenNetwork => ({
  id,
  name,
  labels,
  specHash: labels[SPEC_HASH],
  gateway,
  ...(definition ? { definition } : {}),
});
