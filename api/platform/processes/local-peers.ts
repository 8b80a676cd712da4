import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Connection, LocalPeers } from '../../../crds/model/local-peers.js';
import { type LocalProcessesOptions, localProcesses, type Objection } from './local-processes.js';
import { clientKey, clientSockets, type ListedSocket } from './socket-table.js';

const TABLES = [
  ['tcp', 4],
  ['tcp6', 6],
] as const;
const PAGE_BYTES = 4096;
const TABLE_BYTES = 16 * PAGE_BYTES;
/** Longest time that other work waits while processes are examined, ms. */
const SLICE_MS = 1;
/** Longest time that questions are gathered while more of them arrive, ms: one look at the kernel costs as much for one as for a thousand. */
const GATHER_MS = 250;
/** How many processes that recently held a socket are examined first: a client that connects again and again is one of them. */
const REMEMBERED = 8;

export interface LocalPeersOptions extends LocalProcessesOptions {
  readonly log: Pick<Logger, 'debug'>;
}

interface PendingCheck {
  readonly connection: Connection;
  readonly answer: (isOwner: boolean) => void;
}

/**
 * Finds out who is at the other end of connections in this network namespace. Reads nothing before it is asked, except
 * what this process is.
 */
export function openLocalPeers({
  log,
  ...options
}: LocalPeersOptions): LocalPeers & { readonly blindness: string | undefined } {
  const { proc = '/proc', uid: ownUid = process.getuid?.() ?? 0 } = options;
  const processes = localProcesses(options);
  let waiting: PendingCheck[] = [];
  let busy = false;
  let recent: readonly string[] = [];

  /**
   * Answers everybody who has asked so far with one table, because the kernel walks all its sockets for it, and with
   * one look at the processes. Whoever asks meanwhile waits for the next: in an older table the same ports may belong
   * to somebody else.
   */
  async function work(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      await gather();
      const batch = waiting;
      waiting = [];
      const objections = await objectionsTo(batch.map(({ connection }) => connection)).catch((err: unknown) => {
        log.debug({ err }, 'Could not look at the sockets of this machine');
        return batch.map((): Objection => 'the kernel does not tell');
      });
      const yieldTurn = turnYielder();
      for (const [index, { connection, answer }] of batch.entries()) {
        await yieldTurn(); // whoever is answered goes on at once, and a thousand of them would keep all others waiting
        const objection = objections[index];
        if (objection) log.debug({ ...connection, objection }, 'A caller on this machine needs a key');
        answer(objection === undefined);
      }
    }
    busy = false;
  }

  /** Resolves once a round of the event loop has brought no more questions. */
  async function gather(): Promise<void> {
    const endMs = performance.now() + GATHER_MS;
    for (let seen = 0; seen < waiting.length && performance.now() < endMs; ) {
      seen = waiting.length;
      await nextTurn();
    }
  }

  async function objectionsTo(connections: readonly Connection[]): Promise<readonly (Objection | undefined)[]> {
    const sockets = await socketsOf(connections);
    const held = sockets.flatMap((socket) => (objectionToSocket(socket) === undefined && socket ? [socket.inode] : []));
    const byInode = await objectionsToHolders(new Set(held));
    return sockets.map((socket) => {
      const objection = objectionToSocket(socket);
      if (objection !== undefined || !socket) return objection;
      return byInode.has(socket.inode) ? byInode.get(socket.inode) : 'the kernel does not tell';
    });
  }

  /** A socket without an inode has been closed by its process, and is then listed as root's. */
  function objectionToSocket(socket: ListedSocket | undefined): Objection | undefined {
    if (!socket || socket.inode === 0) return 'the kernel does not tell';
    return socket.uid === 0 || socket.uid === ownUid ? undefined : 'another user';
  }

  /** Returns the sockets of the clients. A client may use an IPv6 socket for an IPv4 address. */
  async function socketsOf(connections: readonly Connection[]): Promise<readonly (ListedSocket | undefined)[]> {
    const found = new Map<Connection, ListedSocket>();
    for (const [name, family] of TABLES) {
      const wanted = connections.filter((one) => !found.has(one) && (family === 6 || one.remoteAddress.includes('.')));
      if (wanted.length === 0) continue;
      const keys = wanted.map((one) => clientKey(one, family));
      const sockets = await lookIn(join(proc, 'net', name), new Set(keys));
      for (const [index, one] of wanted.entries()) {
        const socket = sockets.get(keys[index] ?? '');
        if (socket) found.set(one, socket);
      }
    }
    return connections.map((one) => found.get(one));
  }

  /** Returns the objections to the processes that hold these sockets. A process that is not found is not in the result. */
  async function objectionsToHolders(inodes: ReadonlySet<number>): Promise<ReadonlyMap<number, Objection | undefined>> {
    const found = new Map<number, Objection | undefined>();
    if (inodes.size === 0) return found;
    const yieldTurn = turnYielder();
    for (const pid of inOrder(recent, processes.pids())) {
      await yieldTurn();
      const held = await processes.holdings(pid, inodes, yieldTurn);
      if (held.size === 0) continue;
      for (const [inode, objection] of held) if (!found.has(inode)) found.set(inode, objection);
      recent = [pid, ...recent.filter((one) => one !== pid)].slice(0, REMEMBERED);
      if (found.size === inodes.size) break;
    }
    return found;
  }

  return {
    isOwner: (connection) =>
      new Promise((answer) => {
        waiting.push({ connection, answer });
        if (!busy) void work();
      }),
    get blindness() {
      return processes.blindness;
    },
  };
}

/** Looks in a table until all keys of `clientKey` are found. Where there is no IPv6, there is no table. */
async function lookIn(path: string, wanted: ReadonlySet<string>): Promise<ReadonlyMap<string, ListedSocket>> {
  const found = new Map<string, ListedSocket>();
  if (!existsSync(path)) return found;
  const yieldTurn = turnYielder();
  // Without promises: the kernel returns a page at a time, and Node's threads would take longer to pass it on than it
  // took to fill.
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(TABLE_BYTES);
    let length = 0;
    for (let ended = false; !ended && found.size < wanted.size; ) {
      while (!ended && length < TABLE_BYTES - PAGE_BYTES) {
        const count = readSync(file, buffer, length, PAGE_BYTES, null);
        length += count;
        ended = count === 0;
        await yieldTurn();
      }
      const lines = buffer.subarray(0, buffer.subarray(0, length).lastIndexOf('\n') + 1);
      for (const [key, socket] of clientSockets(lines, wanted)) found.set(key, socket);
      buffer.copyWithin(0, lines.length, length); // the beginning of a line that goes on in the next page
      length -= lines.length;
    }
  } finally {
    closeSync(file);
  }
  return found;
}

/** Returns a function that lets other work run once a slice of time is used up. */
function turnYielder(): () => Promise<void> | undefined {
  let endMs = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < endMs) return undefined;
    return nextTurn().then(() => {
      endMs = performance.now() + SLICE_MS;
    });
  };
}

function* inOrder(first: readonly string[], all: readonly string[]): Iterable<string> {
  yield* first;
  for (const one of all) if (!first.includes(one)) yield one;
}
