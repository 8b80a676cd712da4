import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Address, addressText, parseAddresses } from '../../api/http/transport/address.js';
import type { AppKeyReach } from '../../api/http/transport/app-keys.js';
import { errorMessage } from '../../api/platform/errors.js';
import { durationMs } from '../../crds/model/duration.js';
import { MIN_READY_SECONDS } from '../revision/observe.js';

/** Everything that is read from flags and environment, once, at the start. */
export interface Settings {
  /**
   * Folder of documents, status and keys. Absolute, because programs that the agent runs (git, ssh, dockerd) have other
   * working folders.
   */
  readonly dataFolder: string;
  readonly manifestFolders: readonly string[];
  /** `host:port` or `unix:/path`, several of them separated by blanks. */
  readonly listen: string;
  /** Port that containers use: the first one of `listen`, or 48484. */
  readonly apiPort: number;
  readonly apiKey: string | undefined;
  readonly hostRoot: string;
  /** Folder of update locks, as the host sees it. */
  readonly lockRoot: string;
  readonly localMode: boolean;
  readonly development: boolean;
  /** What the keys of apps may do besides their app: all that the Supervisor permits, or nothing. */
  readonly appKeys: AppKeyReach;
  readonly logLevel: LogLevel;
  /** `external`: the one at DOCKER_HOST. `private`: our own. `auto`: an existing one, else our own. */
  readonly engine: EngineMode;
  /** `DOCKER_HOST`; undefined for Docker's usual socket. */
  readonly dockerHost: string | undefined;
  /** Image that is built from Debian's busybox-static when it is missing. */
  readonly seedImage: string | undefined;
  /** Bytes of the engine's disk that pulls leave free. */
  readonly minFreeDiskBytes: number;
  /** How long images are kept after the release that wanted them, ms. */
  readonly imageGraceMs: number;
  /** How long every service has to be well before a release is good, where its App does not say, s. */
  readonly minReadySeconds: number;
  /**
   * Whether login1 may be asked to reboot or to shut down. Off by default, so that an agent that is only tried out
   * cannot end its machine.
   */
  readonly power: boolean;
  /** Whether the host's firewall may be changed. Off by default, so that an agent that is only tried out shuts nobody out. */
  readonly firewall: boolean;
  /** Commands that are run instead of login1. */
  readonly powerCommands: { readonly reboot: string | undefined; readonly shutdown: string | undefined };
  /** Brightness file of the LED that blinks. */
  readonly ledFile: string;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const APP_KEY_REACHES: readonly AppKeyReach[] = ['device', 'app'];
const ENGINE_MODES = ['auto', 'external', 'private'] as const;
type EngineMode = (typeof ENGINE_MODES)[number];

export const USAGE = `supercargo: makes the documents in a folder true with Docker, and keeps them true.

  supercargo [agent] [flags]

  --data FOLDER        documents, status, keys       SUPERCARGO_DATA        /var/lib/supercargo
  --manifests FOLDERS  watched, separated by ":"     SUPERCARGO_MANIFESTS   /etc/supercargo/manifests
  --listen ADDRESS     host:port, unix:/path, or a,b SUPERCARGO_LISTEN      127.0.0.1:48484
  --host-root FOLDER   the host's file system        SUPERCARGO_HOST_ROOT   /
  --lock-root FOLDER   lock directories on the host  SUPERCARGO_LOCK_ROOT   /tmp/balena-supervisor/services
  --log-level LEVEL    trace … error, silent         SUPERCARGO_LOG_LEVEL   info
  --engine MODE        auto, external, private       SUPERCARGO_ENGINE      external
  --seed-image NAME    made from Debian's busybox-static when it is missing
  --version, --help

Also from the environment: SUPERCARGO_API_KEY, SUPERCARGO_LOCAL_MODE, SUPERCARGO_DEVELOPMENT, SUPERCARGO_APP_KEYS, DOCKER_HOST,
SUPERCARGO_POWER, SUPERCARGO_REBOOT_COMMAND, SUPERCARGO_SHUTDOWN_COMMAND, SUPERCARGO_FIREWALL, LED_FILE,
SUPERCARGO_MIN_FREE_DISK, SUPERCARGO_IMAGE_GRACE, SUPERCARGO_MIN_READY, DOCKER_CONFIG.`;

/** Invalid flags or environment, in one sentence for people. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Reads flags and environment; flags win. Relative paths start at `cwd`. Pure. Throws `SettingsError`; `help` and
 * `version` are requests, not errors.
 */
export function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Settings | 'help' | 'version' {
  const flags = flagsOf(args);
  if (flags.help) return 'help';
  if (flags.version) return 'version';
  const listen = listenAddresses(flags.listen ?? env.SUPERCARGO_LISTEN ?? '127.0.0.1:48484');
  return {
    dataFolder: resolve(cwd, flags.data ?? env.SUPERCARGO_DATA ?? '/var/lib/supercargo'),
    manifestFolders: folders(flags.manifests ?? env.SUPERCARGO_MANIFESTS ?? '/etc/supercargo/manifests'),
    listen: listen.map(addressText).join(' '),
    apiPort: listen.find((one) => one.is === 'tcp')?.port ?? 48484,
    apiKey: apiKey(env.SUPERCARGO_API_KEY),
    hostRoot: absolute(flags['host-root'] ?? env.SUPERCARGO_HOST_ROOT ?? '/', '--host-root'),
    lockRoot: absolute(
      flags['lock-root'] ?? env.SUPERCARGO_LOCK_ROOT ?? '/tmp/balena-supervisor/services',
      '--lock-root',
    ),
    localMode: truthy(env.SUPERCARGO_LOCAL_MODE ?? 'on', 'SUPERCARGO_LOCAL_MODE'),
    development: truthy(env.SUPERCARGO_DEVELOPMENT ?? 'off', 'SUPERCARGO_DEVELOPMENT'),
    appKeys: oneOf(APP_KEY_REACHES, env.SUPERCARGO_APP_KEYS || 'device', 'SUPERCARGO_APP_KEYS'),
    logLevel: oneOf(LOG_LEVELS, flags['log-level'] ?? env.SUPERCARGO_LOG_LEVEL ?? 'info', 'log level'),
    engine: oneOf(ENGINE_MODES, flags.engine ?? env.SUPERCARGO_ENGINE ?? 'external', 'engine'),
    dockerHost: env.DOCKER_HOST === '' ? undefined : env.DOCKER_HOST,
    seedImage: flags['seed-image'],
    minFreeDiskBytes: size(env.SUPERCARGO_MIN_FREE_DISK ?? '100m', 'SUPERCARGO_MIN_FREE_DISK'),
    minReadySeconds: duration(env.SUPERCARGO_MIN_READY ?? `${MIN_READY_SECONDS}s`, 'SUPERCARGO_MIN_READY') / 1000,
    imageGraceMs: duration(env.SUPERCARGO_IMAGE_GRACE ?? '10m', 'SUPERCARGO_IMAGE_GRACE'),
    power: truthy(env.SUPERCARGO_POWER ?? 'off', 'SUPERCARGO_POWER'),
    firewall: truthy(env.SUPERCARGO_FIREWALL ?? 'off', 'SUPERCARGO_FIREWALL'),
    powerCommands: { reboot: env.SUPERCARGO_REBOOT_COMMAND, shutdown: env.SUPERCARGO_SHUTDOWN_COMMAND },
    ledFile: env.LED_FILE ?? '/sys/class/leds/led0/brightness',
  };
}

/** Returns the settings without secrets, for the log. Pure. */
export const printable = (settings: Settings): object => ({
  ...settings,
  apiKey: settings.apiKey === undefined ? 'from the data folder' : 'from the environment',
});

function flagsOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        manifests: { type: 'string' },
        listen: { type: 'string' },
        'host-root': { type: 'string' },
        'lock-root': { type: 'string' },
        'log-level': { type: 'string' },
        engine: { type: 'string' },
        'seed-image': { type: 'string' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new SettingsError(`${errorMessage(error)}. See --help.`, { cause: error });
  }
}

