import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { ContainerOptions, Engine } from '../engine.js';
import { type DockerHttp, refusal } from './docker-http.js';

type Endpoints = NonNullable<NonNullable<ContainerOptions['NetworkingConfig']>['EndpointsConfig']>;

/**
 * Creates a container with all of its networks. Engines before API 1.44 take one network at creation (20.10 answers 400 for
 * two), so the others are connected one by one. A container that could not be connected is removed, so that a
 * half-connected one is not taken for the whole.
 */
export async function createContainer(
  { ask }: DockerHttp,
  name: string,
  options: ContainerOptions,
  signal: AbortSignal,
): ReturnType<Engine['createContainer']> {
  const { platform, ...asked } = options;
  const { body, later } = splitNetworks(asked);
  const query = { name, ...(platform === undefined ? {} : { platform }) };
  const created = await ask({ method: 'POST', path: '/containers/create', query, body, signal });
  if (created.status === 409) return { is: 'exists' };
  // Also an image for another platform and the driver of a volume are not found: only the words tell what it is.
  const isImage = created.status === 404 && /^No such image/i.test(refusal(404, created.body).message);
  if (isImage) return { is: 'no-image' };
  if (created.status !== 201) throw refusal(created.status, created.body);
  const { Id: id, Warnings } = created.body as { Id: string; Warnings?: readonly string[] | null };
  try {
    for (const [network, EndpointConfig] of Object.entries(later)) {
      const path = `/networks/${encodeURIComponent(network)}/connect`;
      const connected = await ask({ method: 'POST', path, body: { Container: id, EndpointConfig }, signal });
      if (connected.status !== 200) throw refusal(connected.status, connected.body);
    }
  } catch (error) {
    // Without the caller's signal: it may be what has just interrupted the connecting.
    await ask({
      method: 'DELETE',
      path: `/containers/${id}`,
      query: { force: '1', v: '1' },
      signal: timeoutSignal(10_000),
    }).catch((second: unknown) => {
      throw new AggregateError([error, second], `Container ${name} is left half-connected`);
    });
    throw error;
  }
  return { is: 'created', id, ...(Warnings?.length ? { warnings: Warnings } : {}) };
}

/** Returns the create body with the network of `NetworkMode` (or else the first one), and the other networks. Pure. */
export function splitNetworks(options: ContainerOptions): { body: ContainerOptions; later: Endpoints } {
  const endpoints = options.NetworkingConfig?.EndpointsConfig ?? {};
  const names = Object.keys(endpoints);
  const mode = options.HostConfig?.NetworkMode;
  const first = mode !== undefined && names.includes(mode) ? mode : names[0];
  if (first === undefined || names.length === 1) return { body: options, later: {} };
  const { [first]: endpoint, ...later } = endpoints;
  return {
    body: { ...options, NetworkingConfig: { EndpointsConfig: endpoint === undefined ? {} : { [first]: endpoint } } },
    later,
  };
}
