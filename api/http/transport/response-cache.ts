import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Scope } from '../../device-state/keys.js';
import type { Rendered } from './answer.js';
import { mayUse } from './app-keys.js';
import { type AuthDeps, admissionOf } from './auth.js';
import type { Callers } from './callers.js';

/** Renders the answer for a caller's scope; undefined when it is not a plain 200. `detail`: the value of the path's parameter. */
export type Read = (scope: Scope, detail: string) => Rendered | undefined;

interface Entry {
  readonly callers: Callers;
  readonly read: Read;
}

/** The scope for which an answer for everybody is rendered. */
const EVERYBODY: Scope = { type: 'global' };
const UNUSUAL = ['if-none-match', 'if-modified-since', 'transfer-encoding', 'content-length'] as const;

/**
 * An optional second router: answers plain GETs of routes that are declared with `cached` from rendered bytes, before
 * the framework sees the request, in a third of the route's time. The bytes are those that the route would send. A
 * request with a query, a condition, a body, another spelling of the path or an unknown key is left to the route, and
 * so is every error.
 */
export class ResponseCache {
  readonly #open = new Map<string, Read>();
  readonly #exact = new Map<string, Entry>();
  readonly #numbered: (Entry & { readonly before: string; readonly after: string })[] = [];

  /** With `routes` nothing is answered here: every request goes to the routes, and to what checks them. */
  constructor(
    private readonly auth: AuthDeps,
    private readonly by: 'ready' | 'routes' = 'ready',
  ) {}

  /** Tells whether everybody gets the answer at this URL. */
  isOpen(url: string): boolean {
    return this.#open.has(url);
  }

  /** Answers GET of this path to whoever may call its route; the path may have one parameter, a number. */
  register(path: string, callers: Callers, read: Read): void {
    const [before = '', after] = path.split(/\{\w+\}/);
    if (callers === 'anyone') this.#open.set(path, read);
    else if (after === undefined) this.#exact.set(before, { callers, read });
    else this.#numbered.push({ before, after, callers, read });
  }

  /** Answers the request; returns whether it did. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { headers, url = '' } = request;
    if (this.by === 'routes' || request.method !== 'GET' || UNUSUAL.some((name) => headers[name] !== undefined))
      return false;
    const rendered = this.#read(request, url);
    if (!rendered) return false;
    const { bytes, type, etag } = rendered;
    response.writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      etag: `W/"${etag}"`,
      'content-length': bytes.length,
    });
    response.end(bytes);
    return true;
  }

  /** An error here is thrown in its route as well, which answers it. */
  #read(request: IncomingMessage, url: string): Rendered | undefined {
    try {
      return this.#open.get(url)?.(EVERYBODY, '') ?? this.#keyed(request, url);
    } catch {
      return undefined;
    }
  }

  #keyed(request: IncomingMessage, url: string): Rendered | undefined {
    const found = this.#find(url);
    if (!found) return undefined;
    const admission = admissionOf({ raw: request, apikey: undefined }, this.auth);
    if (admission.is !== 'admitted' || !mayUse(admission.scope, found.callers, this.auth.appKeys)) return undefined;
    return found.read(admission.scope, found.detail);
  }

  #find(url: string): (Entry & { readonly detail: string }) | undefined {
    const exact = this.#exact.get(url);
    if (exact) return { ...exact, detail: '' };
    for (const { before, after, callers, read } of this.#numbered) {
      if (!url.startsWith(before) || !url.endsWith(after)) continue;
      const detail = url.slice(before.length, url.length - after.length);
      if (/^\d{1,15}$/.test(detail)) return { callers, read, detail };
    }
    return undefined;
  }
}
