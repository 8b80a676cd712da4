import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../../api/platform/errors.js';
import { readKernelFile } from '../../../api/platform/read-file.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { HostConfigStatus } from '../../../crds/model/types.js';
import type { InterfaceAddresses } from '../network/interfaces.js';
import { type BootClock, procText } from '../power/boot-clock.js';
import type { Run } from '../units.js';
import type { DeviceFacts } from './facts.js';

/** Facts about a device that change rarely. Unknown ones are left out. */
export type SystemFacts = NonNullable<HostConfigStatus['system']>;

/** Measurements that change all the time. */
export type SystemMetrics = NonNullable<HostConfigStatus['metrics']>;

export interface SystemOptions {
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
  /** Its file system is the storage that is measured. */
  readonly dataFolder: string;
  readonly facts: Pick<DeviceFacts, 'deviceType' | 'arch' | 'osVersion' | 'osVariant'>;
  readonly interfaces: () => InterfaceAddresses;
  readonly clock: BootClock;
  readonly run: Run;
  readonly now: () => number;
  /** Time of a clock that is never set, ms. */
  readonly monotonic: () => number;
}

const MIB = 1024 * 1024;
/** Step sizes of values: a change within one step is not shown (docs/reference/host.md §17). */
const STEPS = { cpuUsagePercent: 20, cpuTemperatureCelsius: 5, memoryUsageMiB: 10, storageUsageMiB: 10 } as const;
const SERIAL_FILES = [
  'proc/device-tree/serial-number',
  'proc/device-tree/product-sn',
  'sys/devices/soc0/serial_number',
];
/** Shortest time between two looks at the kernel's messages, ms. */
const DMESG_MS = 10 * 60_000;
/** A difference to the time of day that drifting cannot explain, ms: the clock was set. A device without a battery begins in the past. */
const CLOCK_SET_MS = 60_000;

/** Reads facts and measurements of a device, on balenaOS as on any other Linux. Remembers the last values. */
export class SystemReader {
  #metrics: SystemMetrics = {};
  #cpu: CpuTimes | undefined;
  #cpuId: { readonly value: string | undefined } | undefined;
  #boot: { readonly id: string; readonly at: string } | undefined;
  #dmesg: { readonly atMs: number; readonly isUndervolted: boolean } | undefined;

  constructor(private readonly options: SystemOptions) {}

  async facts(): Promise<SystemFacts> {
    const { hostRoot, facts, interfaces } = this.options;
    const { ip, mac } = interfaces();
    const cpu = parseCpuInfo((await procText(hostRoot, 'cpuinfo')) ?? '');
    const memory = parseMemory((await procText(hostRoot, 'meminfo')) ?? '');
    const storage = await this.#storage();
    return known({
      deviceType: facts.deviceType,
      arch: facts.arch,
      osVersion: facts.osVersion || undefined,
      osVariant: facts.osVariant,
      kernel: (await procText(hostRoot, 'sys/kernel/osrelease'))?.trim(),
      bootedAt: await this.#bootedAt(),
      addresses: ip.length === 0 ? undefined : [...ip],
      macAddresses: mac.length === 0 ? undefined : [...mac],
      cpus: cpu.cpus || undefined,
      cpuModel: cpu.model,
      cpuId: await this.#serial(),
      memoryTotalMiB: memory?.totalMiB,
      storageDevice: storage?.device,
      storageTotalMiB: storage?.totalMiB,
    });
  }

  /** Returns the measurements; a value within the step of the last one is that one. */
  async metrics(): Promise<SystemMetrics> {
    const { hostRoot } = this.options;
    const times = parseCpuTimes((await procText(hostRoot, 'stat')) ?? '');
    const usage = times && cpuUsage(this.#cpu, times);
    this.#cpu = times;
    const next = known({
      cpuUsagePercent: usage,
      cpuTemperatureCelsius: await this.#temperature(),
      memoryUsageMiB: parseMemory((await procText(hostRoot, 'meminfo')) ?? '')?.usedMiB,
      storageUsageMiB: (await this.#storage())?.usedMiB,
      isUndervolted: await this.#undervolted(),
    });
    this.#metrics = withoutJitter(this.#metrics, next);
    return this.#metrics;
  }

  async #bootedAt(): Promise<string> {
    const { bootId, uptimeMs } = await this.options.clock.read();
    const at = Math.round((this.options.now() - uptimeMs) / 1000) * 1000;
    const isKnown = this.#boot?.id === bootId && Math.abs(at - Date.parse(this.#boot.at)) < CLOCK_SET_MS;
    if (!this.#boot || !isKnown) this.#boot = { id: bootId, at: new Date(at).toISOString() };
    return this.#boot.at;
  }

  async #serial(): Promise<string | undefined> {
    this.#cpuId ??= { value: await this.#readSerial() };
    return this.#cpuId.value;
  }

  async #readSerial(): Promise<string | undefined> {
    const { hostRoot } = this.options;
    for (const path of SERIAL_FILES) {
      const text = await textAt(join(hostRoot, path));
      if (text !== undefined) return serialText(text);
    }
    const board = await textAt(join(hostRoot, 'sys/class/dmi/id/board_serial'));
    return board === undefined ? undefined : serialText(board);
  }

