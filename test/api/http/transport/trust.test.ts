import assert from 'node:assert/strict';
import { admit, type Caller, isForwarded, suppliedKey, type TrustRules } from '../../../../api/http/transport/trust.js';

const rules = (change: Partial<TrustRules> = {}): TrustRules => ({
  localMode: false,
  development: false,
  scopeOf: (key) => (key === 'global' ? { type: 'global' } : key === 'app2' ? { type: 'app', appId: 2 } : undefined),
  hostNames: () => ['MyDevice'],
  addresses: () => ['192.0.2.7', 'fd00::2'],
  ...change,
});
const owner = { isOwner: true, isForwarded: false };
const loopback: Caller = {
  ...owner,
  listener: 'tcp',
  remoteAddress: '127.0.0.1',
  localAddress: '127.0.0.1',
  host: '127.0.0.1:48484',
};
const lan: Caller = {
  ...owner,
  listener: 'tcp',
  remoteAddress: '192.0.2.99',
  localAddress: '192.0.2.7',
  host: '192.0.2.7:48484',
};
const unix: Caller = { ...owner, listener: 'unix', host: 'docker' };
const gateway: Caller = {
  ...owner,
  listener: 'gateway',
  remoteAddress: '10.114.104.1',
  localAddress: '10.114.104.1',
  host: '10.114.104.1:48484',
};
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** The decision as text. */
function decision(caller: Caller, change: Partial<TrustRules>): string {
  const admission = admit(caller, rules(change));
  if (admission.is !== 'admitted') return admission.is;
  const { scope, key } = admission;
  return `${scope.type === 'global' ? 'global' : `app ${scope.appId}`}${key === undefined ? '' : ` by ${key}`}`;
}

