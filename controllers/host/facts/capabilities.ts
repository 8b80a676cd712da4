import { readdir } from 'node:fs/promises';
import { release as kernelRelease, type as kernelType } from 'node:os';
import { join } from 'node:path';
import { readBounded } from '../../../api/platform/read-file.js';
import { parseOsRelease } from './device-facts.js';
import type { DeviceFacts } from './facts.js';

/** Something that a device has and that a contract may require. */
export interface Capability {
  readonly type: 'sw.supervisor' | 'hw.device-type' | 'arch.sw' | 'sw.os' | 'sw.kernel' | 'sw.l4t' | 'sw.spec';
  readonly slug?: string;
  readonly version?: string;
}

export interface CapabilitySources {
  readonly facts: Pick<DeviceFacts, 'deviceType' | 'arch'>;
  /** The Supervisor version that we are compatible with. */
  readonly supervisorVersion: string;
  /** Content of the host's os-release file. */
  readonly osRelease: string;
  /** As `uname -s` and `uname -r` say. */
  readonly kernel: { readonly name: string; readonly release: string };
}

/** Returns what this device offers to contracts; what is not known is not offered. Pure. (docs/reference/composition.md §8.) */
export function capabilitiesOf({
  facts,
  supervisorVersion,
  osRelease,
  kernel,
}: CapabilitySources): readonly Capability[] {
  const { ID: id, VERSION: version } = parseOsRelease(osRelease);
  const kernelVersion = /^\d+\.\d+\.\d+/.exec(kernel.release)?.[0];
  const [, l4t] = /-l4t-r(\d+\.\d+(?:\.\d+)?)/.exec(kernel.release) ?? [];
  return [
    { type: 'sw.supervisor', version: supervisorVersion },
    { type: 'hw.device-type', slug: facts.deviceType },
    { type: 'arch.sw', slug: facts.arch },
    { type: 'sw.spec', slug: 'compose' },
    ...(id && version ? [{ type: 'sw.os', slug: id, version } as const] : []),
    ...(kernelVersion ? [{ type: 'sw.kernel', slug: kernel.name.toLowerCase(), version: kernelVersion } as const] : []),
    ...(l4t ? [{ type: 'sw.l4t', version: l4t.split('.').length === 2 ? `${l4t}.0` : l4t } as const] : []),
  ];
}

/** Reads the capabilities of the host. */
export async function readCapabilities(
  hostRoot: string,
  rest: Pick<CapabilitySources, 'facts' | 'supervisorVersion'>,
): Promise<readonly Capability[]> {
  const read = (path: string): Promise<string | undefined> =>
    readBounded(join(hostRoot, path)).then(String, () => undefined); // an unknown system offers nothing
  const osRelease = (await read('etc/os-release')) ?? (await read('usr/lib/os-release')) ?? '';
  return capabilitiesOf({ ...rest, osRelease, kernel: { name: kernelType(), release: kernelRelease() } });
}

const REGISTERED = 'proc/sys/fs/binfmt_misc';

/** Tells whether the kernel has an emulator for programs of another processor (binfmt_misc, as qemu-user registers them). Never throws. */
export async function hasEmulator(hostRoot: string): Promise<boolean> {
  const roots = [...new Set(['/', hostRoot])]; // in a container the host's /proc may be elsewhere, or ours the same
  const lists = await Promise.all(roots.map((root) => readdir(join(root, REGISTERED)).catch((): string[] => [])));
  return lists.flat().some((name) => /^(qemu-|rosetta|FEX|box64)/.test(name));
}
