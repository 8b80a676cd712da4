import { composeDurationMs } from '../../../crds/model/duration.js';
import { isMap } from '../../../crds/model/maps.js';
import { parseBytes } from '../../../crds/model/units.js';
import type { HostOptions } from '../../engine/engine.js';
import type { Findings } from './fields.js';
import { type Fields, integer, isAbsent } from './fields.js';

/** Reads the limits of CPU, memory, devices and processes; undefined where the document sets none. Pure. */
export function readLimits(
  fields: Fields,
  findings: Findings,
): { [Key in keyof HostOptions]: HostOptions[Key] | undefined } {
  const whole = (key: string): number | undefined => integer(fields[key], key, findings);
  const bytes = (key: string): number | undefined => readBytes(fields[key], key, findings);
  return {
    PidsLimit: whole('pids_limit'),
    NanoCpus: readCpus(fields.cpus, findings),
    CpuShares: whole('cpu_shares'),
    CpuQuota: whole('cpu_quota'),
    CpuPeriod: whole('cpu_period'),
    CpuRealtimeRuntime: readMicroseconds(fields.cpu_rt_runtime, 'cpu_rt_runtime', findings),
    CpuRealtimePeriod: readMicroseconds(fields.cpu_rt_period, 'cpu_rt_period', findings),
    Memory: bytes('mem_limit'),
    MemoryReservation: bytes('mem_reservation'),
    MemorySwap: ['-1', -1].some((all) => all === fields.memswap_limit) ? -1 : bytes('memswap_limit'),
    MemorySwappiness: whole('mem_swappiness'),
    ShmSize: bytes('shm_size'),
    Ulimits: readUlimits(fields.ulimits, findings),
    ...readBlockLimits(fields.blkio_config, findings),
  };
}

function readCpus(value: unknown, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  const cpus = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isFinite(cpus) && cpus >= 0) return Math.round(cpus * 1e9);
  return findings.warn('cpus', `${JSON.stringify(value)} is not a number; no limit is set`);
}

function readBytes(value: unknown, path: string, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  const bytes = parseBytes(value);
  return bytes ?? findings.warn(path, `${JSON.stringify(value)} is not a size such as 96m; the default is used`);
}

/** Reads a duration; a number without a unit is in microseconds, as in Compose. */
function readMicroseconds(value: unknown, path: string, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  if (/^\d+$/.test(String(value))) return Number(value);
  const [, digits, unit] = /^(\d+)(us|µs|ms|s)$/.exec(String(value)) ?? [];
  if (digits === undefined) return findings.issue(path, 'must be a duration such as 400ms, or microseconds');
  return unit === 'us' || unit === 'µs' ? Number(digits) : (composeDurationMs(value) ?? 0) * 1000;
}

function readUlimits(value: unknown, findings: Findings): HostOptions['Ulimits'] {
  if (isAbsent(value)) return undefined;
  if (!isMap(value)) return findings.issue('ulimits', 'must be a map');
  return Object.entries(value).flatMap(([Name, entry]) => {
    const [soft, hard] = isMap(entry) ? [entry.soft, entry.hard] : [entry, entry];
    const [Soft, Hard] = [wholeNumber(soft), wholeNumber(hard)];
    if (Soft !== undefined && Hard !== undefined) return { Name, Soft, Hard };
    return findings.issue(`ulimits.${Name}`, 'must be a whole number or {soft, hard}') ?? [];
  });
}

const wholeNumber = (value: unknown): number | undefined =>
  (typeof value === 'number' || (typeof value === 'string' && value !== '')) && Number.isInteger(Number(value))
    ? Number(value)
    : undefined;

type BlockLimits = Pick<
  HostOptions,
  | 'BlkioWeight'
  | 'BlkioWeightDevice'
  | 'BlkioDeviceReadBps'
  | 'BlkioDeviceWriteBps'
  | 'BlkioDeviceReadIOps'
  | 'BlkioDeviceWriteIOps'
>;

function readBlockLimits(
  value: unknown,
  findings: Findings,
): { [Key in keyof BlockLimits]: BlockLimits[Key] | undefined } {
  if (isAbsent(value)) return {};
  if (!isMap(value)) return findings.issue('blkio_config', 'must be a map') ?? {};
  const at = (key: string): string => `blkio_config.${key}`;
  /** Reads a list of entries with a device and one number each. */
  const devices = (key: string, amount: 'weight' | 'rate'): { path: string; amount: number }[] | undefined => {
    const list = value[key];
    if (isAbsent(list)) return undefined;
    if (!Array.isArray(list)) return findings.issue(at(key), 'must be a list');
    return list.flatMap((entry: unknown, index) => {
      const { path, [amount]: value } = isMap(entry) ? entry : {};
      const number = parseBytes(value);
      if (typeof path === 'string' && path !== '' && number !== undefined) return { path, amount: number };
      return findings.issue(`${at(key)}[${index}]`, `must have a path and a ${amount}`) ?? [];
    });
  };
  const rates = (key: string) => devices(key, 'rate')?.map(({ path, amount }) => ({ Path: path, Rate: amount }));
  return {
    BlkioWeight: integer(value.weight, at('weight'), findings),
    BlkioWeightDevice: devices('weight_device', 'weight')?.map(({ path, amount }) => ({ Path: path, Weight: amount })),
    BlkioDeviceReadBps: rates('device_read_bps'),
    BlkioDeviceWriteBps: rates('device_write_bps'),
    BlkioDeviceReadIOps: rates('device_read_iops'),
    BlkioDeviceWriteIOps: rates('device_write_iops'),
  };
}