describe('admit', () => {
  const managed = {};
  const local = { localMode: true };
  const development = { localMode: true, development: true };
  const cases: readonly { it: string; mode: Partial<TrustRules>; caller: Caller; want: string }[] = [
    {
      it: 'wants a key outside local mode, from this machine too',
      mode: managed,
      caller: loopback,
      want: 'unauthorized',
    },
    { it: 'wants a key outside local mode on a unix socket', mode: managed, caller: unix, want: 'unauthorized' },
    { it: 'ignores development outside local mode', mode: { development: true }, caller: lan, want: 'unauthorized' },
    { it: 'takes a Bearer key', mode: managed, caller: { ...lan, ...bearer('global') }, want: 'global by global' },
    { it: 'takes an apikey', mode: managed, caller: { ...lan, apikey: 'app2' }, want: 'app 2 by app2' },
    { it: 'refuses an unknown key', mode: managed, caller: { ...lan, ...bearer('wrong') }, want: 'unauthorized' },
    {
      it: 'does not look at the header when the query key is wrong',
      mode: managed,
      caller: { ...lan, apikey: 'wrong', ...bearer('global') },
      want: 'unauthorized',
    },
    {
      it: 'a page that has a key may use it',
      mode: managed,
      caller: { ...lan, origin: 'https://evil.example', ...bearer('global') },
      want: 'global by global',
    },
    { it: 'trusts loopback in local mode', mode: local, caller: loopback, want: 'global' },
    {
      it: 'trusts a mapped loopback address',
      mode: local,
      caller: { ...loopback, remoteAddress: '::ffff:127.0.0.1' },
      want: 'global',
    },
    {
      it: 'trusts IPv6 loopback',
      mode: local,
      caller: { ...loopback, remoteAddress: '::1', host: '[::1]:48484' },
      want: 'global',
    },
    { it: 'trusts a unix socket in local mode, whatever Host says', mode: local, caller: unix, want: 'global' },
    {
      it: 'is not harmed by a wrong key in local mode',
      mode: local,
      caller: { ...loopback, ...bearer('wrong') },
      want: 'global',
    },
    {
      it: 'a known key decides in local mode',
      mode: local,
      caller: { ...loopback, ...bearer('app2') },
      want: 'app 2 by app2',
    },
    {
      it: 'a known key decides on a unix socket',
      mode: local,
      caller: { ...unix, apikey: 'app2' },
      want: 'app 2 by app2',
    },
    {
      it: 'a known key decides in development',
      mode: development,
      caller: { ...lan, apikey: 'app2' },
      want: 'app 2 by app2',
    },
    ...[loopback, unix].flatMap((caller) => [
      {
        it: `wants a key from somebody else on this machine (${caller.listener})`,
        mode: local,
        caller: { ...caller, isOwner: false },
        want: 'unauthorized',
      },
      {
        it: `is not content with an unknown key from somebody else on this machine (${caller.listener})`,
        mode: local,
        caller: { ...caller, isOwner: false, ...bearer('wrong') },
        want: 'unauthorized',
      },
      {
        it: `takes a key from somebody else on this machine (${caller.listener})`,
        mode: local,
        caller: { ...caller, isOwner: false, ...bearer('global') },
        want: 'global by global',
      },
      {
        it: `does not take a proxy for whom it speaks for (${caller.listener})`,
        mode: local,
        caller: { ...caller, isForwarded: true },
        want: 'unauthorized',
      },
      {
        it: `takes a key that came through a proxy (${caller.listener})`,
        mode: local,
        caller: { ...caller, isForwarded: true, ...bearer('app2') },
        want: 'app 2 by app2',
      },
    ]),
    {
      it: 'asks nobody on this machine who they are in development',
      mode: development,
      caller: { ...loopback, isOwner: false, isForwarded: true },
      want: 'global',
    },
    { it: 'wants a key from the LAN', mode: local, caller: lan, want: 'unauthorized' },
    { it: 'wants a key at the gateway of containers', mode: local, caller: gateway, want: 'unauthorized' },
    {
      it: 'never takes a gateway caller for this machine',
      mode: local,
      caller: { ...gateway, remoteAddress: '127.0.0.1' },
      want: 'unauthorized',
    },
    {
      it: 'gives a container its own scope',
      mode: local,
      caller: { ...gateway, ...bearer('app2') },
      want: 'app 2 by app2',
    },
    { it: 'trusts the LAN in development', mode: development, caller: lan, want: 'global' },
    { it: 'trusts containers in development', mode: development, caller: gateway, want: 'global' },
  ];
  for (const one of cases) {
    it(one.it, () => assert.equal(decision(one.caller, one.mode), one.want));
  }

  const guard: readonly { it: string; caller: Partial<Caller>; want: string }[] = [
    { it: 'localhost', caller: { host: 'localhost:48484' }, want: 'global' },
    { it: 'no Host', caller: { host: undefined }, want: 'global' },
    { it: 'the host name in another case', caller: { host: 'mydevice:48484' }, want: 'global' },
    { it: 'the mDNS name', caller: { host: 'mydevice.local' }, want: 'global' },
    { it: 'another address of the device', caller: { host: '192.0.2.7:48484' }, want: 'global' },
    { it: 'an IPv6 address of the device', caller: { host: '[fd00::2]:48484' }, want: 'global' },
    { it: 'a foreign name (DNS rebinding)', caller: { host: 'evil.example:48484' }, want: 'forbidden' },
    { it: 'a name that only begins like ours', caller: { host: 'localhost.evil.example' }, want: 'forbidden' },
    { it: 'an address that is not ours', caller: { host: '198.51.100.1' }, want: 'forbidden' },
    { it: 'a host that is no host', caller: { host: 'a:b:c' }, want: 'forbidden' },
    { it: 'our own page', caller: { origin: 'http://127.0.0.1:48484' }, want: 'global' },
    { it: 'a foreign Origin', caller: { origin: 'https://evil.example' }, want: 'forbidden' },
    { it: 'a page on another port of this device', caller: { origin: 'http://127.0.0.1:8080' }, want: 'forbidden' },
    { it: 'an opaque Origin', caller: { origin: 'null' }, want: 'forbidden' },
    { it: 'a fetch by our page', caller: { fetchSite: 'same-origin' }, want: 'global' },
    { it: 'an address typed by a person', caller: { fetchSite: 'none' }, want: 'global' },
    { it: 'a cross-site fetch', caller: { fetchSite: 'cross-site' }, want: 'forbidden' },
    { it: 'a fetch from another port of this device', caller: { fetchSite: 'same-site' }, want: 'forbidden' },
    {
      it: 'a foreign Origin with a known key',
      caller: { origin: 'https://evil.example', apikey: 'global' },
      want: 'global by global',
    },
    {
      it: 'a foreign Origin with a wrong key',
      caller: { origin: 'https://evil.example', apikey: 'wrong' },
      want: 'forbidden',
    },
  ];
  for (const one of guard) {
    it(`without a key in local mode, ${one.it}: ${one.want}`, () =>
      assert.equal(decision({ ...loopback, ...one.caller }, local), one.want));
  }
  it('guards the LAN of development in the same way', () =>
    assert.equal(decision({ ...lan, origin: 'https://evil.example' }, development), 'forbidden'));
  it('guards a proxy before the unix socket', () =>
    assert.equal(decision({ ...unix, origin: 'https://evil.example' }, local), 'forbidden'));
});

