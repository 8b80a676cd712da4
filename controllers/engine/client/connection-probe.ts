import { connect } from 'node:net';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { DockerAddress } from './docker-address.js';

/**
 * Whether a server takes connections. `hangs`: the kernel takes them for it, the process does nothing. `unreachable`:
 * nobody listens there, or the file of the socket is gone.
 */
export type Reach = { readonly is: 'answers' | 'hangs' } | { readonly is: 'unreachable'; readonly why: string };

/** The queue of connections that nobody took is full. (connect(2)) */
const QUEUE_FULL = 'EAGAIN';

/**
 * Opens a connection, ends our side of it at once and waits until the server ends its own: a server that runs does so within
 * milliseconds. Sends no byte, so no request is served or logged. `hangs` when the signal fires first.
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
    // A server that ends a connection the hard way runs, too.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') end({ is: 'answers' });
      else if (error.code === QUEUE_FULL) end({ is: 'hangs' });
      else end({ is: 'unreachable', why: error.message });
    });
    socket.resume();
  });
}

/** A server that is well ends a connection sooner; what stands in between and keeps it open is asked, ms. */
const SILENCE_MS = 5_000;

/**
 * The same, but a silence alone proves nothing: a proxy may keep a connection that is half closed. Then `ask` has the last
 * word, until the signal fires.
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
