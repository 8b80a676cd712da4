import { readFileSync, realpathSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../../crds/model/local-peers.js';
import { attempt, localProcesses } from '../../platform/processes/local-processes.js';
import { hasOpen, holderOf, holderText } from '../../platform/processes/port-holder.js';
import { clientKey, clientSockets, type ListedSocket } from '../../platform/processes/socket-table.js';
import { CommandError, EXIT } from '../failure.js';

export interface PeerCheckOptions {
  /** Data folder of this machine's agent: it belongs to the agent's user, who keeps a lock in it while the agent runs. */
  readonly dataFolder: string;
  readonly proc?: string;
  readonly uid?: number;
  /** How long the other end may take to accept the connection, ms. */
  readonly patienceMs?: number;
}

const LOOK_MS = 10;
/** Others may write to it; with S_ISVTX only the owner of a file in the folder may replace it. */
const WRITABLE = 0o022;
const STICKY = 0o1000;

/**
 * Throws a `CommandError` unless the other end of a local connection is the agent: while that is down, any user of the
 * machine may listen at its port and ask for the key. The kernel is asked about this very connection, because the
 * listener may be another one a moment later. Root, the user who runs the command and the owner of the data folder are
 * accepted: they can read what is sent anyway. Systems other than Linux do not tell, and pass.
 */
export async function checkPeer(socket: Socket, options: PeerCheckOptions): Promise<void> {
  const { proc = '/proc', dataFolder, uid = process.geteuid?.() ?? 0, patienceMs = 3_000 } = options;
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  const connection = { remoteAddress, remotePort, localAddress, localPort };
  let tries = Math.ceil(patienceMs / LOOK_MS);
  let found = otherEnd(connection, proc);
  // A connection that nobody has accepted yet belongs to nobody.
  while (found !== undefined && found !== 'unlisted' && found.inode === 0 && tries > 0 && !socket.destroyed) {
    await delay(LOOK_MS);
    tries -= 1;
    found = otherEnd(connection, proc);
  }
  if (found === undefined) return;
  const port = `Port ${remotePort} of ${remoteAddress}`;
  if (found === 'unlisted' || found.inode === 0) {
    throw refusal(`${port} is held by somebody whom this machine does not tell`);
  }
  const holder = holderOf(found, proc);
  if (!trustedUids(dataFolder, uid).has(found.uid)) {
    throw refusal(`${port} is held by ${holderText(holder)}, which is not the agent`);
  }
  if (holder.pid === undefined || hasOpen(holder.pid, join(dataFolder, 'lock'), proc)) return;
  const processes = attempt(() => localProcesses({ proc, uid: found.uid }));
  const held = await processes?.holdings(String(holder.pid), new Set([found.inode]));
  if (held?.get(found.inode) === 'a container') {
    throw refusal(`${port} is held by ${holderText(holder)} in a container, which is not the agent`);
  }
}

/** Returns the socket at the other end. Undefined where there are no tables; `unlisted` when none of them has it. */
function otherEnd(connection: Connection, proc: string): ListedSocket | 'unlisted' | undefined {
  const tables = ([4, 6] as const).flatMap((family) => {
    const table = attempt(() => readFileSync(join(proc, 'net', family === 4 ? 'tcp' : 'tcp6')));
    return table === undefined ? [] : [{ table, family }];
  });
  if (tables.length === 0) return undefined;
  for (const { table, family } of tables) {
    if (family === 4 && !connection.remoteAddress.includes('.')) continue;
    const key = clientKey(connection, family);
    const found = clientSockets(table, new Set([key])).get(key);
    if (found) return found;
  }
  return 'unlisted';
}

/** Throws a `CommandError` for a socket file that somebody else has created, or could replace. */
export function checkSocketFile(path: string, { dataFolder, uid = process.geteuid?.() ?? 0 }: PeerCheckOptions): void {
  const trusted = trustedUids(dataFolder, uid);
  const real = attempt(() => realpathSync(path));
  if (real === undefined) return; // the connection says why
  for (let at = real; ; at = dirname(at)) {
    const seen = attempt(() => statSync(at));
    if (!seen) return;
    if (!trusted.has(seen.uid)) throw refusal(`${at} belongs to uid ${seen.uid}, which is not the agent's`);
    if (at !== real && (seen.mode & WRITABLE) !== 0 && (seen.mode & STICKY) === 0) {
      throw refusal(`Others may replace what is in ${at} (mode ${(seen.mode & 0o7777).toString(8)})`);
    }
    if (dirname(at) === at) return;
  }
}

/** Returns who may have the key: those who can read it. */
function trustedUids(dataFolder: string, uid: number): ReadonlySet<number> {
  const owner = attempt(() => statSync(dataFolder).uid);
  return new Set([0, uid, ...(owner === undefined ? [] : [owner])]);
}

const refusal = (why: string): CommandError =>
  new CommandError(`${why}: the key was not sent`, {
    exit: EXIT.unreachable,
    hint: 'Is the agent running (systemctl status supercargo)? If that is where it answers, say so: --host ADDRESS --key KEY.',
  });
