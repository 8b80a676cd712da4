import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Plugin, Request } from '@hapi/hapi';
import qs from 'qs';
import { isMap } from '../../../crds/model/maps.js';
import { errorMessage } from '../../platform/errors.js';
import { parseJsonWithin, TooMuchJson } from '../../platform/json-text.js';
import { isResourcePath } from './kubernetes-status.js';

/** Largest body that is read, bytes. */
const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
/** Bytes of bodies that are held at once, of all requests that are still arriving. */
const HELD_LIMIT_BYTES = 8 * BODY_LIMIT_BYTES;
/** Largest YAML, bytes: 1 MiB of it costs a small device a second and 150 MB. */
const YAML_LIMIT_BYTES = 1024 * 1024;
/** How many times the limit is read and discarded before the connection is given up. */
const DISCARD_FACTOR = 4;
/** Largest number of parameters in a form. */
const FORM_LIMIT = 1000;

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** Body of the request, as JSON or a form; `{}` without one. Set before every handler behind a key. */
    body?: unknown;
  }
  interface RouteOptionsApp {
    /** Schema of the body; `ignored` where the route never reads it, so that nothing can be wrong with it. */
    body?: string;
    /** The body may come as YAML, too: then it is a `YamlText`. */
    takesYaml?: boolean;
  }
}

/** The body cannot be read. The compatible API answers 503 whatever the reason; ours answers `statusCode`. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  constructor(
    message: string,
    readonly statusCode: 400 | 413 | 415 | 503 = 400,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A body that came as YAML, not parsed yet. */
export class YamlText {
  constructor(readonly text: string) {}
}

/** Counts the bytes of all bodies that are still arriving. */
export class HeldBytes {
  #held = 0;
  constructor(private readonly limit = HELD_LIMIT_BYTES) {}

  /** Reserves bytes; returns false when there is no room. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.limit) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }

  get count(): number {
    return this.#held;
  }
}

/** Reads bodies after authentication, also of GET, unknown paths and wrong methods; never where `auth` is off. */
export const bodies: Plugin<{ readonly held: HeldBytes }> = {
  name: 'bodies',
  register(server, { held }) {
    server.ext('onPostAuth', (request, h) => {
      const { req } = request.raw;
      const mayHaveBody = request.method !== 'get' && request.method !== 'head';
      if (!request.auth.isAuthenticated || !(mayHaveBody || hasBody(req))) return h.continue;
      if (request.route.settings.app?.body === 'ignored') return h.continue;
      const onlyJson = isOnlyJson(request);
      const { takesYaml = false } = request.route.settings.app ?? {};
      const strange = onlyJson ? strangeType(req, takesYaml) : undefined;
      return readBody(req, { held, onlyJson, takesYaml }).then((body) => {
        if (strange !== undefined) {
          const types = takesYaml ? 'application/json or application/yaml' : 'application/json';
          throw new BodyError(`unsupported content type "${strange}": use ${types}`, 415);
        }
        request.app.body = body;
        return h.continue;
      });
    });
  },
};

/**
 * Tells whether only JSON is accepted: the resource API takes nothing else, because ignoring a body would turn a dry
 * run of a deletion into a deletion.
 */
const isOnlyJson = ({ path, route }: Request): boolean => isResourcePath(path) && !route.path.startsWith('/{');

/** Returns the content type of a body that the route does not take. A body without one counts as JSON, as in Kubernetes. */
function strangeType(request: Pick<IncomingMessage, 'headers'>, takesYaml: boolean): string | undefined {
  const { type } = contentType(request.headers['content-type']);
  const isFine = type === '' || type === JSON_TYPE || (takesYaml && YAML_TYPES.has(type));
  return !hasBody(request) || isFine ? undefined : type;
}
const JSON_TYPE = 'application/json';
/** The registered type (RFC 9512) and what was used before it. */
const YAML_TYPES = new Set(['application/yaml', 'application/x-yaml', 'text/yaml']);
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Returns the body of a request, `{}` without one. */
export const bodyOf = (request: Request): unknown => request.app.body ?? {};

/** Returns one field of a body; undefined without it. Pure. */
export const fieldOf = (body: unknown, name: string): unknown =>
  isMap(body) ? new Map<string, unknown>(Object.entries(body)).get(name) : undefined;

const hasBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined ||
  (headers['content-length'] !== undefined && headers['content-length'] !== '0');

/**
 * Reads JSON or a form, and with `takesYaml` a `YamlText`; `{}` for an empty body and for other types. `onlyJson`: a body
 * without a type is JSON, and a form counts as another type. Rejects with `BodyError`. A body that is too large is read on
 * for a while without being kept, so that its sender gets the answer.
 */
export async function readBody(
  request: Pick<IncomingMessage, 'headers'> & Readable,
  { limitBytes = BODY_LIMIT_BYTES, held = new HeldBytes(), onlyJson = false, takesYaml = false } = {},
): Promise<unknown> {
  const { type, charset } = contentType(request.headers['content-type']);
  const isJson = type === JSON_TYPE || (onlyJson && type === '');
  const isForm = type === FORM_TYPE && !onlyJson;
  const isYaml = takesYaml && YAML_TYPES.has(type);
  if (!hasBody(request) || !(isJson || isForm || isYaml)) {
    await readBytes(request, limitBytes, 0, held);
    return {};
  }
  const decode = decoder(charset);
  const plain = decompressed(request, request.headers['content-encoding'] ?? 'identity');
  const keepBytes = isYaml ? Math.min(limitBytes, YAML_LIMIT_BYTES) : limitBytes;
  const bytes = await readBytes(plain, limitBytes * DISCARD_FACTOR, keepBytes, held);
  if (!bytes) throw new BodyError('request entity too large', 413);
  const text = decode(bytes);
  if (isYaml) return new YamlText(text);
  return isJson ? parseJson(text) : parseForm(text);
}

/** Reads to the end or to `readLimit`; undefined when there were more than `keepLimit` bytes. Never destroys the stream. */
export async function readBytes(
  source: Readable,
  readLimit: number,
  keepLimit: number,
  held: HeldBytes,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let kept = 0;
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes <= keepLimit) {
        if (!held.take(chunk.length)) throw new BodyError('too many bodies are being sent; try again', 503);
        kept += chunk.length;
        chunks.push(chunk);
      } else if (bytes > readLimit) break;
      else chunks.length = 0;
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError(errorMessage(error), 400, { cause: error });
  } finally {
    held.give(kept);
  }
  return bytes > keepLimit ? undefined : Buffer.concat(chunks);
}

