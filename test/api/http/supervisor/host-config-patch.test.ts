import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PatchError, patchedSpec, readPatch } from '../../../../api/http/supervisor/host-config-patch.js';
import type { HostNetworkView } from '../../../../api/http/supervisor/host-ports.js';
import { API_VERSION } from '../../../../crds/model/kinds.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

const FIRST = 'Could not parse host config input to a valid format:\n';

describe('the body of a host-config patch', () => {
  const refused: readonly [it: string, body: unknown, message: string][] = [
    ['has a network', {}, 'Expecting Partial<...> at network but instead got: undefined'],
    ['has a network that is an object', { network: 'x' }, 'Expecting Partial<...> at network but instead got: "x"'],
    ['is an object', [], 'Expecting Partial<...> at network but instead got: undefined'],
    [
      'has a text as host name',
      { network: { hostname: 5 } },
      'Expecting string at network.hostname but instead got: 5',
    ],
    ...['a b', '-a', 'a-', 'a..b', 'ü', 'a_b', 'x'.repeat(65), `${'x'.repeat(64)}`].map(
      (hostname): [string, object, string] => [
        `has no host name like ${hostname}`,
        { network: { hostname } },
        `${JSON.stringify(hostname)} at network.hostname is not a host name: letters, digits and hyphens, in parts of at most 63 between dots, at most 64 together`,
      ],
    ),
    [
      'has an object as proxy',
      { network: { proxy: 'x' } },
      'Expecting { [K in string]: any } at network.proxy.0 but instead got: "x"\nExpecting Partial<...> at network.proxy.1 but instead got: "x"',
    ],
    [
      'has an address as name server',
      { network: { proxy: { dns: 'junk' } } },
      'Expecting one of:\n    AddressString\n    boolean\nat network.proxy.1.dns but instead got: "junk"',
    ],
    [
      'has a list of exceptions',
      { network: { proxy: { noProxy: 'a' } } },
      'Expecting Array<string> at network.proxy.0.noProxy but instead got: "a"',
    ],
    [
      'has lines as exceptions',
      { network: { proxy: { noProxy: ['a', 'b\nc'] } } },
      'Expecting string at network.proxy.0.noProxy.1 but instead got: "b\\nc"',
    ],
    [
      'has no objects as fields',
      { network: { proxy: { ip: {} } } },
      'Expecting string at network.proxy.0.ip but instead got: {}',
    ],
  ];
  for (const [what, body, message] of refused) {
    it(what, () => {
      assert.throws(
        () => readPatch(body),
        (error) => error instanceof PatchError && error.message === FIRST + message,
      );
    });
  }

  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    'Expected socks4, socks5, http-connect or http-relay at network.proxy.type': [{ type: 'socks9' }],
    'Expected a port, from 1 to 65535 at network.proxy.port': ['abc', 0, '0', 65_536, '99999'].map((port) => ({
      port,
    })),
    'Expected the address of a name server and its port, such as 8.8.8.8:53 at network.proxy.dns': [
      '8.8.8.8:70000',
      '8.8.8.8:0',
      'a b:53',
    ].map((dns) => ({ dns })),
    'Expected an address, a subnet such as 10.0.0.0/8, or a host name at network.proxy.noProxy.1': [
      ...['bad host;rm', ' ', '', '10.0.0.0/99', 'a/8', '::1/129', '10.0.0.0/8/8', '-x'],
    ].map((entry) => ({ noProxy: ['10.0.0.0/8', entry] })),
  };
  for (const [message, proxies] of Object.entries(wrong)) {
    for (const proxy of proxies) {
      it(`refuses ${JSON.stringify(proxy)}`, () => {
        assert.throws(
          () => readPatch({ network: { proxy } }),
          (error) => error instanceof PatchError && error.message === FIRST + message,
        );
        const document = {
          apiVersion: API_VERSION,
          kind: 'HostConfig',
          metadata: { name: 'network' },
          spec: { proxy },
        };
        assert.ok(!parseDocument(document).ok);
      });
    }
  }

  const taken: readonly [it: string, network: object, want: object][] = [
    ['may say nothing', {}, {}],
    ['clears with null', { hostname: null, proxy: null }, { hostname: null, proxy: null }],
    [
      'drops unknown fields beside good ones',
      { proxy: { type: 'socks4', flavour: 'x' } },
      { proxy: { type: 'socks4' } },
    ],
    [
      'drops what belongs to the redirector',
      { proxy: { ip: 'a', local_ip: '1', local_port: 2 } },
      { proxy: { ip: 'a' } },
    ],
    [
      'asks for nothing with only what belongs to the redirector',
      { proxy: { local_ip: '9.9.9.9', local_port: 2 } },
      {},
    ],
    ['asks for nothing with only unknown fields', { hostname: 'x', proxy: { flavour: 'x' } }, { hostname: 'x' }],
    ['clears with nothing in it', { proxy: {} }, { proxy: {} }],
    [
      'keeps everything when a field is strange',
      { proxy: { ip: 5, flavour: 'x', n: 1.5 } },
      { proxy: { ip: '5', flavour: 'x', n: '1.5' } },
    ],
    ['takes a port as text or number', { proxy: { port: '8123' } }, { proxy: { port: 8123 } }],
    ['takes a list', { proxy: { noProxy: ['a'] } }, { proxy: { noProxy: ['a'] } }],
    [
      'takes addresses, subnets and names as exceptions',
      {
        proxy: { noProxy: ['10.0.0.0/8', '::1', 'fe80::/10', '10.0.0.0/255.0.0.0', 'a.example', '.example', '*.a.b'] },
      },
      {
        proxy: { noProxy: ['10.0.0.0/8', '::1', 'fe80::/10', '10.0.0.0/255.0.0.0', 'a.example', '.example', '*.a.b'] },
      },
    ],
    ['takes name servers', { proxy: { dns: '9.9.9.9:53' } }, { proxy: { dns: '9.9.9.9:53' } }],
  ];
  for (const [what, network, want] of taken) {
    it(what, () => assert.deepEqual(readPatch({ network }), want));
  }
});

