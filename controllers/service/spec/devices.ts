import { isMap } from '../../../crds/model/maps.js';
import type { HostOptions } from '../../engine/engine.js';
import type { Findings } from './fields.js';
import { isAbsent, texts } from './fields.js';

/** Reads `devices`: `host[:container[:permissions]]`, or the long form. Pure. */
export function readDevices(value: unknown, findings: Findings): HostOptions['Devices'] {
  if (isAbsent(value)) return undefined;
  if (!Array.isArray(value)) return findings.issue('devices', 'must be a list');
  return value.flatMap((entry: unknown, at) => {
    const long = isMap(entry) ? [entry.source, entry.target, entry.permissions] : undefined;
    const [host, container, permissions] = typeof entry === 'string' ? entry.split(':') : (long ?? []);
    if (typeof host !== 'string' || host === '') {
      return findings.issue(`devices[${at}]`, 'must be host[:container[:permissions]]') ?? [];
    }
    return { PathOnHost: host, PathInContainer: container || host, CgroupPermissions: permissions || 'rwm' };
  });
}

type DeviceRequest = NonNullable<HostOptions['DeviceRequests']>[number];

/** Reads `gpus`, `all` or a list of `{driver, count, device_ids, capabilities, options}`, as Docker's device requests. Pure. */
export function readGpus(value: unknown, findings: Findings): HostOptions['DeviceRequests'] {
  if (isAbsent(value)) return undefined;
  if (value === 'all') return [gpuRequest({}, 'gpus', findings)];
  if (!Array.isArray(value)) return findings.issue('gpus', 'must be all or a list');
  return value.flatMap((entry: unknown, at) => {
    const path = `gpus[${at}]`;
    return isMap(entry) ? gpuRequest(entry, path, findings) : (findings.issue(path, 'must be a map') ?? []);
  });
}

function gpuRequest(entry: Readonly<Record<string, unknown>>, path: string, findings: Findings): DeviceRequest {
  const ids = texts(entry.device_ids, `${path}.device_ids`, findings) ?? [];
  const { count, options } = entry;
  if (ids.length > 0 && !isAbsent(count)) findings.issue(`${path}.count`, 'cannot stand beside device_ids');
  const capabilities = texts(entry.capabilities, `${path}.capabilities`, findings) ?? [];
  const number = Number(count);
  if (!isAbsent(count) && count !== 'all' && !Number.isInteger(number)) {
    findings.issue(`${path}.count`, 'must be a whole number or all');
  }
  return {
    Driver: typeof entry.driver === 'string' ? entry.driver : '',
    // -1 means all of them to Docker
    Count: ids.length > 0 ? 0 : isAbsent(count) || count === 'all' ? -1 : number,
    DeviceIDs: [...ids],
    Capabilities: [[...new Set(['gpu', ...capabilities])]],
    Options: Object.fromEntries(
      Object.entries(isMap(options) ? options : {}).map(([name, one]) => [name, String(one)]),
    ),
  };
}
