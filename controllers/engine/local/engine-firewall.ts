import type { Env } from '../../../api/platform/programs.js';
import { runCommand } from '../../../api/platform/run-program.js';

/**
 * Returns the rules that let the containers of one address pool talk to each other and to the world. Only for a daemon
 * that must not write rules itself: another one on the machine has made DROP the policy for everything that it does not
 * know. Published ports need none, the daemon's proxy serves them. Pure.
 */
export const forwardingRules = (pool: string): readonly (readonly string[])[] => [
  ['filter', 'FORWARD', '-s', pool, '-j', 'ACCEPT'],
  ['filter', 'FORWARD', '-d', pool, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED', '-j', 'ACCEPT'],
  ['nat', 'POSTROUTING', '-s', pool, '!', '-d', pool, '-j', 'MASQUERADE'],
];

/** Adds missing rules. Returns what went wrong, for people: a machine without these tables may need no rules either. */
export async function allowForwarding(pool: string, env: Env): Promise<string | undefined> {
  for (const [table = '', chain = '', ...rule] of forwardingRules(pool)) {
    const present = await runCommand('iptables', ['-t', table, '-C', chain, ...rule], { env });
    if (present.ok) continue;
    const added = await runCommand('iptables', ['-t', table, '-I', chain, ...rule], { env });
    if (!added.ok) return added.output.trim();
  }
  return undefined;
}

/** Removes the rules; missing ones count as removed. */
export async function forgetForwarding(pool: string, env: Env): Promise<void> {
  for (const [table = '', chain = '', ...rule] of forwardingRules(pool)) {
    await runCommand('iptables', ['-t', table, '-D', chain, ...rule], { env });
  }
}
