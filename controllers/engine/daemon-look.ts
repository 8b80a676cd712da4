import { probeConnection, probeServer } from './client/connection-probe.js';
import { parseDockerHost } from './client/docker-address.js';
import { dockerHttp } from './client/docker-http.js';
import type { Daemon, Finding } from './engine-keeper.js';

/** Returns an engine that somebody else runs, to be watched. */
export const foreignDaemon = (dockerHost: string): Daemon => ({
  name: `The Docker engine at ${dockerHost}`,
  look: daemonLook(dockerHost, []),
});

/**
 * Returns how an engine is checked. A connection that is closed at once shows whether dockerd runs, and costs no
 * request: an idle engine is asked nothing. `containerd`: sockets at which its containerd may listen; the first that
 * accepts connections counts. When requests are overdue it is asked for its version, for which it has to ask
 * containerd.
 */
export function daemonLook(dockerHost: string, containerd: readonly string[]): Daemon['look'] {
  const address = parseDockerHost(dockerHost);
  const http = dockerHttp(address);
  const answersTo = (path: string, signal: AbortSignal): Promise<boolean> =>
    http.ask({ path, signal }).then(
      () => true,
      () => false,
    );

  const containerdHangs = async (signal: AbortSignal): Promise<boolean> => {
    for (const socketPath of containerd) {
      const { is } = await probeConnection({ socketPath }, signal);
      if (is !== 'unreachable') return is === 'hangs';
    }
    return false;
  };

  return async (signal, closely): Promise<Finding> => {
    const reach = await probeServer(address, (limit) => answersTo('/_ping', limit), signal);
    if (reach.is !== 'answers') return reach;
    if (await containerdHangs(signal)) return { is: 'half', what: 'its containerd' };
    if (closely && !(await answersTo('/version', signal)) && signal.aborted) {
      return { is: 'half', what: 'the request for its version, which it asks containerd for,' };
    }
    return reach;
  };
}
