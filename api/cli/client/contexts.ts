import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isMap } from '../../../crds/model/maps.js';
import { errorMessage, hasCode } from '../../platform/errors.js';
import { parsePrivateJson } from '../../platform/json-text.js';
import { CommandError, usageError } from '../failure.js';

type Env = Readonly<Record<string, string | undefined>>;

/** One agent that a person works with. */
interface Context {
  readonly host: string;
  readonly key?: string;
}

/** The config file: JSON, so that no command has to load a YAML parser. */
export interface Config {
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

/** Returns `SUPERCARGO_CONFIG`, else `supercargo/config.json` in the folder for configuration (XDG). Pure. */
export function configPath(env: Env): string {
  if (env.SUPERCARGO_CONFIG) return env.SUPERCARGO_CONFIG;
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'supercargo', 'config.json');
}

/** Reads the config file; without one there are no contexts. Throws for a file that cannot be parsed. */
export async function readConfig(path: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return { contexts: {} };
    throw new CommandError(`Cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
  return parseConfig(text, path);
}

/** Parses a config file. Pure; throws for anything else. */
export function parseConfig(text: string, path: string): Config {
  const hint = `Correct it, or remove it; expected {"current": "name", "contexts": {"name": {"host": "…", "key": "…"}}}`;
  let value: unknown;
  try {
    value = parsePrivateJson(text);
  } catch (cause) {
    throw new CommandError(`${path} cannot be used: ${errorMessage(cause)}`, { cause, hint });
  }
  if (!isMap(value) || !isMap(value.contexts ?? {}))
    throw new CommandError(`${path} is no config file of supercargo`, { hint });
  const contexts: Record<string, Context> = {};
  for (const [name, one] of Object.entries(value.contexts ?? {})) {
    if (!isMap(one) || typeof one.host !== 'string' || !(one.key === undefined || typeof one.key === 'string')) {
      throw new CommandError(`${path}: the context "${name}" needs a host, and may have a key`, { hint });
    }
    contexts[name] = { host: one.host, ...(one.key === undefined ? {} : { key: one.key }) };
  }
  return { ...(typeof value.current === 'string' ? { current: value.current } : {}), contexts };
}

/** Replaces the config file atomically, for its owner only: it may hold keys. */
export async function writeConfig(path: string, config: Config): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}

export interface Target {
  readonly host: string | undefined;
  readonly key: string | undefined;
}

/**
 * Chooses the agent: flags win over variables, variables over the context. A key of a context is not sent to a host
 * that was named separately. Pure; throws for an unknown context.
 */
export function chooseTarget(
  flags: {
    readonly host?: string | undefined;
    readonly key?: string | undefined;
    readonly context?: string | undefined;
  },
  env: Env,
  config: Config,
): Target {
  const name = flags.context ?? (env.SUPERCARGO_CONTEXT || undefined);
  const host = flags.host ?? (flags.context === undefined ? env.SUPERCARGO_HOST || undefined : undefined);
  const key = flags.key ?? (env.SUPERCARGO_API_KEY || undefined);
  if (host !== undefined) return { host, key };
  const chosen = name ?? config.current;
  if (chosen === undefined) return { host: undefined, key };
  const context = Object.hasOwn(config.contexts, chosen) ? config.contexts[chosen] : undefined;
  if (!context) {
    const known = Object.keys(config.contexts);
    throw usageError(
      `There is no context "${chosen}"`,
      known.length > 0 ? `Known are ${known.join(', ')}` : 'Make it: supercargo context set NAME --host HOST',
    );
  }
  return { host: context.host, key: flags.key ?? context.key ?? key };
}
