import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../../api/platform/errors.js';

/** Addresses by which a device is found in its networks. */
export interface InterfaceAddresses {
  readonly ip: readonly string[];
  /** Upper case, each once. */
  readonly mac: readonly string[];
}

/** A network interface as the kernel shows it under /sys/class/net. */
export interface SeenInterface {
  readonly name: string;
  /** ARPHRD number: 1 is Ethernet. */
  readonly type: number;
  readonly mac: string;
  /** It is part of a bridge or a bond. */
  readonly hasMaster: boolean;
}

/**
 * Interfaces of engines (also our own ones: `sc` and ten digits), tunnels, traffic shaping and the agent itself: nobody
 * finds a device by those.
 */
const SKIPPED =
  /^(?:lo|tun\d+|resin-vpn|resin-dns|supervisor0|balena\d+|docker\d+|rce\d+|br-[0-9a-f]{12}|sc[0-9a-f]{10}|ifb\d+|veth[0-9a-f]{7}|(?:balena|resin)-redsocks)$/;
const ETHERNET = 1;

/** Returns the addresses that `/v1/device` shows; link-local IPv6 is left out. Pure. */
export function planAddresses(
  addresses: Readonly<Partial<Record<string, readonly NetworkInterfaceInfo[]>>>,
  interfaces: readonly SeenInterface[],
): InterfaceAddresses {
  const ip = Object.entries(addresses)
    .filter(([name]) => !SKIPPED.test(name))
    .flatMap(([, list = []]) => list)
    .filter(({ internal, family, address }) => !internal && !(family === 'IPv6' && /^fe[89ab]/i.test(address)));
  const mac = interfaces
    .filter(({ name, type, hasMaster }) => type === ETHERNET && !hasMaster && !SKIPPED.test(name))
    .map((one) => one.mac.toUpperCase());
  return { ip: ip.map(({ address }) => address), mac: [...new Set(mac)] };
}

const KEPT_MS = 30_000;

/** Reads the interfaces at most every 30 s. */
export function interfaceReader(monotonic: () => number, folder = '/sys/class/net'): () => InterfaceAddresses {
  const last: { value?: InterfaceAddresses; atMs: number } = { atMs: 0 };
  return () => {
    if (last.value === undefined || monotonic() - last.atMs > KEPT_MS) {
      last.value = planAddresses(networkInterfaces(), seenInterfaces(folder));
      last.atMs = monotonic();
    }
    return last.value;
  };
}

/** Reads the interfaces. One may go while it is read, and a machine may show none. */
function seenInterfaces(folder: string): readonly SeenInterface[] {
  const names = attempt(() => readdirSync(folder)) ?? [];
  return names.flatMap((name) => {
    const read = (file: string): string | undefined =>
      attempt(() => readFileSync(join(folder, name, file), 'utf8').trim());
    const [type, mac] = [read('type'), read('address')];
    if (type === undefined || mac === undefined) return [];
    const hasMaster = attempt(() => readlinkSync(join(folder, name, 'master'))) !== undefined;
    return [{ name, type: Number(type), mac, hasMaster }];
  });
}

/** Returns undefined where the kernel shows nothing. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (errorCode(error) !== undefined) return undefined;
    throw error;
  }
}
