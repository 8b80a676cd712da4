import type {
  ContainerInspectInfo,
  ImageInfo,
  ImageInspectInfo,
  NetworkInspectInfo,
  VolumeInspectInfo,
} from 'dockerode';
import type { SeenContainer, SeenImage, SeenNetwork, SeenVolume, Updatable } from './engine.js';
import { APP_ID, SERVICE_NAME, SPEC_HASH } from './labels.js';

/** Docker's answer where the published types leave out or promise too much. */
type Inspected = Omit<ContainerInspectInfo, 'Mounts' | 'Config'> & {
  readonly Config: ContainerInspectInfo['Config'] & { readonly StopTimeout?: number | null };
  readonly Mounts?: readonly { readonly Type?: string; readonly Name?: string }[] | null;
};

/** Converts Docker's inspect answer. Pure. */
export function seenContainer(info: Inspected): SeenContainer {
  const labels = info.Config.Labels ?? {};
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    appId: parseAppId(labels[APP_ID]),
    serviceName: labels[SERVICE_NAME] || undefined,
    specHash: labels[SPEC_HASH],
    labels,
    state: parseState(info.State.Status),
    health: parseHealth(info.State.Health?.Status),
    exitCode: info.State.ExitCode,
    restartCount: info.RestartCount,
    error: info.State.Error ?? '',
    createdAt: parseTime(info.Created) ?? new Date(0).toISOString(),
    startedAt: parseTime(info.State.StartedAt),
    finishedAt: parseTime(info.State.FinishedAt),
    image: info.Image,
    networkMode: info.HostConfig.NetworkMode ?? 'default',
    ...seenNamespaces(info.HostConfig),
    networks: Object.fromEntries(
      Object.entries(info.NetworkSettings?.Networks ?? {}).map(([name, endpoint]) => [
        name,
        { id: endpoint.NetworkID ?? '', aliases: givenAliases(endpoint.Aliases ?? [], info.Id) },
      ]),
    ),
    ...seenPorts(info.HostConfig),
    ...seenPublished(info.NetworkSettings?.Ports),
    volumes: (info.Mounts ?? []).flatMap((mount) => (mount.Type === 'volume' && mount.Name ? [mount.Name] : [])),
    env: parseEnvironment(info.Config.Env ?? []),
    updatable: seenUpdatable(info.HostConfig),
    ...stopGrace(info.Config),
    ...(info.HostConfig.AutoRemove ? { autoRemove: true } : {}),
  };
}

/** Ports of the host that are asked for by number. Pure. */
export function seenPorts({
  NetworkMode: mode = 'default',
  PortBindings: bindings,
}: {
  readonly NetworkMode?: string | undefined;
  readonly PortBindings?: unknown;
}): Pick<SeenContainer, 'ports'> {
  if (mode === 'host' || mode === 'none' || mode.startsWith('container:')) return {};
  const all = (bindings ?? {}) as Readonly<Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>>;
  const ports = Object.entries(all).flatMap(([port, hosts]) =>
    (hosts ?? []).flatMap(({ HostIp, HostPort }) =>
      HostPort ? [`${port.split('/')[1] ?? 'tcp'}/${HostIp || '0.0.0.0'}:${HostPort}`] : [],
    ),
  );
  return ports.length > 0 ? { ports } : {};
}

/**
 * Returns the ports of the host that are published, as they are written in a document. The same port on every address, of IPv4 and
 * of IPv6, is told once. Pure.
 */
export function seenPublished(ports: unknown): Pick<SeenContainer, 'published'> {
  const all = (ports ?? {}) as Readonly<Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>>;
  const published = Object.entries(all).flatMap(([port, hosts]) => {
    const [container = '', protocol = 'tcp'] = port.split('/');
    const texts = (hosts ?? []).flatMap(({ HostIp: ip = '', HostPort }) => {
      const address = ['', '0.0.0.0', '::'].includes(ip) ? '' : ip.includes(':') ? `[${ip}]:` : `${ip}:`;
      return HostPort ? [`${address}${HostPort}:${container}${protocol === 'tcp' ? '' : `/${protocol}`}`] : [];
    });
    return [...new Set(texts)].map((text) => [Number(container), text] as const);
  });
  const sorted = published.sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1)).map(([, text]) => text);
  return sorted.length > 0 ? { published: sorted } : {};
}

/** Returns its grace period, where one is set. Pure. */
export const stopGrace = ({
  StopTimeout: seconds,
}: {
  readonly StopTimeout?: number | null | undefined;
}): Pick<SeenContainer, 'stopGraceMs'> => (typeof seconds === 'number' ? { stopGraceMs: seconds * 1_000 } : {});

/** Returns namespaces of another container; Docker has replaced its name by its id. Pure. */
export const seenNamespaces = ({
  PidMode: pid,
  IpcMode: ipc,
}: {
  readonly PidMode?: string | undefined;
  readonly IpcMode?: string | undefined;
}): Pick<SeenContainer, 'pidMode' | 'ipcMode'> => ({
  ...(pid?.startsWith('container:') ? { pidMode: pid } : {}),
  ...(ipc?.startsWith('container:') ? { ipcMode: ipc } : {}),
});

