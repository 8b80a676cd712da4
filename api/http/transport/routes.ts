import type { Lifecycle, Request, Server } from '@hapi/hapi';
import { scopeOf } from './auth.js';
import type { Callers } from './callers.js';
import { ResourceError } from './kubernetes-status.js';
import type { Read, ResponseCache } from './response-cache.js';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route, with everything that the server and the tests need to know of it. */
export interface Route {
  readonly method: Method | readonly Method[];
  readonly path: string;
  readonly callers: Callers;
  /**
   * Name of the schema of the body in the OpenAPI document; a GET takes none. `ignored`: a body is not even read.
   * Absent: a body is read, and refused when it is unreadable, but not used.
   */
  readonly body?: string;
  /** The body may come as YAML, too: the handler then gets a `YamlText`. */
  readonly takesYaml?: true;
  /**
   * Answer of a plain GET before the framework sees the request (`ResponseCache`): the bytes that the handler would
   * send, or undefined to leave it to the handler.
   */
  readonly cached?: Read;
  readonly handler: Lifecycle.Method;
}

declare module '@hapi/hapi' {
  interface RouteOptionsApp {
    isCached?: boolean;
  }
}

/** Documents contain what an app's key must not see (other apps, their environments), so it sees none of them. */
const GLOBAL_KEY = {
  method: (request: Request) => {
    if (scopeOf(request).type === 'global') return null;
    throw ResourceError.forbidden('the resource API needs the global API key; this key belongs to one app');
  },
};

/** Registers each route with the framework, and those that are `cached` with the cache. */
export function serve(server: Server, cache: ResponseCache, routes: readonly Route[]): void {
  for (const { method, path, callers, body, takesYaml, cached, handler } of routes) {
    if (cached) cache.register(path, callers, cached);
    server.route({
      method: typeof method === 'string' ? method : [...method],
      path,
      options: {
        app: {
          callers,
          isCached: cached !== undefined,
          ...(body === undefined ? {} : { body }),
          ...(takesYaml ? { takesYaml } : {}),
        },
        ...(callers === 'anyone' || callers === 'signed' ? { auth: false } : {}),
        ...(callers === 'global key' ? { pre: [GLOBAL_KEY] } : {}),
      },
      handler,
    });
  }
}
