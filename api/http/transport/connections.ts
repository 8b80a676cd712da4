import type { Socket } from 'node:net';
import type { ListenerKind } from './trust.js';

export interface CrowdLimits {
  /** Number of connections to one listener. */
  readonly connections: number;
  /** Number of connections from one address to one listener; this machine has no such limit. */
  readonly perAddress: number;
  /** Connections beyond `connections` that only this machine may have. */
  readonly reserved: number;
}

/** The part of a socket that matters here. */
export type Peer = Pick<Socket, 'remoteAddress' | 'localAddress' | 'destroy'>;

/** The connections from one address. */
interface Caller<P> {
  /** Those without a request, the longest idle first. */
  readonly idle: Set<P>;
  /** Number of requests under way, by connection. */
  readonly busy: Map<P, number>;
  /** The address is this machine. */
  readonly isLocal: boolean;
  isReported: boolean;
}

/**
 * Limits the connections of one listener. A new one is admitted as long as an idle one can be closed for it: over the
 * limit of its address one of its own, at the limit of the listener one of whoever has most. So nobody shuts others out
 * by merely holding connections open, and a probe gets through from the very address that does. Requests under way are
 * never cut.
 */
export class Connections<P extends Peer> {
  readonly #callers = new Map<string, Caller<P>>();
  /** Address of each connection, because a closed one does not know it any more. */
  readonly #addresses = new Map<P, string>();

  constructor(
    private readonly listener: ListenerKind,
    private readonly limits: CrowdLimits,
    /** Called once for each address that reaches its limit, until it has disconnected. */
    private readonly crowded: (address: string) => void = () => undefined,
  ) {}

  get count(): number {
    return this.#addresses.size;
  }

  /** Admits a new connection, and closes another one where that makes room. Returns false when there is none. */
  admit(peer: P): boolean {
    const isLocal = this.#isLocal(peer);
    const address = peer.remoteAddress ?? '';
    const { connections, perAddress, reserved } = this.limits;
    const own = this.#callers.get(address);
    if (own && !isLocal && sizeOf(own) >= perAddress) {
      if (!own.isReported) this.crowded(address);
      own.isReported = true;
      if (!this.#cutOldest(own)) return false;
    }
    const most = isLocal ? connections + reserved : connections;
    if (this.count >= most && !this.#cutOldest(this.#greediest(isLocal))) return false;
    const caller = this.#callers.get(address) ?? { idle: new Set(), busy: new Map(), isLocal, isReported: false };
    this.#callers.set(address, caller);
    caller.idle.add(peer);
    this.#addresses.set(peer, address);
    return true;
  }

  /** Notes a request on it. */
  began(peer: P): void {
    const caller = this.#callerOf(peer);
    if (!caller) return;
    caller.idle.delete(peer);
    caller.busy.set(peer, (caller.busy.get(peer) ?? 0) + 1);
  }

  /** Notes that a request was answered, or given up. */
  ended(peer: P): void {
    const caller = this.#callerOf(peer);
    const requests = caller?.busy.get(peer);
    if (!caller || requests === undefined) return;
    if (requests > 1) {
      caller.busy.set(peer, requests - 1);
      return;
    }
    caller.busy.delete(peer);
    caller.idle.add(peer);
  }

  /** Notes that it was closed. */
  left(peer: P): void {
    const address = this.#addresses.get(peer);
    const caller = this.#callerOf(peer);
    if (address === undefined || !caller) return;
    this.#addresses.delete(peer);
    caller.idle.delete(peer);
    caller.busy.delete(peer);
    if (sizeOf(caller) === 0) this.#callers.delete(address);
  }

  #callerOf(peer: P): Caller<P> | undefined {
    const address = this.#addresses.get(peer);
    return address === undefined ? undefined : this.#callers.get(address);
  }

  #isLocal({ remoteAddress, localAddress }: Peer): boolean {
    if (this.listener === 'unix' || remoteAddress === localAddress) return true;
    return this.listener === 'tcp' && /^(::ffff:)?127\.|^::1$/.test(remoteAddress ?? '');
  }

  #cutOldest(caller: Caller<P> | undefined): boolean {
    const [oldest] = caller?.idle ?? [];
    if (!oldest) return false;
    this.left(oldest);
    oldest.destroy();
    return true;
  }

  /** Returns who has most connections, of those with an idle one. What is reserved for this machine is not given to others. */
  #greediest(isLocal: boolean): Caller<P> | undefined {
    let found: Caller<P> | undefined;
    for (const caller of this.#callers.values()) {
      const isKept = !isLocal && caller.isLocal && sizeOf(caller) <= this.limits.reserved;
      if (caller.idle.size > 0 && !isKept && (!found || sizeOf(caller) > sizeOf(found))) found = caller;
    }
    return found;
  }
}

const sizeOf = ({ idle, busy }: Caller<unknown>): number => idle.size + busy.size;
