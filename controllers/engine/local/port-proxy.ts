import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../../api/platform/processes/local-processes.js';
import { holderOfPort } from '../../../api/platform/processes/port-holder.js';
import type { EngineFolders } from './engine-folders.js';

/** A process of an engine that listens at a port of the host for a container. */
export interface PortProxy {
  readonly pid: number;
  /** Where it forwards to, `172.17.0.2:80`; undefined for the daemon itself. */
  readonly target: string | undefined;
}

/**
 * Returns the process of the engine of these folders that listens at a port of the host: its proxy (`docker-proxy`) or the
 * daemon. Undefined when somebody else does, or nobody that this machine shows.
 */
export function portProxyOf(
  { pidFile }: Pick<EngineFolders, 'pidFile'>,
  { address, port }: { readonly address: string; readonly port: number },
  proc = '/proc',
): PortProxy | undefined {
  const { pid } = holderOfPort(address, port, proc) ?? {};
  if (pid === undefined) return undefined;
  const isDaemon = (words: readonly string[]): boolean => words.includes(`--pidfile=${pidFile}`);
  const words = wordsOf(pid, proc);
  if (isDaemon(words)) return { pid, target: undefined };
  if (!/(?:^|\/)docker-proxy$/.test(words[0] ?? '')) return undefined;
  const status = attempt(() => readFileSync(join(proc, String(pid), 'status'), 'utf8')) ?? '';
  const parent = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  if (!isDaemon(wordsOf(parent, proc))) return undefined;
  const after = (flag: string): string => (words.includes(flag) ? (words[words.indexOf(flag) + 1] ?? '') : '');
  return { pid, target: `${after('-container-ip')}:${after('-container-port')}` };
}

const wordsOf = (pid: number, proc: string): readonly string[] =>
  (attempt(() => readFileSync(join(proc, String(pid), 'cmdline'), 'utf8')) ?? '').split('\0');
