import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';

export interface CountedRequest {
  readonly method: string;
  /** With query. */
  readonly path: string;
}

export interface CountingProxy {
  /** `unix://…`: give this to whoever is to be watched. */
  readonly dockerHost: string;
  readonly requests: readonly CountedRequest[];
  /** Forgets the requests so far. */
  reset(): void;
  /** Cuts every connection, as an engine that dies. */
  cut(): void;
  /** From now on connections are refused (false) or taken again (true). */
  accept(yes: boolean): void;
  close(): Promise<void>;
}

/**
 * Stands in front of an engine's socket and writes down the requests. Bytes pass unchanged in both directions, so event
 * streams and upgraded connections work; the requests are read along the way.
 */
export async function countingProxy(engineSocket: string, ownSocket: string): Promise<CountingProxy> {
  const requests: CountedRequest[] = [];
  const connections = new Set<Socket>();
  let accepting = true;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (!accepting) {
      client.destroy();
      return;
    }
    const engine = connect({ path: engineSocket, allowHalfOpen: true });
    const reader = requestReader((request) => requests.push(request));
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      connections.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        connections.delete(socket);
        other.destroy();
      });
    }
    client.on('data', reader);
    client.pipe(engine);
    engine.pipe(client);
  });
  const cut = (): void => {
    for (const socket of connections) socket.destroy();
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(ownSocket, resolve);
  });
  return {
    dockerHost: `unix://${ownSocket}`,
    requests,
    reset: () => {
      requests.length = 0;
    },
    cut,
    accept: (yes) => {
      accepting = yes;
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(ownSocket, { force: true });
    },
  };
}

/**
 * Reads the requests in what a client sends over one connection, whatever the chunks: request line, headers, then a
 * body by length or in chunks. After an upgrade nothing is a request any more.
 */
export function requestReader(onRequest: (request: CountedRequest) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let skip = 0;
  let state: 'head' | 'chunk' | 'trailer' | 'raw' = 'head';

  /** One step; false when more bytes are needed. */
  const step = (): boolean => {
    if (skip > 0) {
      const passed = Math.min(skip, rest.length);
      rest = rest.subarray(passed);
      skip -= passed;
      return skip === 0;
    }
    if (state === 'raw') {
      rest = Buffer.alloc(0);
      return false;
    }
    const end = rest.indexOf(state === 'head' ? '\r\n\r\n' : '\r\n');
    if (end < 0) return false;
    const text = rest.subarray(0, end).toString('latin1');
    rest = rest.subarray(end + (state === 'head' ? 4 : 2));
    if (state === 'head') readHead(text);
    else if (state === 'chunk') readChunkSize(text);
    else if (text === '') state = 'head';
    return true;
  };
  const readHead = (text: string): void => {
    const [line = '', ...headers] = text.split('\r\n');
    const [method = '', path = ''] = line.split(' ');
    onRequest({ method, path });
    const header = (name: string): string | undefined =>
      headers
        .find((one) => one.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    if (header('upgrade') !== undefined) state = 'raw';
    else if (header('transfer-encoding')?.toLowerCase() === 'chunked') state = 'chunk';
    else skip = Number(header('content-length') ?? 0);
  };
  const readChunkSize = (text: string): void => {
    const bytes = Number.parseInt(text, 16);
    if (bytes === 0) state = 'trailer';
    else skip = bytes + 2; // with the line end behind it
  };

  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length > 0 && step());
  };
}