describe('a patched network document', () => {
  const NOW = { type: 'socks5', ip: '10.0.0.1', port: 1080, login: 'me', dns: '8.8.8.8:53', noProxy: ['a'] };
  const { noProxy: _, ...FIELDS } = NOW;
  const cases: readonly {
    readonly it: string;
    readonly spec?: HostConfigSpec;
    readonly now?: HostNetworkView['proxy'];
    readonly network: object;
    readonly want: HostConfigSpec;
  }[] = [
    { it: 'takes a host name alone', network: { hostname: 'x' }, want: { hostname: 'x' } },
    { it: 'has the default name for null', network: { hostname: null }, want: { hostname: '' } },
    {
      it: 'keeps what the patch does not say',
      spec: { hostname: 'x', proxy: { type: 'socks4' } },
      network: { hostname: 'y' },
      want: { hostname: 'y', proxy: { type: 'socks4' } },
    },
    {
      it: 'merges fields over those of the host',
      now: NOW,
      network: { proxy: { ip: '10.0.0.2' } },
      want: { proxy: { ...FIELDS, ip: '10.0.0.2' } },
    },
    {
      it: 'starts from nothing when the host’s file is invalid',
      spec: { proxy: { type: 'bogus', login: 'me' } },
      now: {},
      network: { proxy: { type: 'socks4', ip: 'a', port: 1 } },
      want: { proxy: { type: 'socks4', ip: 'a', port: 1 } },
    },
    {
      it: 'takes the name server away',
      now: NOW,
      network: { proxy: { dns: false } },
      want: { proxy: { type: 'socks5', ip: '10.0.0.1', port: 1080, login: 'me' } },
    },
    {
      it: 'takes a field away with null',
      now: NOW,
      network: { proxy: { login: null } },
      want: { proxy: { type: 'socks5', ip: '10.0.0.1', port: 1080, dns: '8.8.8.8:53' } },
    },
    { it: 'has no name server without a proxy', network: { proxy: { dns: true } }, want: { proxy: { dns: false } } },
    { it: 'clears the proxy with {}', spec: { proxy: FIELDS }, now: NOW, network: { proxy: {} }, want: { proxy: {} } },
    {
      it: 'clears the proxy with null',
      spec: { proxy: FIELDS },
      now: NOW,
      network: { proxy: null },
      want: { proxy: {} },
    },
    {
      it: 'leaves the proxy alone for a list',
      now: NOW,
      network: { proxy: { noProxy: ['b'] } },
      want: { proxy: { noProxy: ['b'] } },
    },
    {
      it: 'keeps a declared proxy beside a list',
      spec: { proxy: FIELDS },
      now: NOW,
      network: { proxy: { noProxy: ['a'] } },
      want: { proxy: { ...FIELDS, noProxy: ['a'] } },
    },
    {
      it: 'keeps a declared list beside fields',
      spec: { proxy: { noProxy: ['b'] } },
      network: { proxy: { type: 'socks4', ip: 'a', port: 1 } },
      want: { proxy: { type: 'socks4', ip: 'a', port: 1, noProxy: ['b'] } },
    },
  ];
  for (const { it: what, spec, now, network, want } of cases) {
    it(what, () => {
      const next = patchedSpec(spec, readPatch({ network }), now ? { proxy: now } : {});
      assert.deepEqual(next, want);
      assert.deepEqual(Object.keys(next.proxy ?? {}), Object.keys(want.proxy ?? {}));
    });
  }

  it('is refused with a sentence or fits the schema, whatever is sent', () => {
    const field = fc.constantFrom('type', 'ip', 'port', 'login', 'password', 'dns', 'noProxy', 'flavour', 'local_ip');
    const network = fc.record(
      {
        hostname: fc.oneof(fc.string(), fc.jsonValue()),
        proxy: fc.oneof(fc.dictionary(field, fc.jsonValue()), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(network, fc.jsonValue()), fc.boolean(), (one, proxied) => {
        try {
          const spec = patchedSpec(undefined, readPatch({ network: one }), proxied ? { proxy: NOW } : {});
          const parsed = parseDocument({
            apiVersion: API_VERSION,
            kind: 'HostConfig',
            metadata: { name: 'network' },
            spec,
          });
          const tooLong = typeof spec.hostname === 'string' && spec.hostname.length > 255;
          assert.ok(parsed.ok || tooLong, JSON.stringify(parsed));
        } catch (error) {
          if (!(error instanceof PatchError)) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
