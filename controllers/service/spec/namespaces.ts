/** Prefix of the mode for a namespace of another container, as in `container:<id>`. */
export const OF_CONTAINER = 'container:';

/** Returns the service that a mode such as `service:vpn` names. Reads leniently. Pure. */
export const namedService = (mode: unknown): string | undefined =>
  typeof mode === 'string' ? /^\s*service:\s*(.*?)\s*$/.exec(mode)?.[1] || undefined : undefined;

/** Returns Docker's mode for a namespace of that sibling's container. Throws while it has none. Pure. */
export function containerMode(service: string, siblingContainers: ReadonlyMap<string, string>): string {
  const container = siblingContainers.get(service);
  if (container === undefined)
    throw new Error(`Service ${service} has no container that something could be shared with`);
  return `${OF_CONTAINER}${container}`;
}

/** Returns the siblings whose namespaces a service shares. Reads leniently. Pure. */
export const providerNames = ({
  network_mode: network,
  pid,
  ipc,
}: {
  readonly network_mode?: unknown;
  readonly pid?: unknown;
  readonly ipc?: unknown;
}): readonly string[] =>
  // Asked about every service at every change of another: most share nothing.
  network === undefined && pid === undefined && ipc === undefined
    ? NOBODY
    : [network, pid, ipc].flatMap((mode) => namedService(mode) ?? []);

const NOBODY: readonly string[] = [];