function folders(text: string): readonly string[] {
  const list = text.split(':').filter((folder) => folder !== '');
  if (list.length === 0) throw new SettingsError('The manifests setting names no folder');
  return list;
}

/** Returns a path on the host, which Docker gets as well. Throws unless it is absolute. */
function absolute(path: string, flag: string): string {
  if (path.startsWith('/')) return path;
  throw new SettingsError(`${flag} is "${path}": expected an absolute path such as /${path}`);
}

function listenAddresses(text: string): readonly Address[] {
  try {
    return parseAddresses(text);
  } catch (cause) {
    throw new SettingsError(errorMessage(cause), { cause });
  }
}

function apiKey(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\w+$/.test(text)) throw new SettingsError('SUPERCARGO_API_KEY may hold letters, digits and _ only');
  return text;
}

/** Reads bytes, or a number with a unit of 1024: `100m`. */
function size(text: string, name: string): number {
  const [, digits, unit = ''] = /^(\d{1,15})([kmg]?)b?$/i.exec(text) ?? [];
  if (digits === undefined) throw new SettingsError(`${name} is "${text}": expected a size such as 100m or 2g`);
  return Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
}

function duration(text: string, name: string): number {
  const ms = text === '0' ? 0 : durationMs(text);
  if (ms === undefined) throw new SettingsError(`${name} is "${text}": expected a time such as 10m or 1h30m, or 0`);
  return ms;
}

function truthy(text: string, name: string): boolean {
  if (/^(1|true|on)$/i.test(text)) return true;
  if (/^(0|false|off|)$/i.test(text)) return false;
  throw new SettingsError(`${name} is "${text}": expected on or off`);
}

function oneOf<T extends string>(choices: readonly T[], text: string, what: string): T {
  const found = choices.find((choice) => choice === text);
  if (!found) throw new SettingsError(`Unknown ${what} "${text}": expected one of ${choices.join(', ')}`);
  return found;
}
