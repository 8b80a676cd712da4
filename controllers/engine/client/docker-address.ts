/** Where an engine listens. */
export type DockerAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export const DEFAULT_SOCKET = '/var/run/docker.sock';

/**
 * Reads a `DOCKER_HOST` value: `unix:///path`, a bare `/path`, `tcp://host:port`, `http://host:port`, `host:port`;
 * nothing means Docker's usual socket. Pure; throws for unsupported ones (ssh, npipe, TLS).
 */
export function parseDockerHost(dockerHost: string | undefined): DockerAddress {
  const text = dockerHost?.trim() ?? '';
  if (text === '') return { socketPath: DEFAULT_SOCKET };
  if (text.startsWith('/')) return { socketPath: text };
  if (text.startsWith('unix://')) return { socketPath: text.slice('unix://'.length) || DEFAULT_SOCKET };
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(text) ?? [];
  if (scheme !== 'tcp' && scheme !== 'http') {
    throw new Error(`DOCKER_HOST is ${text}: ${scheme}:// is not supported, use unix:///path or tcp://host:port`);
  }
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (url === undefined || url.hostname === '') {
    throw new Error(`DOCKER_HOST is ${text}: not an address, use unix:///path or tcp://host:port`);
  }
  // An IPv6 address loses the brackets that it has in a URL. URL leaves out port 80 because it is http's own.
  const port = url.port !== '' ? Number(url.port) : /:80\/?$/.test(rest) ? 80 : 2375;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

/** Returns the canonical `DOCKER_HOST` form. Pure. */
export const describeAddress = (address: DockerAddress): string =>
  'socketPath' in address
    ? `unix://${address.socketPath}`
    : `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;

/** Tells whether the engine is on another machine, whose networks have no address on this one. Pure. */
export function isElsewhere(dockerHost: string | undefined): boolean {
  const address = parseDockerHost(dockerHost);
  return !('socketPath' in address) && !/^(localhost|127\.[\d.]+|::1)$/.test(address.host);
}