  /** Returns the temperature of the processor's hottest zone. */
  async #temperature(): Promise<number | undefined> {
    const folder = join(this.options.hostRoot, 'sys/class/thermal');
    const zones = (await namesIn(folder)).filter((name) => name.startsWith('thermal_zone')).sort();
    const seen: { readonly type: string; readonly degrees: number }[] = [];
    for (const zone of zones) {
      const degrees = Number.parseInt((await textAt(join(folder, zone, 'temp'))) ?? '', 10);
      const type = (await textAt(join(folder, zone, 'type'))) ?? '';
      if (Number.isFinite(degrees)) seen.push({ type, degrees: Math.round(degrees / 1000) });
    }
    const [first] = seen.filter(({ type }) => /cpu|soc|pkg/i.test(type));
    return (first ?? seen[0])?.degrees;
  }

  async #storage(): Promise<{ device?: string; totalMiB: number; usedMiB: number } | undefined> {
    const { dataFolder, hostRoot } = this.options;
    try {
      const { bsize, blocks, bfree } = await statfs(dataFolder);
      const device = mountOf(dataFolder, (await procText(hostRoot, 'self/mounts')) ?? '');
      const totalMiB = Math.floor((blocks * bsize) / MIB);
      return { totalMiB, usedMiB: Math.floor(((blocks - bfree) * bsize) / MIB), ...(device ? { device } : {}) };
    } catch (error) {
      if (errorCode(error) !== undefined) return undefined; // the data folder may not exist yet
      throw error;
    }
  }

  async #undervolted(): Promise<boolean> {
    const { run, monotonic } = this.options;
    if (this.#dmesg === undefined || monotonic() - this.#dmesg.atMs > DMESG_MS) {
      const failed = { ok: false, stdout: '' };
      const { ok, stdout } = await run('dmesg', [], { signal: timeoutSignal(5_000) }).catch(() => failed);
      this.#dmesg = { atMs: monotonic(), isUndervolted: ok && /under.*voltage/i.test(stdout) };
    }
    return this.#dmesg.isUndervolted;
  }
}

type CpuTimes = { readonly busy: number; readonly total: number };

/** Reads the first line of /proc/stat. Pure. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const numbers = /^cpu\s+([\d ]+)/.exec(text)?.[1]?.trim().split(/\s+/).map(Number);
  if (!numbers || numbers.length < 4) return undefined;
  // user nice system idle iowait irq softirq steal: guest times are part of user's.
  const total = numbers.slice(0, 8).reduce((sum, one) => sum + one, 0);
  return { total, busy: total - (numbers[3] ?? 0) - (numbers[4] ?? 0) };
}

/** Returns the load since the last look, or since the start of the device, in percent. Pure. */
export function cpuUsage(before: CpuTimes | undefined, now: CpuTimes): number | undefined {
  const total = now.total - (before?.total ?? 0);
  return total > 0 ? Math.round((100 * (now.busy - (before?.busy ?? 0))) / total) : undefined;
}

/** Reads /proc/meminfo: what is used besides caches and buffers. Pure. */
export function parseMemory(text: string): { readonly totalMiB: number; readonly usedMiB: number } | undefined {
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  const total = kib('MemTotal');
  if (total === 0) return undefined;
  const used = total - kib('MemFree') - kib('Buffers') - kib('Cached') - kib('SReclaimable');
  return { totalMiB: Math.floor(total / 1024), usedMiB: Math.floor(Math.max(0, used) / 1024) };
}

/** Reads /proc/cpuinfo, of any architecture. Pure. */
export function parseCpuInfo(text: string): { readonly cpus: number; readonly model: string | undefined } {
  const field = (name: RegExp): string | undefined => name.exec(text)?.[1]?.trim();
  return {
    cpus: text.match(/^processor\s*:/gm)?.length ?? 0,
    model: field(/^model name\s*:(.*)$/m) ?? field(/^Model\s*:(.*)$/m) ?? field(/^Hardware\s*:(.*)$/m),
  };
}

/** Returns the device whose mount holds a folder: the longest mount point that its path begins with. Pure. */
export function mountOf(folder: string, mounts: string): string | undefined {
  const holds = (point: string): boolean => point === '/' || folder === point || folder.startsWith(`${point}/`);
  const [best] = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, point]) => point !== undefined && holds(point))
    .sort(([, a = ''], [, b = '']) => b.length - a.length);
  const device = best?.[0];
  return device?.startsWith('/dev/') ? device : undefined;
}

/** Returns the content of a serial number file as the cloud knows it. Pure. */
const serialText = (text: string): string | undefined => text.replaceAll('\0', '').trim().toLowerCase() || undefined;

/** Keeps numbers of the last look that are within the same step. Pure. */
export function withoutJitter(before: SystemMetrics, now: SystemMetrics): SystemMetrics {
  const kept = Object.entries(STEPS).filter(([name, step]) => {
    const [a, b] = [before[name as keyof typeof STEPS], now[name as keyof typeof STEPS]];
    return a !== undefined && b !== undefined && Math.floor(a / step) === Math.floor(b / step);
  });
  return { ...now, ...Object.fromEntries(kept.map(([name]) => [name, before[name as keyof typeof STEPS]])) };
}

function known<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

/** Longest text of a single value, bytes. */
const VALUE_BYTES = 64 * 1024;

const textAt = async (path: string): Promise<string | undefined> =>
  (await readKernelFile(path, { bytes: VALUE_BYTES }).catch(unlessUnknown))?.toString();
const namesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(unlessUnknown)) ?? [];

/** Ignores missing files and permissions: a kernel does not show everything to everybody. */
function unlessUnknown(error: unknown): undefined {
  if (errorCode(error) === undefined) throw error;
}
