/** Mode of a namespace that is another container's, such as `container:<id>`. */
export const OF_CONTAINER = 'container:';

/** The service that a field of a document names, as in `service:vpn`; read leniently. Pure. */
export const namedService = (mode: unknown): string | undefined =>
  typeof mode === 'string' ? /^\s*service:\s*(.*?)\s*$/.exec(mode)?.[1] || undefined : undefined;

/** Docker's mode for a namespace of that sibling's container. Throws while it has none. Pure. */
export function containerMode(service: string, siblingContainers: ReadonlyMap<string, string>): string {
  const container = siblingContainers.get(service);
  if (container === undefined)
    throw new Error(`Service ${service} has no container that something could be shared with`);
  return `${OF_CONTAINER}${container}`;
}

/** The siblings in whose namespaces a service lives, read leniently. Pure. */
export const providerNames = ({
  network_mode: network,
  pid,
  ipc,
}: {
  readonly network_mode?: unknown;
  readonly pid?: unknown;
  readonly ipc?: unknown;
}): readonly string[] => [network, pid, ipc].flatMap((mode) => namedService(mode) ?? []);
