import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';

const JSON_TYPE = 'application/json';
export const HTML_TYPE = 'text/html';
export const TEXT_TYPE = 'text/plain';

/** An answer that is ready to be sent. */
export interface Rendered {
  /** UTF-8, encoded once however often it is sent. */
  readonly bytes: Buffer;
  readonly type: typeof JSON_TYPE | typeof HTML_TYPE | typeof TEXT_TYPE;
  /** Without quotes; '' without a tag. */
  readonly etag: string;
}

/** Returns compact JSON and its tag. Pure. */
export const render = (value: unknown): Rendered => tagged(JSON.stringify(value), JSON_TYPE);

/** Returns a text and its tag. Pure. */
export function tagged(text: string, type: Rendered['type']): Rendered {
  const bytes = Buffer.from(text);
  return { bytes, type, etag: entityTag(bytes) };
}

/** Returns length and SHA-1 of an answer, as Express tags its own. Pure. */
const entityTag = (bytes: Buffer): string =>
  `${bytes.length.toString(16)}-${createHash('sha1').update(bytes).digest('base64').slice(0, 27)}`;

/** Returns a JSON answer; a 200 to a GET has a weak ETag, and hapi makes it a 304 when the client has it. */
export function json(h: ResponseToolkit, value: unknown, code = 200): ResponseObject {
  return text(h, JSON.stringify(value), JSON_TYPE, code);
}

/** Returns the same as `json`, for a text that was rendered before. */
export function ready(h: ResponseToolkit, { bytes, type, etag }: Rendered, code = 200): ResponseObject {
  const response = h.response(bytes).type(type).code(code);
  return etag === '' ? response : response.etag(etag, { weak: true, vary: false });
}

/** Returns a bare sentence, `text/html` as Express sends strings. */
export const sentence = (h: ResponseToolkit, words: string, code = 200): ResponseObject =>
  text(h, words, HTML_TYPE, code);

/** Returns only a status: its phrase as `text/plain`. */
export const statusOnly = (h: ResponseToolkit, code: number): ResponseObject =>
  text(h, STATUS_CODES[code] ?? String(code), TEXT_TYPE, code);

/** Returns an error in the format of the compatible API. */
export const failed = (h: ResponseToolkit, code: number, message: string): ResponseObject =>
  json(h, { status: 'failed', message }, code);

/** Returns a text, tagged only where a client can ask again with the tag: hapi would make a 304 of an error with one. */
const text = (h: ResponseToolkit, content: string, type: Rendered['type'], code: number): ResponseObject =>
  ready(h, isRead(h) && code === 200 ? tagged(content, type) : { bytes: Buffer.from(content), type, etag: '' }, code);

const isRead = ({ request }: ResponseToolkit): boolean => request.method === 'get' || request.method === 'head';
