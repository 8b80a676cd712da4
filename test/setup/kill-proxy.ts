import { rm } from 'node:fs/promises';
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** When the agent dies: before the engine hears of a request, or after it has done what was asked, without a reply. */
export type Moment = 'before' | 'after';

export interface KillProxy {
  /** `unix://…`: the engine, for whoever is to be killed. */
  readonly dockerHost: string;
  /** Requests since `arm`; the endless stream of events does not count. */
  readonly requests: number;
  /** From now on requests are counted; at the one of that number, from 0, `kill` is called. */
  arm(at: number | undefined, moment: Moment, kill: () => void): void;
  close(): Promise<void>;
}

/** Stands between an agent and an engine's socket, request by request. */
export async function killProxy(engineSocket: string, ownSocket: string): Promise<KillProxy> {
  let count = 0;
  let armed: { readonly at: number | undefined; readonly moment: Moment; readonly kill: () => void } | undefined;

  /** `lost`: the engine does it, and instead of the reply comes the end. */
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, lost: (() => void) | undefined): void => {
    const { method, url: path, headers } = incoming;
    const request = ask({ socketPath: engineSocket, method, path, headers, agent: false }, (reply) => {
      reply.on('error', () => outgoing.destroy());
      if (lost) {
        reply.on('end', () => {
          lost();
          outgoing.destroy();
        });
        reply.resume();
        return;
      }
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      outgoing.flushHeaders();
      reply.pipe(outgoing);
    });
    request.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (!lost) request.destroy(); // the engine goes on with what it was asked, whoever died
    });
    incoming.pipe(request);
  };

  const server = createServer((incoming, outgoing) => {
    const isCounted = armed !== undefined && !incoming.url?.includes('/events');
    const isIt = isCounted && count++ === armed?.at;
    if (isIt && armed?.moment === 'before') {
      armed.kill();
      incoming.destroy();
      return;
    }
    forward(incoming, outgoing, isIt ? armed?.kill : undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(ownSocket, resolve);
  });
  return {
    dockerHost: `unix://${ownSocket}`,
    get requests() {
      return count;
    },
    arm: (at, moment, kill) => {
      count = 0;
      armed = { at, moment, kill };
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(ownSocket, { force: true });
    },
  };
}
