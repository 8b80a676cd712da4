import { lstat, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { hasCode } from '../../platform/errors.js';
import { holderOfPort, holderText } from '../../platform/processes/port-holder.js';
import { AcceptFairness } from './accept-fairness.js';
import { type Address, addressText, covers } from './address.js';
import { Connections } from './connections.js';
import type { ListenerKind } from './trust.js';

/** Limits of one listener, so that slow and silent clients cost little and not for long. */
export interface ConnectionLimits {
  /** Number of connections; for one more an idle one is closed, or the new one. */
  readonly connections: number;
  /** Number of them from one address; this machine may have all. */
  readonly perAddress: number;
  /** Number beyond them, for this machine alone. */
  readonly reserved: number;
  /** Time for the whole head of a request, ms; then the connection is cut. */
  readonly headMs: number;
  /** Time for a whole request, ms; then it is answered 408 and cut. */
  readonly requestMs: number;
  /** Time for a whole body that only its signature can vouch for, ms; then it is given up. */
  readonly signedBodyMs: number;
  /** Time without traffic, ms; then the connection is cut. Streams are exempt. */
  readonly idleMs: number;
  /** How often heads and requests are checked, ms. */
  readonly checkMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  connections: 2_000,
  perAddress: 100,
  reserved: 50,
  headMs: 10_000,
  requestMs: 300_000,
  signedBodyMs: 10_000, // GitHub and GitLab wait no longer for an answer
  idleMs: 15 * 60_000,
  checkMs: 5_000,
};
const KEEP_ALIVE_MS = 5_000;
/**
 * Number of connections that the kernel keeps until they are accepted; it takes no more than `net.core.somaxconn`, 4096
 * since Linux 5.4. Over it, a client that nobody hears tries again after 1, 3, 7 and 15 s: so a probe would, too.
 */
const BACKLOG = 4_096;

interface Listener {
  readonly address: Address;
  readonly server: Server;
}

/** The sockets that one request handler is served on. Knows through which one a request came. */
export class Listeners {
  readonly #open: Listener[] = [];
  readonly #listenerOf = new WeakMap<Socket, { readonly kind: ListenerKind; readonly address: Address }>();
  readonly #fairness = new AcceptFairness();

  constructor(
    private readonly handle: RequestListener,
    private readonly limits: ConnectionLimits = CONNECTION_LIMITS,
    private readonly warn: (message: string) => void = () => undefined,
    /** Calls `serve` when it is known who sends the request. */
    private readonly whenKnown: (request: IncomingMessage, serve: () => void) => void = (_, serve) => serve(),
  ) {}

  /** Where it listens, with the actual ports. */
  get addresses(): readonly string[] {
    return this.#open.map(({ address }) => addressText(address));
  }

  listenerKindOf(request: IncomingMessage): ListenerKind {
    return this.#listenerOf.get(request.socket)?.kind ?? 'tcp';
  }

  /** Returns the file of the unix socket that it came through. */
  fileOf(request: IncomingMessage): string | undefined {
    const address = this.#listenerOf.get(request.socket)?.address;
    return address?.is === 'unix' ? address.path : undefined;
  }

  /**
   * Listens on one more address; does nothing when an open listener covers it. Rejects when the system refuses. Returns
   * how to end that, with every connection that came through it.
   */
  async add(address: Address, kind: ListenerKind): Promise<() => Promise<void>> {
    if (this.#open.some((one) => covers(one.address, address))) return async () => undefined;
    if (address.is === 'unix') await removeStaleSocket(address.path);
    const { perAddress, headMs, requestMs, idleMs, checkMs } = this.limits;
    const at = addressText(address);
    const connections = new Connections<Socket>(kind, this.limits, (from) =>
      this.warn(`${from} has ${perAddress} connections to ${at}: for each more, one that it does not use is closed`),
    );
    const times = { headersTimeout: headMs, requestTimeout: requestMs, connectionsCheckingInterval: checkMs };
    const server = createServer({ ...times, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      const { socket } = request;
      connections.began(socket);
      response.once('close', () => connections.ended(socket));
      this.whenKnown(request, () =>
        this.#fairness.serve(() => {
          if (!request.destroyed) this.handle(request, response);
        }),
      );
    });
    server.on('connection', (socket: Socket) => {
      if (!connections.admit(socket)) {
        socket.destroy();
        return;
      }
      socket.once('close', () => connections.left(socket));
      this.#listenerOf.set(socket, { kind, address });
      this.#fairness.connected();
    });
    server.timeout = idleMs;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error): void => reject(listenError(address, error));
      server.once('error', refuse);
      const place = address.is === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
      server.listen({ ...place, backlog: BACKLOG }, () => {
        server.off('error', refuse);
        // The system could not accept a connection: it is out of file descriptors, or of memory. The next one may
        // succeed.
        server.on('error', (error) => this.warn(`Could not accept a connection at ${at}: ${error.message}`));
        resolve();
      });
    });
    const listener = { address: actual(address, server), server };
    this.#open.push(listener);
    return async () => {
      const place = this.#open.indexOf(listener);
      if (place < 0) return;
      this.#open.splice(place, 1);
      await closed(server, 0);
    };
  }

  /** Accepts no more connections, waits for requests in flight and cuts what is left at the deadline. */
  async close(deadlineMs: number): Promise<void> {
    const servers = this.#open.splice(0).map(({ server }) => server);
    await Promise.all(servers.map((server) => closed(server, deadlineMs)));
  }
}

/** Returns why it cannot listen there; of an address that is taken by whom, and what to do. */
function listenError(address: Address, error: Error): Error {
  if (!hasCode(error, 'EADDRINUSE')) return error;
  const at = addressText(address);
  if (address.is === 'unix') {
    return new Error(
      `Cannot listen at ${at}: a program answers there already. Stop it, or listen elsewhere (--listen)`,
      {
        cause: error,
      },
    );
  }
  const holder = holderOfPort(address.host, address.port);
  const who = holder === undefined ? 'somebody whom this machine does not tell' : holderText(holder);
  return new Error(
    `Cannot listen at ${at}: the port is taken by ${who}. End that (if it is an agent: systemctl stop supercargo), or listen elsewhere (--listen)`,
    { cause: error },
  );
}

async function closed(server: Server, deadlineMs: number): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}

function actual(address: Address, server: Server): Address {
  const bound = server.address();
  return address.is === 'tcp' && bound !== null && typeof bound === 'object'
    ? { ...address, port: bound.port }
    : address;
}

/** Removes a socket file that a crash has left, on which nobody answers. Anything else at the path stays. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (found?.isSocket() && !(await answers(path))) await rm(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
