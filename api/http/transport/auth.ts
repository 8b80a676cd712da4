import type { IncomingMessage } from 'node:http';
import Boom from '@hapi/boom';
import type { Plugin, Request } from '@hapi/hapi';
import type { Scope } from '../../device-state/keys.js';
import { type AppKeyReach, mayUse } from './app-keys.js';
import type { Callers } from './callers.js';
import { type Admission, admit, isForwarded, type ListenerKind, type TrustRules } from './trust.js';

declare module '@hapi/hapi' {
  interface AppCredentials {
    readonly scope: Scope;
    /** The known key that came with the request. */
    readonly key?: string;
  }
  interface RouteOptionsApp {
    /** Unknown paths have none: every key may get their answer. */
    callers?: Callers;
  }
}

export interface AuthDeps {
  readonly rules: TrustRules;
  listenerKindOf(request: IncomingMessage): ListenerKind;
  /** What keys of apps may do. */
  readonly appKeys: AppKeyReach;
  /** Tells whether the other end of its connection is the device's owner. */
  isOwner(request: IncomingMessage): boolean;
}

/** Checks keys before every route except those for `anyone` and those that check the caller themselves. */
export const auth: Plugin<AuthDeps> = {
  name: 'auth',
  register(server, deps) {
    server.auth.scheme('key', () => ({
      authenticate(request, h) {
        const admission = admissionOf(senderFacts(request), deps);
        if (admission.is !== 'admitted') throw refusal(admission);
        const { scope, key } = admission;
        const { callers = 'any key' } = request.route.settings.app ?? {};
        if (!mayUse(scope, callers, deps.appKeys)) throw refusal({ is: 'unauthorized' });
        return h.authenticated({ credentials: { app: key === undefined ? { scope } : { scope, key } } });
      },
    }));
    server.auth.strategy('key', 'key');
    server.auth.default('key');
  },
};

/** The parts of a request that tell who sent it. */
export interface SenderFacts {
  readonly raw: IncomingMessage;
  /** Query parameter as parsed. */
  readonly apikey: unknown;
  /** Used when there is no socket. */
  readonly remoteAddress?: string;
}

export const senderFacts = ({ raw, query, info }: Request): SenderFacts => ({
  raw: raw.req,
  apikey: query.apikey,
  remoteAddress: info.remoteAddress,
});

/** Decides who sent a request. */
export function admissionOf(
  { raw, apikey, remoteAddress }: SenderFacts,
  { rules, listenerKindOf, isOwner }: AuthDeps,
): Admission {
  const { headers, socket } = raw;
  return admit(
    {
      listener: listenerKindOf(raw),
      remoteAddress: socket?.remoteAddress ?? remoteAddress,
      localAddress: socket?.localAddress,
      host: one(headers.host),
      origin: one(headers.origin),
      fetchSite: one(headers['sec-fetch-site']),
      authorization: one(headers.authorization),
      apikey,
      isOwner: isOwner(raw),
      isForwarded: isForwarded(headers),
    },
    rules,
  );
}

/** Returns the error for a caller that was not admitted. Pure. */
export function refusal(admission: Exclude<Admission, { is: 'admitted' }>): Boom.Boom {
  return admission.is === 'unauthorized'
    ? Boom.unauthorized('Unauthorized')
    : Boom.forbidden(`Forbidden without an API key: ${admission.because}`);
}

/** Returns what the sender may see; only for routes behind a key. */
export function scopeOf(request: Request): Scope {
  const scope = request.auth.credentials.app?.scope;
  if (!scope) throw new Error('A route that asks for the scope has no authentication');
  return scope;
}

/** Tells whether a scope reaches an app. Pure. */
export const reaches = (scope: Scope, appId: number): boolean => scope.type === 'global' || scope.appId === appId;

const one = (header: unknown): string | undefined =>
  Array.isArray(header) ? header.join(',') : typeof header === 'string' ? header : undefined;
