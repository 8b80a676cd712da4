import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  dnsServer,
  fieldIssues,
  isReserved,
  parseNoProxy,
  parseRedsocks,
  renderNoProxy,
  renderRedsocks,
} from '../../../../controllers/host/network/redsocks.js';
import { PROXY_TYPES } from '../../../../crds/model/proxy.js';

const BASE =
  'base {\n\tlog_debug = off;\n\tlog_info = on;\n\tlog = stderr;\n\tdaemon = off;\n\tredirector = iptables;\n}\n\n';

describe('redsocks.conf', () => {
  it('is written as the Supervisor writes it', () => {
    const fields = { type: 'http-connect', ip: '10.20.0.5', port: 3128, login: 'fleet', password: 'p@ss' };
    assert.equal(
      renderRedsocks({ fields, dns: dnsServer(true) ?? '' }),
      `${BASE}redsocks {\n\ttype = http-connect;\n\tip = 10.20.0.5;\n\tport = 3128;\n\tlogin = "fleet";\n\tpassword = "p@ss";\n\tlocal_ip = 127.0.0.1;\n\tlocal_port = 12345;\n}\n\ndnsu2t {\n\tremote_ip = 8.8.8.8;\n\tremote_port = 53;\n\tlocal_ip = 127.0.0.1;\n\tlocal_port = 53;\n}\n`,
    );
  });

  it('is empty without a proxy', () => assert.equal(renderRedsocks({ fields: {}, dns: '9.9.9.9:53' }), ''));

  const reads: readonly [it: string, text: string, want: ReturnType<typeof parseRedsocks>][] = [
    [
      'keeps unknown keys and takes the name server',
      'dnsu2t {\n remote_ip = 9.9.9.9;\n remote_port = 5353;\n local_ip = 1.1.1.1;\n}\nredsocks {\n type = http-relay;\n ip = p.example;\n port = 8080;\n max_accept_backoff = 60000;\n login = "x";\n}\n',
      {
        fields: { type: 'http-relay', ip: 'p.example', port: 8080, max_accept_backoff: '60000', login: 'x' },
        dns: '9.9.9.9:5353',
      },
    ],
    ['knows no other type', 'redsocks {\n type = socks6;\n ip = 10.0.0.1;\n port = 1080;\n}\n', undefined],
    ['wants an ip', 'redsocks {\n type = socks5;\n port = 1080;\n}\n', undefined],
    ['wants a port that is a number', 'redsocks {\n type = socks5;\n ip = a;\n port = abc;\n}\n', undefined],
    [
      'needs no semicolons and no last newline',
      'redsocks{\n type=socks5\n ip=10.0.0.1\n port=1080\n}',
      { fields: { type: 'socks5', ip: '10.0.0.1', port: 1080 } },
    ],
    [
      'takes one line, CRLF and comments',
      'redsocks { type = socks4; ip = a; port = 1; } // x\r\n/* redsocks {\r\n*/',
      { fields: { type: 'socks4', ip: 'a', port: 1 } },
    ],
    [
      'takes = and } and quotes inside quotes',
      'redsocks {\n type = socks5;\n ip = a;\n port = 1;\n password = "a=b}\\"c;d";\n}\n',
      { fields: { type: 'socks5', ip: 'a', port: 1, password: 'a=b}"c;d' } },
    ],
    [
      'drops the quotes of a password that was written without escapes',
      'redsocks {\n type = socks5;\n ip = a;\n port = 1;\n password = "a"b";\n login = "c\\d";\n}\n',
      { fields: { type: 'socks5', ip: 'a', port: 1, password: 'ab', login: 'c\\d' } },
    ],
    ['is nothing without a block', 'base {\n}\n', undefined],
    ['is nothing when empty', '', undefined],
    ['survives what never ends', 'redsocks {\n type = "', undefined],
  ];
  for (const [it_, text, want] of reads) it(`read: ${it_}`, () => assert.deepEqual(parseRedsocks(text), want));

  const bare = fc.stringMatching(/^[A-Za-z0-9_.:/=-]{1,20}$/).filter((text) => !/^(?:\/\/|\/\*)|[=]/.test(text));
  const name = fc
    .stringMatching(/^[a-z_][a-z0-9_]{0,15}$/)
    .filter((key) => !isReserved(key) && !/local_|^(type|ip|port|login|password)$/.test(key));
  const secret = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', '\\', '\n', '\t', '\r', ';', '}', "'"),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
  });
  const proxy = fc
    .record({
      type: fc.constantFrom(...PROXY_TYPES),
      ip: bare,
      port: fc.nat(99_999),
      login: fc.option(secret, { nil: undefined }),
      password: fc.option(secret, { nil: undefined }),
      more: fc.dictionary(name, bare, { maxKeys: 3, noNullPrototype: true }),
      dns: fc.option(fc.tuple(bare, fc.nat(65_535)), { nil: undefined }),
    })
    .map(({ more, dns, login, password, ...known }) => ({
      fields: {
        ...known,
        ...(login === undefined ? {} : { login }),
        ...(password === undefined ? {} : { password }),
        ...more,
      },
      ...(dns ? { dns: `${dns[0]}:${dns[1]}` } : {}),
    }))
    .filter(({ fields }) => fieldIssues(fields).length === 0);

  it('reads back what it writes, in its order', () => {
    fc.assert(
      fc.property(proxy, (one) => {
        const text = renderRedsocks(one);
        const read = parseRedsocks(text);
        assert.deepEqual(read, one);
        assert.deepEqual(Object.keys(read?.fields ?? {}), Object.keys(one.fields));
        assert.equal(read && renderRedsocks(read), text);
      }),
      { numRuns: 500 },
    );
  });

  it('reads any text without failing, and writes what it read', () => {
    const words = fc.constantFrom(
      'redsocks',
      '{',
      '}',
      '=',
      ';',
      '\n',
      '"',
      '\\',
      'type',
      'socks5',
      'ip',
      'port',
      '1',
      '//',
      '/*',
      '*/',
      ' ',
    );
    const soup = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 40 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(soup, (text) => void parseRedsocks(text)),
      { numRuns: 1_000 },
    );
  });

  it('cannot be given a second block through a value', () => {
    for (const ip of ['x;\n}\nbase {', 'a b', '', 'a;', '"a', 'a}', 'a\u0000']) {
      assert.deepEqual(
        fieldIssues({ ip }).map(({ field }) => field),
        ['ip'],
        JSON.stringify(ip),
      );
    }
    assert.equal(fieldIssues({ 'a = b;\n c': 'x' }).length, 1);
    assert.equal(fieldIssues({ password: 'a\u0000' }).length, 1);
    assert.deepEqual(fieldIssues({ type: 'bogus', port: 'abc', password: 'a b"\\;}\n' }), []);
  });
});

describe('no_proxy', () => {
  it('is lines without a last newline', () => {
    assert.equal(renderNoProxy(['10.0.0.0/8', 'registry.local']), '10.0.0.0/8\nregistry.local');
    assert.deepEqual(parseNoProxy('10.0.0.0/8\r\n\n registry.local \n'), ['10.0.0.0/8', 'registry.local']);
  });

  it('reads back what it writes', () => {
    const entry = fc.stringMatching(/^[A-Za-z0-9.:/-]{1,30}$/);
    fc.assert(fc.property(fc.array(entry), (list) => assert.deepEqual(parseNoProxy(renderNoProxy(list)), list)));
  });
});