/** Parses a JSON object or array; `{}` for an empty text. Pure; throws `BodyError` with the parser's message. */
function parseJson(text: string): unknown {
  if (text === '') return {};
  const first = /[^\x20\t\n\r]/.exec(text);
  try {
    if (first && first[0] !== '{' && first[0] !== '[') {
      throw new SyntaxError(`Unexpected token '${first[0]}', "${text.slice(0, 20)}" is not valid JSON`);
    }
    return parseJsonWithin(text);
  } catch (error) {
    const message = errorMessage(error);
    throw new BodyError(message, error instanceof TooMuchJson ? 413 : 400, { cause: error });
  }
}

/** Parses a form in the extended syntax: `network[hostname]=x`. Pure; throws `BodyError`. */
function parseForm(text: string): unknown {
  if (text.split('&', FORM_LIMIT + 1).length > FORM_LIMIT) throw new BodyError('too many parameters', 413);
  try {
    return qs.parse(text, { allowPrototypes: true, arrayLimit: 100, depth: 32, parameterLimit: FORM_LIMIT });
  } catch (error) {
    throw new BodyError(errorMessage(error), 400, { cause: error });
  }
}

function contentType(header: string | undefined): { type: string; charset: string } {
  const [type = '', ...parameters] = (header ?? '').split(';');
  const charset = parameters.map((one) => /^\s*charset="?([^"\s]+)"?\s*$/i.exec(one)?.[1]).find((one) => one);
  return { type: type.trim().toLowerCase(), charset: charset?.toLowerCase() ?? 'utf-8' };
}

function decoder(charset: string): (bytes: Buffer) => string {
  try {
    const decode = new TextDecoder(charset);
    return (bytes) => decode.decode(bytes);
  } catch (error) {
    throw new BodyError(`unsupported charset "${charset.toUpperCase()}"`, 415, { cause: error });
  }
}

const DECOMPRESSORS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
]);

function decompressed(source: Readable, encoding: string): Readable {
  const name = encoding.toLowerCase();
  if (name === 'identity') return source;
  const stream = DECOMPRESSORS.get(name)?.();
  if (!stream) throw new BodyError(`unsupported content encoding "${encoding}"`, 415);
  source.on('error', (error) => stream.destroy(error));
  return source.pipe(stream);
}
