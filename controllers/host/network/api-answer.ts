import { request } from 'node:http';

const PATIENCE_MS = 2_000;

/**
 * Tells whether an API answers `/ping` at `host:port` or `unix:/path`; an address that stands for every address of a
 * machine is tried on this one.
 */
export const answersAt = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const path = '/ping';
    const colon = address.lastIndexOf(':');
    const host = address
      .slice(0, colon)
      .replace(/^\[|\]$/g, '')
      .replace(/^(?:0\.0\.0\.0|::)$/, '127.0.0.1');
    const where = address.startsWith('unix:')
      ? { socketPath: address.slice('unix:'.length) }
      : { host, port: Number(address.slice(colon + 1)) };
    const asking = request({ ...where, path, timeout: PATIENCE_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(false));
    asking.on('close', () => resolve(false));
    asking.end();
  });