/** Returns the part of HostConfig that `docker update` changes; no limit is always written in the same way. Pure. */
export function seenUpdatable(
  host: {
    readonly [Name in keyof Updatable]?: (Name extends 'RestartPolicy' ? object : Updatable[Name]) | null | undefined;
  },
): Updatable {
  const limit = (value: number | null | undefined): number => Math.max(value ?? 0, 0);
  const { Name = '', MaximumRetryCount }: { Name?: string; MaximumRetryCount?: number } = host.RestartPolicy ?? {};
  return {
    RestartPolicy: { Name: Name || 'no', MaximumRetryCount: MaximumRetryCount ?? 0 },
    Memory: limit(host.Memory),
    MemoryReservation: limit(host.MemoryReservation),
    NanoCpus: limit(host.NanoCpus),
    CpuShares: limit(host.CpuShares),
    CpuQuota: limit(host.CpuQuota),
    CpusetCpus: host.CpusetCpus ?? '',
    PidsLimit: limit(host.PidsLimit),
  };
}

/** Leaves out the alias that Docker adds: the beginning of the container's id. */
const givenAliases = (aliases: readonly string[], id: string): readonly string[] =>
  aliases.filter((alias) => alias.length < 12 || !id.startsWith(alias));

export function seenNetwork(info: NetworkInspectInfo): SeenNetwork {
  const labels = info.Labels ?? {};
  const gateway = (info.IPAM?.Config ?? []).find((pool) => pool.Gateway)?.Gateway;
  return {
    id: info.Id,
    name: info.Name,
    labels,
    specHash: labels[SPEC_HASH],
    gateway: gateway?.replace(/\/\d+$/, ''), // some versions write it with its prefix length
    definition: {
      driver: info.Driver,
      internal: info.Internal,
      ipv6: info.EnableIPv6,
      configOnly: info.ConfigOnly,
      attachable: info.Attachable,
      options: info.Options ?? {},
      pools: (info.IPAM?.Config ?? []).map(({ Subnet, Gateway, IPRange }) => ({
        ...(Subnet ? { subnet: Subnet } : {}),
        ...(Gateway ? { gateway: Gateway } : {}),
        ...(IPRange ? { ipRange: IPRange } : {}),
      })),
    },
  };
}

export function seenVolume(info: VolumeInspectInfo): SeenVolume {
  const labels = info.Labels ?? {};
  return {
    name: info.Name,
    driver: info.Driver,
    options: info.Options ?? {},
    labels,
    specHash: labels[SPEC_HASH],
    mountpoint: info.Mountpoint,
  };
}

export function seenImage(info: ImageInspectInfo): SeenImage {
  const { Cmd, Entrypoint, Env, Labels, User, WorkingDir, StopSignal, Volumes, Healthcheck } =
    info.Config as SeenImage['config']; // the published type says that Cmd, Env, … are never null
  return {
    ...seenReferences(info),
    layers: info.RootFS?.Layers ?? [],
    ...(info.Architecture
      ? { platform: { os: info.Os ?? '', architecture: info.Architecture, variant: variantOf(info) } }
      : {}),
    config: {
      Cmd: Cmd ?? null,
      Entrypoint: typeof Entrypoint === 'string' ? [Entrypoint] : (Entrypoint ?? null),
      Env: Env ?? null,
      Labels: Labels ?? null,
      ...(User ? { User } : {}),
      ...(WorkingDir ? { WorkingDir } : {}),
      ...(StopSignal ? { StopSignal } : {}),
      Volumes: Volumes ?? null,
      Healthcheck: Healthcheck ?? null,
    },
  };
}

/** Returns the variant, which the published type does not know. */
const variantOf = (info: object): string => ('Variant' in info && typeof info.Variant === 'string' ? info.Variant : '');

/** Converts an entry of the list of images. Untagged images have `<none>:<none>` in older engines, nothing in newer ones. Pure. */
export function seenReferences(info: ImageReferences): Pick<SeenImage, 'id' | 'tags' | 'digests'> {
  const real = (references: readonly string[] | null | undefined) =>
    (references ?? []).filter((reference) => !reference.startsWith('<none>'));
  return { id: info.Id, tags: real(info.RepoTags), digests: real(info.RepoDigests) };
}
type ImageReferences = Pick<ImageInfo, 'Id'> & {
  readonly RepoTags?: readonly string[] | null | undefined;
  readonly RepoDigests?: readonly string[] | null | undefined;
};

/** Returns RFC 3339 in UTC with milliseconds; undefined for Docker's zero time (year 1), which means "never". Pure. */
function parseTime(text: string | undefined): string | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? undefined : new Date(ms).toISOString();
}

/** Reads `NAME=value` lines as a map. Pure. */
export const parseEnvironment = (lines: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );

const parseAppId = (label: string | undefined): number | undefined =>
  label !== undefined && /^\d{1,15}$/.test(label) ? Number(label) : undefined;

const STATES: readonly string[] = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
] satisfies SeenContainer['state'][];
const parseState = (text: string): SeenContainer['state'] => {
  if (!STATES.includes(text)) throw new Error(`Docker reports a container state that is not known: ${text}`);
  return text as SeenContainer['state'];
};

const parseHealth = (text: string | undefined): SeenContainer['health'] =>
  text === 'healthy' || text === 'unhealthy' || text === 'starting' ? text : undefined;
