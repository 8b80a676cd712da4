import type { Scope } from '../../device-state/keys.js';

/** The kind of listener through which a request came. Containers call the gateway of `supervisor0`. */
export type ListenerKind = 'tcp' | 'unix' | 'gateway';

/** What is known about a request before any of it is trusted. */
export interface Caller {
  readonly listener: ListenerKind;
  /** Address of the other end; undefined on a unix socket. */
  readonly remoteAddress?: string | undefined;
  /** Our own end of the connection: by definition an address of this device. */
  readonly localAddress?: string | undefined;
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly fetchSite?: string | undefined;
  readonly authorization?: string | undefined;
  /** Query parameter as parsed: given twice, it is not a string. */
  readonly apikey?: unknown;
  /** True when this machine's kernel (or the mode of the socket's file) says that the caller is the device's owner. */
  readonly isOwner: boolean;
  /** True when a header says that it came through a proxy, whose own address tells nothing. */
  readonly isForwarded: boolean;
}

/** The rules of trust; read at every request, because settings may change. */
export interface TrustRules {
  readonly localMode: boolean;
  readonly development: boolean;
  scopeOf(key: string): Scope | undefined;
  /** Names of this device, lower case. */
  hostNames(): readonly string[];
  /** IP addresses of this device. */
  addresses(): readonly string[];
}

export type Admission =
  | { readonly is: 'admitted'; readonly scope: Scope; readonly key?: string }
  | { readonly is: 'unauthorized' }
  | { readonly is: 'forbidden'; readonly because: string };

const GLOBAL: Scope = { type: 'global' };

/**
 * Decides who a caller is. A known key always decides. Without one, local mode trusts the owner of this machine (or, in
 * development, everybody), but only requests that no web page could have sent. In local mode an unknown key counts as
 * none, as in the Supervisor. Pure but for the functions in `rules`.
 */
export function admit(caller: Caller, rules: TrustRules): Admission {
  const key = suppliedKey(caller);
  const known = key === undefined ? undefined : rules.scopeOf(key);
  if (known && key !== undefined) return { is: 'admitted', scope: known, key };
  if (!rules.localMode || !(rules.development || isThisMachine(caller))) return { is: 'unauthorized' };
  const suspicion = webPageSign(caller, rules);
  return suspicion === undefined ? { is: 'admitted', scope: GLOBAL } : { is: 'forbidden', because: suspicion };
}

/** Returns the key that was sent. The first source that is present decides: one non-empty `apikey`, else the Authorization header. Pure. */
export function suppliedKey({ apikey, authorization }: Pick<Caller, 'apikey' | 'authorization'>): string | undefined {
  if (typeof apikey === 'string' && apikey !== '') return apikey;
  return /^(?:ApiKey|Bearer) (\w+)$/i.exec(authorization ?? '')?.[1];
}

/** Tells whether the caller's address, by itself, may be that of this machine. Pure. */
export const seemsLocal = ({
  listener,
  remoteAddress,
  isForwarded,
}: Pick<Caller, 'listener' | 'remoteAddress' | 'isForwarded'>) =>
  !isForwarded &&
  (listener === 'unix' || (listener === 'tcp' && remoteAddress !== undefined && isLoopback(remoteAddress)));

const isThisMachine = (caller: Caller): boolean => caller.isOwner && seemsLocal(caller);

/**
 * Tells whether a header says that the request was passed on for somebody else (RFC 7239, RFC 9110, and what proxies,
 * load balancers and delivery networks add of their own). A caller that adds such a header only loses trust, so similar
 * ones count. Pure.
 */
export function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (FORWARDING.test(name)) return true;
  return false;
}

const FORWARDING = new RegExp(
  `^(?:${[
    '(?:.*-)?forwarded(?:-.*)?',
    'x-(?:forward|forwarder)-for',
    '(?:.*-)?via',
    // How often it may still be passed on. Only a proxy counts that; a client sends it with TRACE at most.
    '(?:x-)?(?:max|im)-?forwards',
    // The client's address: Client-IP, True-Client-IP, CF-Connecting-IPv6, X-Real-IP, X-Azure-ClientIP, X-Client-For.
    '(?:.*-)?(?:client|clientip|real|remote|connecting|source|src|socket|peer|proxyuser|cluster|originating)-?(?:ip(?:v[46])?|addr|address|for|host|port)(?:-port)?',
    '(?:.*-)?(?:clientip|realip|remoteip|socketip)',
    // What it was before it was passed on, and who claims to have logged in.
    'x-original(?:-.*)?',
    'x-(?:scheme|url-scheme|host|rewrite-url|https)',
    'front-end-https',
    '(?:x-)?(?:ssl|tls)-.*',
    '(?:x-)?remote-(?:user|group|groups|name|email)',
    'x-(?:auth-request|authentik|webauth|goog-iap|goog-authenticated|ms-client-principal)(?:-.*)?',
    'x-authenticated-(?:user|userid|group|groups|name|email)',
    // Which proxy passed it on: nginx, HAProxy, Envoy, Varnish, WebLogic, and the networks of Amazon, Microsoft,
    // Google, Cloudflare and others.
    'cdn-loop',
    'x-timer',
    '(?:x-)?(?:proxy|bluecoat|nginx|haproxy|envoy|varnish|traefik|lb|akamai|fastly|azure|arr|appengine|vercel|nf|sucuri|amz-cf|amzn)(?:-.*)?',
    '(?:wl-proxy|cf|fly|do|incap|ngrok|tailscale|akamai)-.*',
    'x-cloud-trace-context',
    'surrogate-capability',
  ].join('|')})$`,
);

const bare = (address: string): string =>
  address
    .toLowerCase()
    .replace(/^::ffff:/, '')
    .replace(/%.*$/, '');
/** Tells whether an address is that of the machine itself. Pure. */
export const isLoopback = (address: string): boolean => /^(?:127(?:\.\d{1,3}){3}|::1)$/.test(bare(address));

/**
 * Returns why a browser may have sent this for some other site; undefined when it cannot. A page cannot reach a unix
 * socket, but a proxy before it can.
 */
function webPageSign(caller: Caller, rules: TrustRules): string | undefined {
  const { host, origin, fetchSite, listener } = caller;
  if (listener !== 'unix' && host !== undefined && host !== '' && !isOwnHost(host, caller, rules)) {
    return `"${host}" is not a name or address of this device`;
  }
  if (origin !== undefined && originHost(origin) !== host?.toLowerCase()) return `the page at ${origin} is not ours`;
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') {
    return 'another site asked for it';
  }
  return undefined;
}

function originHost(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}

function isOwnHost(host: string, { localAddress }: Caller, rules: TrustRules): boolean {
  const name = bare((/^\[([^\]]*)\](?::\d+)?$/.exec(host) ?? /^([^:]*)(?::\d+)?$/.exec(host))?.[1] ?? host);
  return (
    name === 'localhost' ||
    isLoopback(name) ||
    (localAddress !== undefined && name === bare(localAddress)) ||
    rules.hostNames().some((own) => name === own.toLowerCase() || name === `${own.toLowerCase()}.local`) ||
    rules.addresses().some((own) => name === bare(own))
  );
}
