import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { type NetConnectOpts, connect as netConnect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { isMap } from '../../../crds/model/maps.js';
import { CommandError, EXIT } from '../failure.js';
import { type Address, addressText } from './address.js';

/** Longest silence within an answer that is not a stream, ms. */
const SILENCE_MS = 30_000;

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** A client of an agent's resource API. */
export interface Client {
  readonly address: Address;
  /** Returns the JSON of an answer. Throws `ApiError` for any status from 400 on, `CommandError` when nobody answers. */
  ask<T>(method: Method, path: string, body?: unknown): Promise<T>;
  /** Yields the values of an answer with one a line, as they arrive. Ends with the stream or the signal. */
  lines<T>(path: string, signal: AbortSignal): AsyncIterable<T>;
}

/** The agent has refused a request. */
export class ApiError extends CommandError {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly causes: readonly { readonly field: string; readonly message: string }[] = [],
    hint?: string,
  ) {
    super(message, {
      exit: code === 401 || code === 403 ? EXIT.denied : EXIT.failed,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

export interface ClientOptions {
  readonly address: Address;
  readonly key: string | undefined;
  /** Returns a key to try when the agent needs one and none was given. */
  readonly localKey: () => Promise<string | undefined>;
  /** Rejects when the other end of a connection is not the agent. Called before anything that is only for the agent is sent. */
  readonly check?: (socket: Socket) => Promise<void>;
  /** The caller has named the address: the given key, and documents, are for whoever answers there. */
  readonly isNamed?: boolean;
}

/** Creates a client; opens no connection before the first request. */
export function connect({ address, key: given, localKey, check, isNamed = true }: ClientOptions): Client {
  const plain = new Agent({ keepAlive: true });
  const checked = check ? new CheckedAgent(check) : plain;
  let key = given;

  const open = async (method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> => {
    const isForAnybody = isNamed ? key === given : key === undefined && body === undefined;
    const agent = isForAnybody ? plain : checked;
    const response = await send({ address, agent, method, path, body, key, signal });
    if (response.statusCode !== 401 || key !== undefined) return response;
    key = await localKey();
    if (key === undefined) return response;
    response.resume();
    return send({ address, agent: checked, method, path, body, key, signal });
  };
  const accepted = async (response: IncomingMessage): Promise<IncomingMessage> => {
    if ((response.statusCode ?? 0) < 400) return response;
    throw refusal(response.statusCode ?? 0, await textOf(response), key !== undefined);
  };

  return {
    address,
    async ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
      const text = await textOf(await accepted(await open(method, path, body)));
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        throw new CommandError(`${addressText(address)} answered something that is no JSON`, {
          cause,
          hint: 'Is it a supercargo agent? See --host.',
        });
      }
    },
    async *lines<T>(path: string, signal: AbortSignal): AsyncIterable<T> {
      const response = await accepted(await open('GET', path, undefined, signal));
      try {
        for await (const line of createInterface({ input: response })) if (line !== '') yield JSON.parse(line) as T;
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        response.destroy();
      }
    },
  };
}

/** Connections whose other end was checked. */
class CheckedAgent extends Agent {
  constructor(private readonly check: (socket: Socket) => Promise<void>) {
    super({ keepAlive: true });
  }

  /** Passes a connection on once it was checked; returning it would pass it on before. */
  override createConnection(options: NetConnectOpts, ready: (error: Error | null, socket: Duplex) => void): undefined {
    const socket = netConnect(options);
    const fail = (error: Error): void => {
      socket.destroy();
      ready(error, socket);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      this.check(socket).then(() => {
        socket.off('error', fail);
        ready(null, socket);
      }, fail);
    });
  }
}

interface Sent {
  readonly address: Address;
  readonly agent: Agent;
  readonly method: Method;
  readonly path: string;
  readonly body: unknown;
  readonly key: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function send({ address, agent, method, path, body, key, signal }: Sent): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options: RequestOptions = {
    method,
    path,
    ...(address.is === 'socket' ? { socketPath: address.path, agent } : { host: address.host, port: address.port }),
    headers: {
      accept: 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
    },
    ...(signal === undefined ? { timeout: SILENCE_MS } : { signal }),
  };
  // https takes long to load, and an agent on this device never needs it.
  const secure = address.is === 'tcp' && address.secure ? (await import('node:https')).request : undefined;
  return new Promise((resolve, reject) => {
    const request = secure ? secure(options, resolve) : httpRequest({ ...options, agent }, resolve);
    request.on('timeout', () => request.destroy(new Error(`no answer for ${SILENCE_MS / 1000} s`)));
    request.on('error', (cause: NodeJS.ErrnoException) =>
      reject(signal?.aborted || cause instanceof CommandError ? cause : unreachable(address, cause)),
    );
    request.end(text);
  });
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'no such socket',
  EACCES: 'no permission to use the socket',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'no way to that host',
  ETIMEDOUT: 'no answer',
};

function unreachable(address: Address, cause: NodeJS.ErrnoException): CommandError {
  const why = WORDS[cause.code ?? ''] ?? cause.message;
  return new CommandError(`No agent answers at ${addressText(address)}: ${why}`, {
    cause,
    exit: EXIT.unreachable,
    hint: 'Is it running (systemctl status supercargo)? Another device: --host, SUPERCARGO_HOST, or supercargo context.',
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Converts a Status of the resource API, or any other text, to an error. Pure. */
function refusal(code: number, text: string, hadKey: boolean): ApiError {
  const status = statusOf(text);
  const message = status?.message ?? (text.trim() || `The agent answered ${code}`);
  if (code === 401) {
    return new ApiError(
      code,
      'Unauthorized',
      hadKey ? 'The agent does not know this key' : 'The agent wants a key',
      [],
      KEY_HINT,
    );
  }
  const plural = status?.reason === 'NotFound' ? status.details?.kind : undefined;
  const hint = plural === undefined ? undefined : `\`supercargo get ${plural}\` lists those that there are.`;
  return new ApiError(code, status?.reason ?? String(code), message, status?.details?.causes ?? [], hint);
}

const KEY_HINT = '`supercargo key` on the device prints it; give it with --key or SUPERCARGO_API_KEY.';

interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly kind?: string;
    readonly causes?: readonly { readonly field: string; readonly message: string }[];
  };
}

function statusOf(text: string): StatusBody | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) && 'message' in value ? (value as StatusBody) : undefined;
  } catch {
    return undefined;
  }
}
