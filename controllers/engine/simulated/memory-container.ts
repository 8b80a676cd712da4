import type { ContainerStats } from '../../../crds/model/stats.js';
import type { ContainerLogLine, ContainerOptions, ListedContainer, ListedMount, SeenContainer } from '../engine.js';
import { APP_ID, SERVICE_NAME, SPEC_HASH } from '../labels.js';
import { parseEnvironment, seenNamespaces, seenPorts, seenUpdatable, stopGrace } from '../seen.js';

/** One container as the memory engine keeps it. */
export interface MemoryContainer {
  readonly id: string;
  name: string;
  options: ContainerOptions;
  readonly image: string;
  /** `container:<name>` has become `container:<id>`. */
  readonly networkMode: string;
  readonly pidMode: string;
  readonly ipcMode: string;
  state: SeenContainer['state'];
  health: SeenContainer['health'];
  exitCode: number;
  restartCount: number;
  error: string;
  readonly createdAt: number;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  /** By name; the id is '' until Docker has looked it up at the first start. `up`: has an endpoint there now. */
  readonly networks: Map<string, { id: string; up: boolean; aliases: readonly string[] }>;
  /** Ports that it publishes now. */
  published: readonly string[];
  readonly volumes: readonly string[];
  /** Go with `removeContainer`. */
  readonly anonymousVolumes: readonly string[];
  readonly mounts: readonly ListedMount[];
  readonly log: ContainerLogLine[];
  readonly logWaiters: Set<() => void>;
}

/** What `inspect` shows of it. */
export function seenMemoryContainer(container: MemoryContainer): SeenContainer {
  const labels = container.options.Labels ?? {};
  const appId = labels[APP_ID];
  return {
    id: container.id,
    name: container.name,
    appId: appId !== undefined && /^\d+$/.test(appId) ? Number(appId) : undefined,
    serviceName: labels[SERVICE_NAME] || undefined,
    specHash: labels[SPEC_HASH],
    labels: { ...labels },
    state: container.state,
    health: container.health,
    exitCode: container.exitCode,
    restartCount: container.restartCount,
    error: container.error,
    createdAt: new Date(container.createdAt).toISOString(),
    startedAt: container.startedAt === undefined ? undefined : new Date(container.startedAt).toISOString(),
    finishedAt: container.finishedAt === undefined ? undefined : new Date(container.finishedAt).toISOString(),
    image: container.image,
    networkMode: container.networkMode,
    ...seenNamespaces({ PidMode: container.pidMode, IpcMode: container.ipcMode }),
    networks: Object.fromEntries([...container.networks].map(([name, { id, aliases }]) => [name, { id, aliases }])),
    ...(hostPorts(container).length > 0 ? { ports: hostPorts(container) } : {}),
    ...(container.published.length > 0 ? { published: container.published } : {}),
    volumes: [...container.volumes],
    env: parseEnvironment(container.options.Env ?? []),
    updatable: seenUpdatable(container.options.HostConfig ?? {}),
    ...stopGrace(container.options),
    ...(container.options.HostConfig?.AutoRemove ? { autoRemove: true } : {}),
  };
}

/** What a list shows of it. */
export const listedMemoryContainer = ({
  id,
  name,
  state,
  options: { Labels = {} },
  volumes,
  mounts,
}: MemoryContainer): ListedContainer => ({ id, name, state, labels: Labels, volumes: [...volumes], mounts });

/** One that looks like that. What inspection does not show of it is as Docker has it when nobody has asked for anything. */
export function memoryContainer(seen: SeenContainer, mounts: readonly ListedMount[] = []): MemoryContainer {
  const timeOf = (at: string | undefined): number | undefined => (at === undefined ? undefined : Date.parse(at));
  const { networkMode, pidMode = '', ipcMode = '' } = seen;
  const runs = seen.state === 'running' || seen.state === 'paused';
  return {
    id: seen.id,
    name: seen.name,
    options: {
      Image: seen.image,
      Labels: { ...seen.labels },
      Env: Object.entries(seen.env ?? {}).map(([name, value]) => `${name}=${value}`),
      Healthcheck: { Test: seen.health === undefined ? ['NONE'] : ['CMD', 'true'] },
      ...(seen.stopGraceMs === undefined ? {} : { StopTimeout: seen.stopGraceMs / 1_000 }),
      HostConfig: {
        ...seen.updatable,
        NetworkMode: networkMode,
        ...(pidMode ? { PidMode: pidMode } : {}),
        ...(ipcMode ? { IpcMode: ipcMode } : {}),
        PortBindings: Object.fromEntries((seen.ports ?? []).map(portBinding)),
      },
    },
    image: seen.image,
    ...{ networkMode, pidMode, ipcMode },
    state: seen.state,
    health: seen.health,
    exitCode: seen.exitCode,
    restartCount: seen.restartCount ?? 0,
    error: seen.error,
    createdAt: Date.parse(seen.createdAt),
    startedAt: timeOf(seen.startedAt),
    finishedAt: timeOf(seen.finishedAt),
    networks: new Map(
      Object.entries(seen.networks).map(([name, { id, aliases = [] }]) => [name, { id, up: runs, aliases }]),
    ),
    published: seen.published ?? [],
    volumes: seen.volumes,
    anonymousVolumes: [],
    mounts,
    log: [],
    logWaiters: new Set(),
  };
}

