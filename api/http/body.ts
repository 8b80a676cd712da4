import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Plugin, Request } from '@hapi/hapi';
import qs from 'qs';

/** Largest body that is read, bytes. */
export const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
/** Most parameters of a form. */
const FORM_LIMIT = 1000;

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** What the client sent as JSON or as a form; `{}` without either. Set before every handler behind a key. */
    body?: unknown;
  }
}

/** The body cannot be read. The compatible API answers 503 for it, whatever it was; ours says `statusCode`. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  constructor(
    message: string,
    readonly statusCode: 400 | 413 | 415 = 400,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Reads bodies after authentication, also of GET, unknown paths and wrong methods; never where `auth` is off. */
export const bodies: Plugin<void> = {
  name: 'bodies',
  register(server) {
    server.ext('onPostAuth', (request, h) => {
      if (!request.auth.isAuthenticated || !hasBody(request.raw.req)) return h.continue;
      return readBody(request.raw.req).then((body) => {
        request.app.body = body;
        return h.continue;
      });
    });
  },
};

/** What the client sent, `{}` when nothing. */
export const bodyOf = (request: Request): unknown => request.app.body ?? {};

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined ||
  (headers['content-length'] !== undefined && headers['content-length'] !== '0');

/** JSON or a form as a value; `{}` for an empty body and for other types, which are not read. Rejects with BodyError. */
export async function readBody(
  request: Pick<IncomingMessage, 'headers'> & Readable,
  limitBytes = BODY_LIMIT_BYTES,
): Promise<unknown> {
  const { type, charset } = contentType(request.headers['content-type']);
  if (type !== 'application/json' && type !== 'application/x-www-form-urlencoded') return {};
  if (Number(request.headers['content-length']) > limitBytes) throw tooLarge();
  const decode = decoder(charset);
  const plain = decompressed(request, request.headers['content-encoding'] ?? 'identity');
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of plain) {
      bytes += chunk.length;
      if (bytes > limitBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError(error instanceof Error ? error.message : String(error), 400, { cause: error });
  }
  const text = decode(Buffer.concat(chunks));
  return type === 'application/json' ? parseJson(text) : parseForm(text);
}

/** A JSON object or array; `{}` for an empty text. Pure; throws BodyError with the engine's own words. */
export function parseJson(text: string): unknown {
  if (text === '') return {};
  const first = /[^\x20\t\n\r]/.exec(text);
  try {
    if (first && first[0] !== '{' && first[0] !== '[') {
      throw new SyntaxError(`Unexpected token '${first[0]}', "${text.slice(0, 20)}" is not valid JSON`);
    }
    return JSON.parse(text);
  } catch (error) {
    throw new BodyError(error instanceof Error ? error.message : String(error), 400, { cause: error });
  }
}

/** A form in the extended syntax: `network[hostname]=x`. Pure; throws BodyError. */
export function parseForm(text: string): unknown {
  if (text.split('&', FORM_LIMIT + 1).length > FORM_LIMIT) throw new BodyError('too many parameters', 413);
  try {
    return qs.parse(text, { allowPrototypes: true, arrayLimit: 100, depth: 32, parameterLimit: FORM_LIMIT });
  } catch (error) {
    throw new BodyError(error instanceof Error ? error.message : String(error), 400, { cause: error });
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

const tooLarge = (): BodyError => new BodyError('request entity too large', 413);
