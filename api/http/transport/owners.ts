import { statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { LocalPeers } from '../../../crds/model/local-peers.js';
import { isForwarded, type ListenerKind, seemsLocal, suppliedKey, type TrustRules } from './trust.js';

export interface OwnersDeps {
  readonly rules: Pick<TrustRules, 'localMode' | 'development' | 'scopeOf'>;
  readonly peers: LocalPeers;
  listenerKindOf(request: IncomingMessage): ListenerKind;
  /** Returns the file of the unix socket that the request came through. */
  fileOf(request: IncomingMessage): string | undefined;
  /** Tells whether everybody gets this answer. */
  isOpen(url: string): boolean;
}

/** Any user may write to the socket (S_IWOTH), and connecting is writing. */
const OPEN_TO_ALL = 0o002;

/**
 * Decides which connections of this machine are those of its owner. The kernel is asked once for each, at its first
 * request for which that matters; requests of such a connection wait, in their order.
 */
export class Owners {
  readonly #known = new WeakMap<Socket, boolean>();
  readonly #asked = new WeakMap<Socket, Promise<void>>();

  constructor(private readonly deps: OwnersDeps) {}

  /** Tells what is known by now. A request without a connection comes from this process. */
  isOwner(request: IncomingMessage): boolean {
    const { socket } = request;
    if (!(socket instanceof Socket)) return true;
    return this.deps.listenerKindOf(request) === 'unix' ? this.#isPrivate(request) : (this.#known.get(socket) ?? false);
  }

  /** Calls `serve` when `isOwner` is final for the request: at once, unless the kernel has to be asked. */
  whenKnown(request: IncomingMessage, serve: () => void): void {
    const { socket } = request;
    const asked = this.#asked.get(socket) ?? (this.#matters(request) ? this.#ask(socket) : undefined);
    if (asked === undefined) serve();
    else void asked.then(serve);
  }

  #matters(request: IncomingMessage): boolean {
    const { socket, headers, url = '' } = request;
    const { rules, listenerKindOf, isOpen } = this.deps;
    if (this.#known.has(socket) || !rules.localMode || rules.development) return false;
    const { remoteAddress } = socket;
    const caller = { listener: listenerKindOf(request), remoteAddress, isForwarded: isForwarded(headers) };
    if (caller.listener !== 'tcp' || !seemsLocal(caller) || isOpen(url)) return false;
    const key = suppliedKey({ apikey: apikeyIn(url), authorization: headers.authorization });
    return key === undefined || rules.scopeOf(key) === undefined;
  }

  #ask(socket: Socket): Promise<void> {
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
    const answer = this.deps.peers.isOwner({ remoteAddress, remotePort, localAddress, localPort }).then((isOwner) => {
      this.#known.set(socket, isOwner);
      this.#asked.delete(socket);
    });
    this.#asked.set(socket, answer);
    return answer;
  }

  /** Tells whether only the device's owner can connect to the socket's file. Node does not tell who has connected. */
  #isPrivate(request: IncomingMessage): boolean {
    const path = this.deps.fileOf(request);
    const file = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    return file !== undefined && (file.mode & OPEN_TO_ALL) === 0;
  }
}

/** Reads `apikey` as hapi will. */
function apikeyIn(url: string): string | undefined {
  if (!url.includes('apikey=')) return undefined;
  const [key, ...more] = new URLSearchParams(url.slice(url.indexOf('?') + 1)).getAll('apikey');
  return more.length === 0 ? key : undefined;
}