/** Which port of the container it is does not show, and does not matter: each gets one of its own. */
function portBinding(text: string, index: number): [string, { HostIp: string; HostPort: string }[]] {
  const [, protocol = 'tcp', HostIp = '', HostPort = ''] = /^(\w+)\/(.*):(\d+)$/.exec(text) ?? [];
  return [`${index + 1}/${protocol}`, [{ HostIp, HostPort }]];
}

/** What a running one uses: a tenth of a processor and 3 MiB. */
export const memoryStats = ({ startedAt }: MemoryContainer, now: number): ContainerStats => ({
  at: new Date(now).toISOString(),
  cpuNs: Math.max(1, now - (startedAt ?? now)) * 100_000,
  memoryBytes: 3 * 1024 * 1024,
  memoryLimitBytes: 512 * 1024 * 1024,
  receivedBytes: 2048,
  sentBytes: 1024,
  readBytes: 4096,
  writtenBytes: 0,
  processes: 1,
});

/** Has a process: `restarting` has none, although Docker calls it running. */
export const isAlive = ({ state }: MemoryContainer): boolean => state === 'running' || state === 'paused';

/** Whether its restart policy starts it again after its last exit, as Docker decides it. */
export function wantsRestart({ options, exitCode, restartCount }: MemoryContainer): boolean {
  const { Name = 'no', MaximumRetryCount = 0 } = options.HostConfig?.RestartPolicy ?? {};
  const isFailure = exitCode !== 0 && (MaximumRetryCount === 0 || restartCount < MaximumRetryCount);
  return Name === 'always' || Name === 'unless-stopped' || (Name === 'on-failure' && isFailure);
}

/** `tcp/0.0.0.0:8080` for every fixed host port it wants. */
export const hostPorts = ({ options, networkMode }: MemoryContainer): readonly string[] =>
  seenPorts({ PortBindings: options.HostConfig?.PortBindings, NetworkMode: networkMode }).ports ?? [];

/** Whether two host ports exclude each other: same protocol and port, same address or one of them every address. */
export function portsCollide(one: string, other: string): boolean {
  const [, protocol, address, port] = /^(\w+)\/(.*):(\d+)$/.exec(one) ?? [];
  const [, otherProtocol, otherAddress, otherPort] = /^(\w+)\/(.*):(\d+)$/.exec(other) ?? [];
  return (
    protocol === otherProtocol &&
    port === otherPort &&
    (address === otherAddress || address === '0.0.0.0' || otherAddress === '0.0.0.0')
  );
}

/** Volumes its options mount by name, and the paths that get a volume without a name. */
export function wantedVolumes(
  options: ContainerOptions,
  imageVolumes: Readonly<Record<string, object>> | null | undefined,
): { named: string[]; anonymousAt: string[] } {
  const named = new Set<string>();
  const taken = new Set<string>();
  for (const bind of options.HostConfig?.Binds ?? []) {
    const [source = '', target] = bind.split(':');
    if (target !== undefined && !source.startsWith('/')) named.add(source);
    taken.add(target ?? source);
  }
  for (const mount of options.HostConfig?.Mounts ?? []) {
    if (mount.Type === 'volume' && mount.Source) named.add(mount.Source);
    taken.add(mount.Target);
  }
  for (const path of Object.keys(options.HostConfig?.Tmpfs ?? {})) taken.add(path);
  const wanted = new Set([...Object.keys(imageVolumes ?? {}), ...Object.keys(options.Volumes ?? {})]);
  return { named: [...named], anonymousAt: [...wanted].filter((path) => !taken.has(path)) };
}

/** What its options mount from somewhere. */
export function wantedMounts({ HostConfig: { Binds = [], Mounts = [] } = {} }: ContainerOptions): ListedMount[] {
  return [
    ...Binds.map((bind) => {
      const [source = '', target = source, mode = ''] = bind.split(':');
      return { type: source.startsWith('/') ? 'bind' : 'volume', source, target, isReadOnly: mode.includes('ro') };
    }),
    ...Mounts.map(({ Type, Source = '', Target, ReadOnly = false }) => ({
      ...{ type: Type, source: Source, target: Target, isReadOnly: ReadOnly },
    })),
  ];
}

/** Names that it asks for on a network. */
export const wantedAliases = (options: ContainerOptions, network: string): readonly string[] =>
  options.NetworkingConfig?.EndpointsConfig?.[network]?.Aliases ?? [];

/** Networks it shall join, by the name or id that was asked for. */
export function wantedNetworks(options: ContainerOptions, networkMode: string): string[] {
  if (networkMode.startsWith('container:')) return [];
  const endpoints = Object.keys(options.NetworkingConfig?.EndpointsConfig ?? {});
  if (endpoints.length > 0) return endpoints;
  return [networkMode === 'default' ? 'bridge' : networkMode];
}
