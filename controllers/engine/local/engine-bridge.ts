import type { Env } from '../../../api/platform/programs.js';
import { runCommand } from '../../../api/platform/run-program.js';

/**
 * Creates the interface that the daemon uses as its default network when it is missing, and returns the pool that its
 * networks come from: the /16 around it, as in `172.18.0.0/16`. Needs root and `ip`.
 */
export async function ensureBridge(name: string, env: Env): Promise<string> {
  const ip = (...args: string[]) => runCommand('ip', args, { env });
  const shown = await ip('-j', '-4', 'address', 'show', 'dev', name);
  const [present] = shown.ok ? parseAddresses(shown.stdout) : [];
  if (present !== undefined) return poolAround(present);
  const routes = await ip('-j', '-4', 'route', 'show', 'table', 'all');
  const pool = freePool(routes.ok ? parseRoutes(routes.stdout) : []);
  const steps = [
    ...(shown.ok ? [] : [['link', 'add', 'name', name, 'type', 'bridge']]),
    ['address', 'add', pool.replace(/0\/16$/, '1/24'), 'dev', name],
    ['link', 'set', name, 'up'],
  ];
  for (const step of steps) {
    const done = await ip(...step);
    if (!done.ok) throw new Error(`Could not make the engine's network: ip ${step.join(' ')}: ${done.output.trim()}`);
  }
  return pool;
}

/** Returns the pool of an existing bridge. */
export async function poolOfBridge(name: string, env: Env): Promise<string | undefined> {
  const shown = await runCommand('ip', ['-j', '-4', 'address', 'show', 'dev', name], { env });
  const [present] = shown.ok ? parseAddresses(shown.stdout) : [];
  return present === undefined ? undefined : poolAround(present);
}

export async function removeBridge(name: string, env: Env): Promise<void> {
  await runCommand('ip', ['link', 'delete', name], { env }); // an absent one is as good as a removed one
}

/** Returns the first of the usual private ranges that no route of this machine leads into. Pure. */
export function freePool(routes: readonly string[]): string {
  const candidates = [
    ...Array.from({ length: 15 }, (_, index) => `172.${17 + index}.0.0/16`),
    ...Array.from({ length: 128 }, (_, index) => `10.${64 + index}.0.0/16`),
  ];
  const free = candidates.find((candidate) => !routes.some((route) => overlaps(candidate, route)));
  if (free === undefined) throw new Error('No private IPv4 range is free for the engine');
  return free;
}

const poolAround = (address: string): string => address.replace(/\.\d+\.\d+$/, '.0.0/16');

/** Tells whether two IPv4 prefixes share an address; `10.1.2.3` is a prefix of 32 bits, `default` shares nothing. Pure. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parsePrefix(one), parsePrefix(other)];
  if (a === undefined || b === undefined) return false;
  const size = 2 ** (32 - Math.min(a.bits, b.bits));
  return Math.floor(a.address / size) === Math.floor(b.address / size);
}

function parsePrefix(text: string): { address: number; bits: number } | undefined {
  const [, dotted, bits = '32'] = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/.exec(text) ?? [];
  if (dotted === undefined) return undefined;
  return { address: dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), bits: Number(bits) };
}

const parseRoutes = (json: string): string[] => (JSON.parse(json) as { dst: string }[]).map(({ dst }) => dst);
const parseAddresses = (json: string): string[] =>
  (JSON.parse(json || '[]') as { addr_info?: { local?: string }[] }[]).flatMap(({ addr_info = [] }) =>
    addr_info.flatMap(({ local }) => (local === undefined ? [] : [local])),
  );
