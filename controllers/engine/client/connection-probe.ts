import { connect } from 'node:net';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { DockerAddress } from './docker-address.js';

/**
 * Whether a server accepts connections. `hangs`: the kernel accepts them for it, the process does nothing.
 * `unreachable`: nobody listens there, or the file of the socket is gone.
 */
export type Reach = { readonly is: 'answers' | 'hangs' } | { readonly is: 'unreachable'; readonly why: string };

/** Error code of a full queue of connections. (connect(2)) */
const QUEUE_FULL = 'EAGAIN';

/**
 * Opens a connection, ends our side of it at once and waits until the server ends its own: a running server does so
 * within milliseconds. Sends no byte, so no request is served or logged. `hangs` when the signal fires first.
 */
export function probeConnection(address: DockerAddress, signal: AbortSignal): Promise<Reach> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ is: 'hangs' });
    const where = 'socketPath' in address ? { path: address.socketPath } : address;
    const socket = connect({ ...where, allowHalfOpen: true });
    const end = (reach: Reach): void => {
      signal.removeEventListener('abort', late);
      socket.destroy();
      resolve(reach);
    };
    const late = (): void => end({ is: 'hangs' });
    signal.addEventListener('abort', late, { once: true });
    socket.once('connect', () => socket.end());
    socket.once('end', () => end({ is: 'answers' }));
    // A server that resets a connection runs, too.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') end({ is: 'answers' });
      else if (error.code === QUEUE_FULL) end({ is: 'hangs' });
      else end({ is: 'unreachable', why: error.message });
    });
    socket.resume();
  });
}

/** How long a server may take to end a connection before `ask` decides, ms. */
const SILENCE_MS = 5_000;

/**
 * Probes in the same way, but silence alone proves nothing: a proxy may keep a half-closed connection. Then `ask`
 * decides, until the signal fires.
 */
export async function probeServer(
  address: DockerAddress,
  ask: (signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
  silenceMs = SILENCE_MS,
): Promise<Reach> {
  const reach = await probeConnection(address, timeoutSignal(silenceMs, signal));
  if (reach.is !== 'hangs' || signal.aborted) return reach;
  return (await ask(signal)) ? { is: 'answers' } : reach;
}
