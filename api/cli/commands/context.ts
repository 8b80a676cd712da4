import { addressText, parseHost } from '../client/address.js';
import { type Config, configPath, readConfig, writeConfig } from '../client/contexts.js';
import type { GlobalOptions, Session } from '../client/session.js';
import { usageError } from '../failure.js';
import { tableLines } from '../format/table.js';

/** Runs `supercargo context`: lists the agents that a person works with. */
export async function listContexts({ io, env, json }: Session): Promise<void> {
  const path = configPath(env);
  const config = await readConfig(path);
  const names = Object.entries(config.contexts);
  if (json) {
    // Keys are not shown.
    io.out(
      ...names.map(([name, { host, key }]) =>
        JSON.stringify({ name, host, hasKey: key !== undefined, current: name === config.current }),
      ),
    );
    return;
  }
  if (names.length === 0) {
    io.err(`There are no contexts in ${path}; make one: supercargo context set NAME --host HOST [--key KEY]`);
    return;
  }
  const rows = names.map(([name, { host, key }]) => [
    name === config.current ? '*' : '',
    name,
    host,
    key === undefined ? '-' : 'kept',
  ]);
  io.out(...tableLines(['', 'NAME', 'HOST', 'KEY'], rows));
}

/** Creates or changes a context; the first becomes the current one. */
export async function setContext({ io, env }: Session, name: string, { host, key }: GlobalOptions): Promise<void> {
  const path = configPath(env);
  const config = await readConfig(path);
  const before = config.contexts[name];
  const chosen = host ?? before?.host;
  if (chosen === undefined)
    throw usageError(`The context "${name}" needs a host`, `supercargo context set ${name} --host HOST`);
  const keptKey = key ?? before?.key;
  const one = { host: addressText(parseHost(chosen)), ...(keptKey === undefined ? {} : { key: keptKey }) };
  const next: Config = { current: config.current ?? name, contexts: { ...config.contexts, [name]: one } };
  await writeConfig(path, next);
  io.out(`context ${name}: ${one.host}${next.current === name ? ' (current)' : ''}`);
}

export async function useContext({ io, env }: Session, name: string): Promise<void> {
  const path = configPath(env);
  const config = await readConfig(path);
  const one = existing(config, name);
  await writeConfig(path, { ...config, current: name });
  io.out(`context ${name}: ${one.host} (current)`);
}

export async function removeContext({ io, env }: Session, name: string): Promise<void> {
  const path = configPath(env);
  const config = await readConfig(path);
  existing(config, name);
  const { [name]: _removed, ...contexts } = config.contexts;
  const { current, ...others } = { ...config, contexts };
  await writeConfig(path, current === undefined || current === name ? others : { ...others, current });
  io.out(`context ${name} removed`);
}

function existing({ contexts }: Config, name: string): Config['contexts'][string] {
  const one = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (one) return one;
  throw usageError(`There is no context "${name}"`, `Known are ${Object.keys(contexts).join(', ') || 'none'}`);
}
