import { isMap, stringOf } from '../../../crds/model/maps.js';
import { HOST_NAME_RULE, isHostName } from '../../../crds/model/names.js';
import { PROXY_TYPES, proxyIssues } from '../../../crds/model/proxy.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import type { HostNetworkView } from './host-ports.js';

/** The body of `PATCH /v1/device/host-config`, parsed. */
export interface HostConfigPatch {
  /** Null means the default name. */
  readonly hostname?: string | null;
  /** Fields that are merged over the present ones; null or empty means no proxy. */
  readonly proxy?: ProxyPatch | null;
}

type Proxy = NonNullable<HostConfigSpec['proxy']>;
/** `null` removes a field. */
type ProxyPatch = { readonly [field: string]: unknown } & {
  readonly dns?: string | boolean;
  readonly noProxy?: readonly string[];
};

/** The body cannot be parsed; the message is the answer, word for word. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  constructor(...lines: readonly string[]) {
    super(['Could not parse host config input to a valid format:', ...lines].join('\n'));
  }
}

const ADDRESS = /^.+:[0-9]+$/;
const ADDRESS_LIMIT = 255;

/** Reads a body. Throws `PatchError` with the Supervisor's messages. Pure. */
export function readPatch(body: unknown): HostConfigPatch {
  const network = isMap(body) ? body.network : undefined;
  if (!isMap(network)) throw unexpected('Partial<...>', 'network', network);
  const { hostname, proxy: given } = network;
  if (hostname !== undefined && hostname !== null && typeof hostname !== 'string') {
    throw unexpected('string', 'network.hostname', hostname);
  }
  if (typeof hostname === 'string' && hostname !== '' && !isHostName(hostname)) {
    throw new PatchError(
      `${JSON.stringify(hostname.slice(0, 80))} at network.hostname is not a host name: ${HOST_NAME_RULE}`,
    );
  }
  const proxy = given === undefined || given === null ? given : readProxy(given);
  // An empty proxy removes the present one. A body with only dropped fields does not ask for that.
  const isDropped = isMap(given) && Object.keys(given).length > 0 && Object.keys(proxy ?? {}).length === 0;
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(proxy === undefined || isDropped ? {} : { proxy }),
  };
}

function readProxy(value: unknown): ProxyPatch {
  if (!isMap(value)) {
    throw new PatchError(
      line('{ [K in string]: any }', 'network.proxy.0', value),
      line('Partial<...>', 'network.proxy.1', value),
    );
  }
  const { dns, noProxy, local_ip: _, local_port: __, ...fields } = value;
  const rest = { ...readDns(dns), ...readNoProxy(noProxy) };
  const wellFormed = Object.entries(KNOWN).every(([key, fits]) => absent(fields[key]) || fits(fields[key]));
  const kept = Object.entries(fields).filter(([key]) => !wellFormed || Object.hasOwn(KNOWN, key));
  const read = { ...Object.fromEntries(kept.map(([key, field]) => [key, readField(key, field)])), ...rest };
  const issues = proxyIssues(read).map(({ path, message }) => `${message} at network.proxy.${path.join('.')}`);
  if (issues.length > 0) throw new PatchError(...issues);
  return read;
}

/** Fields whose form the Supervisor checks. While all given ones have it, every other field is dropped. */
const KNOWN: Readonly<Record<string, (value: unknown) => boolean>> = {
  type: (value) => typeof value === 'string' && PROXY_TYPES.includes(value),
  ip: (value) => typeof value === 'string',
  port: (value) => /^\d+$/.test(stringOf(value)) && ['string', 'number'].includes(typeof value),
  login: (value) => typeof value === 'string',
  password: (value) => typeof value === 'string',
};

const absent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Converts everything but lists and maps to the text that the file will contain. */
function readField(key: string, value: unknown): string | number | null {
  if (absent(value)) return null;
  if (typeof value === 'object') throw unexpected('string', `network.proxy.0.${key}`, value);
  return key === 'port' && KNOWN.port?.(value) ? Number(value) : stringOf(value);
}

function readDns(dns: unknown): { readonly dns?: string | boolean } {
  if (dns === undefined) return {};
  if (dns === null) return { dns: false };
  if (typeof dns === 'boolean') return { dns };
  if (typeof dns === 'string' && ADDRESS.test(dns) && dns.length <= ADDRESS_LIMIT) return { dns };
  throw new PatchError(
    'Expecting one of:',
    '    AddressString',
    '    boolean',
    `at network.proxy.1.dns but instead got: ${JSON.stringify(dns)}`,
  );
}

function readNoProxy(noProxy: unknown): { readonly noProxy?: readonly string[] } {
  if (noProxy === undefined) return {};
  if (noProxy === null) return { noProxy: [] };
  if (!Array.isArray(noProxy)) throw unexpected('Array<string>', 'network.proxy.0.noProxy', noProxy);
  const strange = noProxy.findIndex((entry) => typeof entry !== 'string' || /[\r\n\0]/.test(entry));
  if (strange >= 0) throw unexpected('string', `network.proxy.0.noProxy.${strange}`, noProxy[strange]);
  return { noProxy: noProxy.map(String) };
}

const line = (type: string, path: string, value: unknown): string =>
  `Expecting ${type} at ${path} but instead got: ${JSON.stringify(value)}`;
const unexpected = (type: string, path: string, value: unknown): PatchError => new PatchError(line(type, path, value));

/**
 * Returns the spec after a patch: fields that it leaves out stay, and fields of the proxy are merged over those that
 * the host has now, whoever wrote them. A list alone leaves the proxy alone. Pure.
 */
export function patchedSpec(
  spec: HostConfigSpec | undefined,
  patch: HostConfigPatch,
  now: Pick<HostNetworkView, 'proxy'>,
): HostConfigSpec {
  const { hostname, proxy } = patch;
  return {
    ...spec,
    ...(hostname === undefined ? {} : { hostname: hostname ?? '' }),
    ...(proxy === undefined ? {} : { proxy: patchedProxy(spec?.proxy ?? undefined, proxy ?? {}, now.proxy) }),
  };
}

function patchedProxy(declared: Proxy | undefined, patch: ProxyPatch, now: HostNetworkView['proxy']): Proxy {
  const { noProxy, ...fields } = patch;
  const list = noProxy ?? declared?.noProxy;
  const lists = list === undefined ? {} : { noProxy: [...list] };
  if (Object.keys(patch).length === 0) return {}; // the file of the list stays, and no document names it any more
  if (Object.keys(fields).length === 0) return { ...declared, ...lists };
  const { noProxy: _, ...current } = now ?? {};
  const merged = Object.entries({ ...current, ...fields }).filter(([, value]) => value !== null && value !== false);
  const named = Object.fromEntries(merged);
  const { dns, ...rest } = named;
  // Without a proxy there is nothing for a name server to be reached through.
  return { ...named, ...lists, ...(Object.keys(rest).length === 0 && dns !== undefined ? { dns: false } : {}) };
}
