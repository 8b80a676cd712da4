import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { visible } from '../visible.js';
import { attempt } from './local-processes.js';
import { type ListedSocket, serverSockets } from './socket-table.js';

/** The holder of a socket, as far as this machine shows it. */
export interface SocketHolder {
  readonly uid: number;
  /** Undefined when the process cannot be seen: it belongs to another user, or is in another container. */
  readonly pid?: number;
  /** The name that the process has given itself. */
  readonly program?: string;
}

const TABLES = ['tcp', 'tcp6'] as const;

/**
 * Returns who keeps others from listening at a port of an address: a listener there or at every address, else a
 * connection that happens to begin there. Undefined when nobody does, or where there is no `/proc`.
 */
export function holderOfPort(host: string, port: number, proc = '/proc'): SocketHolder | undefined {
  const sockets = TABLES.flatMap((name) => {
    const table = attempt(() => readFileSync(join(proc, 'net', name), 'latin1'));
    return table === undefined ? [] : serverSockets(table, host, port, name === 'tcp' ? 4 : 6);
  });
  const socket = sockets.find(({ isListening }) => isListening) ?? sockets[0];
  return socket && holderOf(socket, proc);
}

/** Returns the holder of a socket that a table lists. */
export function holderOf({ uid, inode }: ListedSocket, proc = '/proc'): SocketHolder {
  const wanted = `socket:[${inode}]`;
  const pids = inode === 0 ? [] : (attempt(() => readdirSync(proc)) ?? []).filter((name) => /^\d+$/.test(name));
  const holds = (pid: string): boolean =>
    openFilesOf(pid, proc).some((file) => attempt(() => readlinkSync(file)) === wanted);
  const pid = pids.find(holds);
  if (pid === undefined) return { uid };
  const program = attempt(() => readFileSync(join(proc, pid, 'comm'), 'utf8').trim());
  return { uid, pid: Number(pid), ...(program ? { program: visible(program, false) } : {}) };
}

/** Tells whether a process has that file open, whatever path it was opened by. */
export function hasOpen(pid: number, path: string, proc = '/proc'): boolean {
  const wanted = attempt(() => statSync(path, { bigint: true }));
  return (
    wanted !== undefined &&
    openFilesOf(String(pid), proc).some((file) => {
      const seen = attempt(() => statSync(file, { bigint: true }));
      return seen?.ino === wanted.ino && seen.dev === wanted.dev;
    })
  );
}

/** Returns the open files of a process, as paths below `/proc`. */
function openFilesOf(pid: string, proc: string): readonly string[] {
  const folder = join(proc, pid, 'fd');
  return (attempt(() => readdirSync(folder)) ?? []).map((file) => join(folder, file));
}

/** Describes a holder, as in `nc (pid 77, uid 1000)`. Pure. */
export function holderText({ uid, pid, program }: SocketHolder): string {
  if (pid === undefined) return `a program of uid ${uid}`;
  return `${program ?? 'a program'} (pid ${pid}, uid ${uid})`;
}
