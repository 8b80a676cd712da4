import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { isMap } from '../../../crds/model/maps.js';
import { type Io, processIo } from '../format/io.js';
import { DEFAULT_HOST, isLocal, parseHost } from './address.js';
import { type Client, connect } from './client.js';
import { chooseTarget, configPath, readConfig } from './contexts.js';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly host?: string;
  readonly key?: string;
  readonly context?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** Everything that a command works with. */
export interface Session {
  readonly io: Io;
  /** JSON instead of tables and sentences, for programs. */
  readonly json: boolean;
  readonly now: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns the client for the chosen agent. Reads the config file; sends no request yet. */
  client(): Promise<Client>;
  /** Tells whether the chosen agent is certainly on this machine. */
  isLocal(): Promise<boolean>;
}

export function openSession(options: GlobalOptions): Session {
  const { env } = process;
  return {
    io: processIo(options),
    json: options.json ?? false,
    now: Date.now,
    env,
    async isLocal() {
      const { host } = chooseTarget(options, env, await readConfig(configPath(env)));
      return isLocal(parseHost(host ?? DEFAULT_HOST));
    },
    async client() {
      const { host, key } = chooseTarget(options, env, await readConfig(configPath(env)));
      const address = parseHost(host ?? DEFAULT_HOST);
      if (!isLocal(address) || (address.is === 'tcp' && address.secure)) {
        return connect({ address, key, localKey: async () => (isLocal(address) ? readKey(env) : undefined) });
      }
      const whose = { dataFolder: dirname(keyFile(env)) };
      return connect({
        address,
        key,
        isNamed: host !== undefined,
        async localKey() {
          if (address.is === 'socket') (await import('./peer-check.js')).checkSocketFile(address.path, whose);
          return readKey(env);
        },
        ...(address.is === 'tcp'
          ? { check: async (socket: Socket) => (await import('./peer-check.js')).checkPeer(socket, whose) }
          : {}),
      });
    },
  };
}

export const keyFile = (env: Session['env'], data?: string): string =>
  join(data ?? (env.SUPERCARGO_DATA || '/var/lib/supercargo'), 'keys.json');

/** Reads the key of the agent on this machine; undefined for users who may not read its data. */
async function readKey(env: Session['env']): Promise<string | undefined> {
  try {
    return keyIn(await readFile(keyFile(env), 'utf8'));
  } catch {
    return undefined; // the agent's refusal says what to do
  }
}

/** Returns the global key of a key file; undefined when there is none. Pure. */
export function keyIn(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  return isMap(value) && typeof value.global === 'string' ? value.global : undefined;
}