describe('suppliedKey', () => {
  const cases: readonly [what: string, caller: Partial<Caller>, want: string | undefined][] = [
    ['nothing', {}, undefined],
    ['a query key', { apikey: 'k' }, 'k'],
    ['an empty query key, then the header', { apikey: '', ...bearer('h') }, 'h'],
    ['a query key given twice, then the header', { apikey: ['a', 'b'], ...bearer('h') }, 'h'],
    ['ApiKey', { authorization: 'ApiKey h' }, 'h'],
    ['any case of the scheme', { authorization: 'bEARER h' }, 'h'],
    ['two blanks', { authorization: 'Bearer  h' }, undefined],
    ['a bare key', { authorization: 'h' }, undefined],
    ['Basic', { authorization: 'Basic h' }, undefined],
    ['other characters', { authorization: 'Bearer h-1' }, undefined],
  ];
  for (const [what, caller, want] of cases) {
    it(`reads ${what}`, () => assert.equal(suppliedKey(caller), want));
  }
});

describe('isForwarded', () => {
  for (const name of [
    'forwarded',
    'via',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded',
    'x-real-ip',
    'forwarded-for',
    'forwarded-proto',
    'x-original-forwarded-for',
    'x-envoy-original-forwarded-for',
    'client-ip',
    'x-client-ip',
    'true-client-ip',
    'x-cluster-client-ip',
    'x-client-port',
    'x-real-port',
    'x-remote-addr',
    'x-remote-ip',
    'x-proxyuser-ip',
    'proxy-client-ip',
    'wl-proxy-client-ip',
    'wl-proxy-ssl',
    'proxy-connection',
    'cf-connecting-ip',
    'cf-connecting-ipv6',
    'cf-ray',
    'cf-visitor',
    'cf-ipcountry',
    'cdn-loop',
    'do-connecting-ip',
    'fly-client-ip',
    'fastly-client-ip',
    'fastly-ssl',
    'akamai-origin-hop',
    'incap-client-ip',
    'x-sucuri-clientip',
    'x-azure-clientip',
    'x-azure-socketip',
    'x-arr-log-id',
    'x-appengine-remote-addr',
    'x-cloud-trace-context',
    'x-nf-client-connection-ip',
    'x-vercel-id',
    'x-amzn-trace-id',
    'x-amz-cf-id',
    'x-envoy-external-address',
    'x-envoy-expected-rq-timeout-ms',
    'x-varnish',
    'x-nginx-proxy',
    'x-original-url',
    'x-original-host',
    'x-original-uri',
    'x-rewrite-url',
    'x-host',
    'x-scheme',
    'front-end-https',
    'x-ssl-client-verify',
    'ssl-client-cert',
    'x-remote-user',
    'remote-user',
    'x-auth-request-email',
    'tailscale-user-login',
    'ngrok-auth-user-email',
    'max-forwards',
    'x-forward-for',
    'x-forwarder-for',
    'cdn-src-ip',
    'x-bluecoat-via',
    'x-cluster-ip',
    'x-cluster-client-ip',
    'x-originating-ip',
    'x-imforwards',
    'x-timer',
    'x-goog-iap-jwt-assertion',
    'x-goog-authenticated-user-email',
    'x-ms-client-principal-name',
    'x-authenticated-user',
  ]) {
    it(`knows ${name}`, () => assert.equal(isForwarded({ host: 'localhost', [name]: '' }), true));
  }
  for (const name of [
    ...[
      'accept',
      'accept-encoding',
      'accept-language',
      'authorization',
      'cache-control',
      'connection',
      'content-length',
    ],
    ...['content-type', 'cookie', 'dnt', 'expect', 'if-none-match', 'kubectl-command', 'kubectl-session'],
    ...['origin', 'pragma', 'priority', 'range', 'referer', 'sec-ch-ua', 'sec-fetch-site', 'te', 'traceparent'],
    ...[
      'upgrade-insecure-requests',
      'user-agent',
      'x-balena-client',
      'x-client-name',
      'x-request-id',
      'x-requested-with',
    ],
    ...['x-b3-traceid', 'x-github-event', 'x-gitlab-token', 'x-hub-signature-256', 'x-realm', 'x-supervisor-api-key'],
  ]) {
    it(`takes ${name} for what a client says itself`, () =>
      assert.equal(isForwarded({ host: 'localhost', [name]: 'via' }), false));
  }
});
