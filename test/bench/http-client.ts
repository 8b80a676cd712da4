import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';

/** Where to: a unix socket or a port of this machine. */
export type Where = { readonly socketPath: string } | { readonly port: number };

interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface HttpClient {
  /** One request over a connection that is kept; resolves with the whole reply, whatever its status. */
  ask(method: string, path: string, body?: object): Promise<Reply>;
  /** The reply as it comes in, on a connection of its own. */
  open(path: string): Promise<IncomingMessage>;
  close(): void;
}

/** Plain HTTP with as little between the benchmark and the socket as Node allows: a floor must not stand on a library. */
export function httpClient(where: Where): HttpClient {
  const agent = new Agent({ keepAlive: true });
  const target = 'port' in where ? { host: '127.0.0.1', port: where.port } : where;

  const send = (options: RequestOptions, body?: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const one = request({ ...target, ...options }, resolve);
      one.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that the other side closed at that moment: any client asks again.
        if (one.reusedSocket && error.code === 'ECONNRESET' && options.method === 'GET')
          send(options).then(resolve, reject);
        else reject(error);
      });
      one.end(body);
    });

  return {
    async ask(method, path, body) {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers =
        text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
      const response = await send({ method, path, headers, agent }, text);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(Buffer.from(chunk));
      return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
    },
    open: (path) => send({ method: 'GET', path, agent: new Agent() }),
    close: () => agent.destroy(),
  };
}
