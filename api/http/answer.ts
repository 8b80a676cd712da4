import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';

/** A text that is ready to be sent. */
export interface Rendered {
  readonly text: string;
  readonly etag: string;
}

/** Compact JSON and its tag. Pure. */
export function render(value: unknown): Rendered {
  const text = JSON.stringify(value);
  return { text, etag: entityTag(text) };
}

/** Length and SHA-1 of a text, as Express tags its answers. Pure. */
export const entityTag = (text: string): string =>
  `${Buffer.byteLength(text).toString(16)}-${createHash('sha1').update(text).digest('base64').slice(0, 27)}`;

/** A JSON answer; a 200 to a GET carries a weak ETag, and hapi makes it a 304 when the client has it. */
export function json(h: ResponseToolkit, value: unknown, code = 200): ResponseObject {
  return ready(h, isRead(h) && code === 200 ? render(value) : { text: JSON.stringify(value), etag: '' }, code);
}

/** As `json`, of a text rendered before. */
export function ready(h: ResponseToolkit, { text, etag }: Rendered, code = 200): ResponseObject {
  const response = h.response(text).type('application/json').code(code);
  return etag === '' ? response : response.etag(etag, { weak: true, vary: false });
}

/** A bare sentence, `text/html` as Express sends strings. */
export function sentence(h: ResponseToolkit, text: string, code = 200): ResponseObject {
  const response = h.response(text).type('text/html').code(code);
  return code === 200 && isRead(h) ? response.etag(entityTag(text), { weak: true, vary: false }) : response;
}

/** Nothing but a status: its phrase as `text/plain`. */
export const statusOnly = (h: ResponseToolkit, code: number): ResponseObject =>
  h
    .response(STATUS_CODES[code] ?? String(code))
    .type('text/plain')
    .code(code);

/** The error format of the compatible API. */
export const failed = (h: ResponseToolkit, code: number, message: string): ResponseObject =>
  json(h, { status: 'failed', message }, code);

const isRead = ({ request }: ResponseToolkit): boolean => request.method === 'get' || request.method === 'head';
