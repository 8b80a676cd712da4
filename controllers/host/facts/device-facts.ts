import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { nodeDisk, replaceFile, syncFolders } from '../../../api/platform/disk.js';
import { errorMessage, hasCode } from '../../../api/platform/errors.js';
import { readOwnFile } from '../../../api/platform/quarantine.js';
import { readBounded } from '../../../api/platform/read-file.js';
import { parseMap } from '../../../crds/model/maps.js';
import type { DeviceFacts } from './facts.js';

export interface DeviceFactsOptions {
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
  readonly dataFolder: string;
  /** Path of the engine's socket on the host. */
  readonly engineSocket: string;
  readonly apiPort: number;
  /** ms since the epoch. */
  readonly now: () => number;
}

/**
 * Reads what the device is: from the boot partition first, then from this machine. Creates the device's uuid when
 * nobody has given it one, and keeps it in the data folder; a kept file that cannot be parsed is set aside, never
 * overwritten.
 */
export async function readDeviceFacts(options: DeviceFactsOptions): Promise<DeviceFacts> {
  const { hostRoot, dataFolder, engineSocket, apiPort, now } = options;
  const boot = join(hostRoot, 'mnt/boot');
  const type = parseMap((await textOf(join(boot, 'device-type.json'))) ?? '');
  const config = parseMap((await textOf(join(boot, 'config.json'))) ?? '');
  const release = parseOsRelease(
    (await textOf(join(hostRoot, 'etc/os-release'))) ?? (await textOf(join(hostRoot, 'usr/lib/os-release'))) ?? '',
  );
  const arch = text(type?.arch) ?? architecture(process.arch, armVersion());
  return {
    uuid: uuidIn(config) ?? (await keptUuid(dataFolder, now())),
    deviceType: text(type?.slug) ?? `generic-${arch}`,
    arch,
    osVersion: release.PRETTY_NAME ?? '',
    osVariant: release.VARIANT_ID ?? (config && (isOn(config.developmentMode) ? 'dev' : 'prod')),
    metaVersion: release.META_BALENA_VERSION,
    boardRevision: release.BALENA_BOARD_REV ?? release.RESIN_BOARD_REV,
    bootId: text((await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined))?.trim()),
    hasModules: existsSync(join(hostRoot, 'lib/modules')),
    hasFirmware: existsSync(join(hostRoot, 'lib/firmware')),
    engineSocket,
    apiPort,
    hostname: () => (hostRoot === '/' ? hostname() : (readHostname(hostRoot) ?? hostname())),
  };
}

/** Converts Node's name of a processor to balena's. Pure. */
export function architecture(nodeArch: string, armVersion?: string): string {
  if (nodeArch === 'arm') return armVersion === '6' ? 'rpi' : 'armv7hf';
  const words: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'aarch64', ia32: 'i386' };
  return words[nodeArch] ?? nodeArch;
}

/** Reads the variables of an os-release file (os-release(5)): shell-like assignments, quotes removed. Pure. */
export function parseOsRelease(content: string): Readonly<Partial<Record<string, string>>> {
  const variables = new Map<string, string>();
  for (const [line] of content.matchAll(/.+/g)) {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? [];
    if (name === undefined || value === undefined) continue;
    const quoted = /^(["'])(.*)\1$/.exec(value)?.[2];
    variables.set(name, (quoted ?? value).replace(/\\(.)/g, '$1'));
  }
  return Object.fromEntries(variables);
}

/**
 * Returns the uuid in `<data>/device.json`, which the first call creates. Rejects when an existing file cannot be read,
 * because another uuid makes another device.
 */
async function keptUuid(dataFolder: string, nowMs: number): Promise<string> {
  const path = join(dataFolder, 'device.json');
  const content = await textOf(path, ['ENOENT']).catch((error: Error) => {
    if (hasCode(error.cause, 'EFBIG')) return ''; // no uuid is that long
    throw error;
  });
  const kept = uuidIn(parseMap(content ?? ''));
  if (kept !== undefined) return kept;
  if (content !== undefined) await rename(path, `${path}.corrupt-${nowMs}`);

  const uuid = randomUUID().replaceAll('-', '');
  await mkdir(dataFolder, { recursive: true });
  await replaceFile(nodeDisk, path, `${JSON.stringify({ uuid })}\n`);
  await syncFolders(nodeDisk, [dataFolder]);
  return uuid;
}

/** Reads a file as text; undefined when it does not exist or is not ours to read. Throws every other error. */
async function textOf(
  path: string,
  absent: readonly string[] = ['ENOENT', 'ENOTDIR', 'EACCES'],
): Promise<string | undefined> {
  try {
    return (await readBounded(path)).toString();
  } catch (error) {
    if (hasCode(error, ...absent)) return undefined;
    throw new Error(`Could not read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Reads a switch of a config.json, which may be a string. */
const isOn = (value: unknown): boolean => ['true', '1', 'on'].includes(String(value).toLowerCase());

/** Returns a uuid of 32 or 62 hex digits, as balena has them. */
const uuidIn = (fields: Readonly<Record<string, unknown>> | undefined): string | undefined =>
  /^(?:[0-9a-f]{32}|[0-9a-f]{62})$/.exec(text(fields?.uuid)?.toLowerCase() ?? '')?.[0];

/** Returns the ARM version that Node is built for; `6` is the first Raspberry Pi. */
function armVersion(): string | undefined {
  const variables = Object.entries(process.config.variables);
  return variables.find(([name]) => name === 'arm_version')?.[1]?.toString();
}

const LIMIT_HOSTNAME_BYTES = 64 * 1024;

function readHostname(hostRoot: string): string | undefined {
  const path = join(hostRoot, 'etc/hostname');
  const file = readOwnFile(path, LIMIT_HOSTNAME_BYTES);
  return file?.unfit === undefined ? text(file?.text.trim()) : undefined;
}
