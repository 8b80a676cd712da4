import { errorMessage } from '../../../api/platform/errors.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { Run } from '../units.js';

/** The settings that decide about the firewall. */
export interface FirewallRules {
  /** `on` refuses everything that was not requested; `auto` does while a service is on the host's network; any other refuses nothing. */
  readonly mode: string;
  readonly hasHostService: boolean;
  readonly localMode: boolean;
  readonly apiPort: number;
}

/** Position of the jump to our chain among the rules of INPUT, counted from 1; undefined: there is none. */
export type JumpPlace = number | undefined;

/** Interfaces on which the API may be reached outside of local mode. */
const API_INTERFACES = ['resin-vpn', 'tun0', 'docker0', 'lo', 'supervisor0'];

/**
 * Returns the text for `iptables-restore --noflush` (or `ip6tables-restore`) that recreates our chains
 * (docs/reference/host.md §15). The jump keeps its position; rules of others are not touched. Pure.
 */
export function renderFirewall(family: 4 | 6, rules: FirewallRules, jump: JumpPlace): string {
  const { mode, hasHostService, localMode, apiPort } = rules;
  const add = (rule: string): string => `-A BALENA-FIREWALL ${rule}`;
  const api = `-p tcp --dport ${apiPort}`;
  const refuses = mode === 'on' || (mode === 'auto' && hasHostService);
  const lines = [
    '*filter',
    ':BALENA-FIREWALL - [0:0]',
    ...(family === 4 ? [':DOCKER-USER - [0:0]', ':BALENA-SUPERVISOR - [0:0]'] : []),
    ...(jump === undefined ? [] : ['-D INPUT -j BALENA-FIREWALL']),
    `-I INPUT ${jump ?? 1} -j BALENA-FIREWALL`,
    '-F BALENA-FIREWALL',
    ...(localMode ? [add(`${api} -j ACCEPT`)] : API_INTERFACES.map((name) => add(`${api} -i ${name} -j ACCEPT`))),
    add(`${api} -j REJECT`),
    add('-p tcp --dport 22222 -j ACCEPT'),
    add('-p tcp --dport 2375 -j ACCEPT'),
    add('-m addrtype --dst-type MULTICAST -j ACCEPT'),
    add(`-p ${family === 4 ? 'icmp' : 'ipv6-icmp'} -j ACCEPT`),
    add('-p udp --dport 53 -i balena0 -j ACCEPT'),
    add('-p udp --dport 53 -i br+ -j ACCEPT'),
    '-I BALENA-FIREWALL -m addrtype --src-type LOCAL -j ACCEPT',
    '-I BALENA-FIREWALL -m state --state ESTABLISHED,RELATED -j ACCEPT',
    ...(refuses ? [] : [add('-j RETURN')]),
    add('-j REJECT'),
    ...(family === 4 ? ['-A DOCKER-USER -j BALENA-SUPERVISOR', '-F BALENA-SUPERVISOR'] : []),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

/** Reads the position of the jump from `iptables -S INPUT`. Pure. */
export function jumpPlace(rules: string): JumpPlace {
  const at = rules
    .split('\n')
    .filter((line) => line.startsWith('-A INPUT '))
    .findIndex((line) => /-j BALENA-FIREWALL\b/.test(line));
  return at < 0 ? undefined : at + 1;
}

/** Leaves out the jump from `DOCKER-USER` to our chain where it exists already. Pure. */
const withoutDockerJump = (text: string): string => text.replace('-A DOCKER-USER -j BALENA-SUPERVISOR\n', '');

/** The host's firewall. Runs nothing unless it is allowed. */
export interface Firewall {
  /** Recreates the chains unless these rules are in force. Returns false when that failed for IPv4, IPv6 or both. */
  apply(rules: FirewallRules): Promise<boolean>;
}

export interface FirewallOptions {
  /** Off by default: an agent that is only tried out must not shut anybody out of its machine. */
  readonly allowed: boolean;
  readonly run: Run;
  readonly logLine: (message: string, isError?: boolean) => void;
  readonly log: { readonly warn: (details: object, message: string) => void };
}

/** Creates a firewall by iptables. A failure is logged once, for as long as it stays the same. */
export function iptablesFirewall({ allowed, run, logLine, log }: FirewallOptions): Firewall {
  /** The rules that are in force, and how the last try to set others failed; by family. */
  const inForce = new Map<4 | 6, string>();
  const failures = new Map<4 | 6, string>();
  async function restore(family: 4 | 6, rules: FirewallRules): Promise<void> {
    const program = family === 4 ? 'iptables' : 'ip6tables';
    const ask = async (args: readonly string[], input?: string) =>
      run(program + (input === undefined ? '' : '-restore'), args, {
        signal: timeoutSignal(20_000),
        ...(input === undefined ? {} : { input }),
      });
    const seen = await ask(['-S', 'INPUT']);
    if (!seen.ok) throw new Error(`${program} -S INPUT: ${seen.output.trim()}`);
    const dockerUser = family === 4 ? await ask(['-S', 'DOCKER-USER']) : undefined;
    const text = renderFirewall(family, rules, jumpPlace(seen.stdout));
    const jumps = dockerUser?.ok === true && /-j BALENA-SUPERVISOR\b/.test(dockerUser.stdout);
    const result = await ask(['--noflush', '--verbose'], jumps ? withoutDockerJump(text) : text);
    if (!result.ok) throw new Error(`${program}-restore: ${result.output.trim()}`);
  }
  return {
    async apply(rules) {
      const key = JSON.stringify(rules);
      if (!allowed) return true;
      for (const family of [4, 6] as const) {
        if (inForce.get(family) === key) continue;
        inForce.delete(family);
        try {
          await restore(family, rules);
          inForce.set(family, key);
          failures.delete(family);
        } catch (error) {
          const why = errorMessage(error);
          if (failures.get(family) === why) continue;
          failures.set(family, why);
          log.warn({ err: error }, `Could not apply the firewall for IPv${family}`);
          logLine(`Error applying firewall mode: ${why}`, true);
        }
      }
      return inForce.size === 2;
    },
  };
}
