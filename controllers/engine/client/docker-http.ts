import { setMaxListeners } from 'node:events';
import { Agent, IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { errorMessage } from '../../../api/platform/errors.js';
import { type JsonLimits, parseJsonWithin, TooMuchJson } from '../../../api/platform/json-text.js';
import { isMap } from '../../../crds/model/maps.js';
import { EngineError, EngineUnreachable, type RegistryAuth } from '../engine.js';
import { type DockerAddress, describeAddress } from './docker-address.js';

/** One request to Docker's API. */
export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Without query; segments already escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: object;
  /** The answer is a list of everything that exists. */
  readonly isList?: boolean;
  /** A tar stream or its bytes, instead of `body`. */
  readonly file?: Buffer | NodeJS.ReadableStream;
  readonly auth?: RegistryAuth | undefined;
  readonly signal: AbortSignal;
}

/** An answer of any status. Whoever does not read `stream` to its end has to destroy it. */
export interface Answer {
  readonly status: number;
  readonly stream: IncomingMessage;
}

export interface DockerHttp {
  /** Sends one request; resolves when the response headers have arrived. */
  open(call: Call): Promise<Answer>;
  /** Sends one request and reads the whole body: parsed JSON, or undefined when there is none. */
  ask(call: Call): Promise<{ readonly status: number; readonly body: unknown; readonly apiVersion: string }>;
  /** Returns the error of a broken connection: the signal's reason when it has fired, else `EngineUnreachable`. */
  broken(cause: unknown, signal: AbortSignal): unknown;
}

/** Idle connections that are kept for the next request, and for how long, ms: a settled agent holds only its event stream. */
const IDLE_SOCKETS = 4;
const IDLE_MS = 10_000;

/** Makes the modem pass on every response, so that each verb judges the status itself. */
const EVERY_STATUS = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [100 + index, true]));

interface Connection {
  readonly docker: Docker;
  /** As `DOCKER_HOST`. */
  readonly where: string;
}

function connectionTo(address: DockerAddress): Connection {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_SOCKETS, timeout: IDLE_MS });
  // The modem writes out its whole options, sockets and all, for a debug line at every request that nobody sees: with
  // fifty requests under way that took half of our processor time.
  Object.defineProperty(agent, inspect.custom, { value: () => 'Agent' });
  // `host: undefined` is explicit: the modem reads what is missing from DOCKER_HOST.
  const options: Docker.DockerOptions & { agent: Agent } =
    'socketPath' in address
      ? { socketPath: address.socketPath, host: undefined, port: undefined, protocol: 'http', agent }
      : { host: address.host, port: address.port, protocol: 'http', agent };
  return { docker: new Docker(options), where: describeAddress(address) };
}

/**
 * Sends Docker's HTTP over dockerode's modem: sockets kept alive, no limit on how many requests run at once (event and
 * log streams occupy one each for hours). Bodies are read here rather than by the modem, which never answers when the
 * engine dies in the middle of one. An unknown address is asked for at the first request, which rejects with what that
 * throws.
 */
export function dockerHttp(address: DockerAddress | (() => DockerAddress)): DockerHttp {
  const last: { connection?: Connection } = {};
  const connection = (): Connection => {
    last.connection ??= connectionTo(typeof address === 'function' ? address() : address);
    return last.connection;
  };

  const broken = (cause: unknown, signal: AbortSignal): unknown => {
    if (signal.aborted) return signal.reason;
    if (cause instanceof EngineError || cause instanceof EngineUnreachable) return cause;
    return new EngineUnreachable(`No Docker engine answers at ${connection().where}: ${errorMessage(cause)}`, {
      cause,
    });
  };

  const open = async (call: Call): Promise<Answer> => {
    call.signal.throwIfAborted();
    const { docker } = connection();
    setMaxListeners(0, call.signal); // one signal for many requests at once is normal, not a leak
    try {
      return await new Promise<Answer>((resolve, reject) => {
        docker.modem.dial(
          {
            method: call.method ?? 'GET',
            path: `${call.path}?`, // the modem appends a query only after a question mark
            options: { _query: call.query ?? {}, _body: call.body ?? {} },
            ...(call.file === undefined ? {} : { file: call.file }),
            ...(call.auth === undefined ? {} : { authconfig: { ...call.auth } }),
            abortSignal: call.signal,
            isStream: true,
            statusCodes: EVERY_STATUS,
          },
          (error: Error | null, response: unknown) => {
            if (response instanceof IncomingMessage) resolve({ status: response.statusCode ?? 0, stream: response });
            else reject(error ?? new Error('The modem answered without a response'));
          },
        );
      });
    } catch (error) {
      throw broken(error, call.signal);
    }
  };

  return {
    open,
    async ask(call) {
      const { status, stream } = await open(call);
      try {
        const version = stream.headers['api-version'];
        return {
          status,
          body: parseBody(await readAll(stream), call.isList ? LIST_LIMITS : undefined),
          apiVersion: typeof version === 'string' ? version : '',
        };
      } catch (error) {
        throw broken(error, call.signal);
      }
    },
    broken,
  };
}

/** Returns Docker's message for a refusal. Pure. */
export function refusal(status: number, body: unknown): EngineError {
  const words =
    isMap(body) && typeof body.message === 'string'
      ? body.message.trim()
      : typeof body === 'string' && body.trim() !== ''
        ? body.trim()
        : `Docker answered ${status}`;
  return new EngineError(words, status);
}

/** Largest answer of an engine, bytes: a list of a thousand containers has about 3 MB. All of it is held at once. */
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;

/** Reads the whole body. Throws when it is larger than any engine's. */
export async function readAll(stream: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes > LARGEST_ANSWER_BYTES) throw new Error(`The engine answers more than ${LARGEST_ANSWER_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

/** Limits of a list: a thousand containers have some 100,000 values. */
const LIST_LIMITS: JsonLimits = { depth: 100, values: 600_000 };

/** Parses JSON; returns any other text as it is (from a proxy in between), and undefined for an empty one. Throws `TooMuchJson`. Pure. */
export function parseBody(text: string, limits?: JsonLimits): unknown {
  if (text.trim() === '') return undefined;
  try {
    return parseJsonWithin(text, limits);
  } catch (error) {
    if (error instanceof TooMuchJson) throw error;
    return text;
  }
}
