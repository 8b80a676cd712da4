import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { parseDotenv } from '../api/sources/dotenv.js';
import { parseBatch, parseFacts, parseRefs, parseTree } from '../api/sources/git/git-output.js';
import { layOver } from '../api/sources/git/overlays.js';
import { fillIn } from '../api/sources/git/variables.js';
import { parseSecret } from '../controllers/engine/images/registry-secret.js';
import { parseOsRelease } from '../controllers/host/facts/device-facts.js';
import { yamlItems } from '../crds/yaml/yaml-items.js';
import { aServer, type Bench, GLOBAL_KEY } from './api/http/a-server.js';
import { isCheap } from './setup/cost.js';
import { BYTES, fill, JSON_TEXTS, pieces } from './setup/worst-texts.js';

/** Sends that and reads until the other side closes. */
const sent = (port: number, text: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });

/** These never look at a body. */
const IGNORING = new Set(['/v1/blink', '/v1/regenerate-api-key']);

describe('the worst MiB', function () {
  this.timeout(120_000);

  describe('in a body', () => {
    let bench: Bench;
    before(async () => {
      bench = await aServer({ localMode: true, commandDeadlineMs: 1 });
    });
    after(() => bench.close());
    const send = (method: string, url: string, payload: string, type = 'application/json') =>
      bench.server.inject({
        method,
        url,
        payload,
        headers: { authorization: `Bearer ${GLOBAL_KEY}`, 'content-type': type },
      });

    for (const [what, text] of Object.entries(JSON_TEXTS)) {
      // What is taken is written to the disk: that is another cost.
      if (what !== 'variables') {
        it(`of a document: ${what}`, () => isCheap(() => send('PUT', '/apis/supercargo.io/v1/apps/a', text)));
        it(`of a target state: ${what}`, () => isCheap(() => send('POST', '/v2/local/target-state', text)));
      }
    }
    const forms: Readonly<Record<string, string>> = {
      parameters: fill('a=1&'),
      brackets: `a${fill('[a]')}=1`,
      indexes: `${pieces((at) => `a[${at}]=1&`, 990)}`,
      escapes: `a=${fill('%41')}`,
      'one name': fill('a'),
    };
    for (const [what, text] of Object.entries(forms)) {
      it(`of a form: ${what}`, () =>
        isCheap(() => send('POST', '/v1/restart', text, 'application/x-www-form-urlencoded')));
    }

    it('of every route: 413 below /apis, 503 in the compatible API', async () => {
      // A hook reads its body by itself, and only after it has found its GitSource.
      const routes = bench.server.routes.filter(
        ({ method, path }) => method !== 'GET' && !/^\/(?:hooks|\{)/.test(path),
      );
      assert.ok(routes.length > 20);
      for (const { method, path } of routes) {
        const url = path.replaceAll('{name}', 'a').replace(/\{[^}]*\}/g, '1');
        const { statusCode: code } = await send(
          method === '*' ? 'POST' : method,
          url,
          JSON_TEXTS['a list of ones'] ?? '',
        );
        if (code !== 200 || !IGNORING.has(path))
          assert.equal(code, /^\/apis(?:\/|$)/.test(path) ? 413 : 503, `${method} ${path}`);
      }
    });
  });

  describe('in a head', () => {
    let bench: Bench;
    before(async () => {
      bench = await aServer({ localMode: true });
      await bench.server.start();
    });
    after(() => bench.close());

    /** Node cuts heads at 16 KiB, so the worst of them is smaller. */
    const HEAD_BYTES = 15_000;
    const heads: Readonly<
      Record<string, { readonly query?: string; readonly headers?: Readonly<Record<string, string>> }>
    > = {
      'a selector of many labels': { query: `labelSelector=${fill('a,', HEAD_BYTES)}` },
      'a selector of brackets': { query: `labelSelector=a+in+${fill('(', HEAD_BYTES)}` },
      'a selector of fields': { query: `fieldSelector=${fill('a=b,', HEAD_BYTES)}` },
      parameters: { query: fill('a&', HEAD_BYTES) },
      'one parameter': { query: fill('limit=1&', HEAD_BYTES) },
      brackets: { query: fill('a[a][a]=1&', HEAD_BYTES) },
      escapes: { query: `a=${fill('%41', HEAD_BYTES)}` },
      'a long key': { headers: { authorization: `Bearer ${fill('x', HEAD_BYTES)}` } },
      'blanks before a key': { headers: { authorization: `Bearer${fill(' ', HEAD_BYTES)}x` } },
      cookies: { headers: { cookie: fill('a=b; ', HEAD_BYTES) } },
      encodings: { headers: { 'accept-encoding': fill('gzip,', HEAD_BYTES) } },
      'content types': { headers: { accept: fill('a/b;q=1,', HEAD_BYTES) } },
      hosts: { headers: { 'x-forwarded-for': fill('1.1.1.1,', HEAD_BYTES) } },
    };
    const paths = ['/apis/supercargo.io/v1/apps', '/v2/containerId', '/v1/device'];
    for (const [what, { query = '', headers = {} }] of Object.entries(heads)) {
      it(what, async () => {
        for (const path of paths) {
          await isCheap(() =>
            bench.server.inject({
              url: `${path}?${query}`,
              headers: { authorization: `Bearer ${GLOBAL_KEY}`, ...headers },
            }),
          );
        }
      });
    }
    for (const [what, head] of Object.entries({
      'a long path': `GET /${fill('a')} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      'a long header': `GET /ping HTTP/1.1\r\nhost: localhost\r\na: ${fill('x')}\r\n\r\n`,
      'many headers': `GET /ping HTTP/1.1\r\nhost: localhost\r\n${fill('a: b\r\n')}\r\n`,
    })) {
      it(`${what}, over a socket: refused`, async () => {
        const port = Number(/:(\d+)$/.exec(bench.server.addresses.find((one) => /:\d+$/.test(one)) ?? '')?.[1]);
        let answer = '';
        await isCheap(async () => {
          answer = await sent(port, head);
        });
        assert.match(answer, /^(?:HTTP\/1\.1 431 |$)/); // nothing, when what was still being sent reset the connection
      });
    }
  });

  describe('in a file of the device', () => {
    const dotenv: Readonly<Record<string, string>> = {
      variables: pieces((at) => `A${at}=1\n`),
      'lines that are no variables': fill('?\n'),
      'a variable over many lines': `A="${fill('a\n')}`,
      exports: fill('export '),
      'references to nothing': `A=${fill('$a')}`,
      'references in references': `A=${fill('${a:-')}`,
      'references in references, closed': `A=${fill('${a:-', BYTES * 0.8)}${fill('}', BYTES * 0.16)}`,
      'references without an end': fill('A=${\n'),
      'braces without a name': `A=${fill('${}')}`,
      'a long value again and again': `A=${fill('x', BYTES / 2)}\nB=${fill('$A', BYTES / 2)}`,
      'values of values': `A=${fill('x', 1000)}\n${pieces(() => `A=${'$A'.repeat(10)}\n`, 1000)}`,
      'backslashes in quotes': `A="${fill('\\')}"`,
      'comments that are none': fill('A=# # #\n'),
      'zero bytes': fill('A=\0\n'),
    };
    for (const [what, text] of Object.entries(dotenv))
      it(`of variables: ${what}`, () => isCheap(() => parseDotenv(text)));
    const release: Readonly<Record<string, string>> = {
      blanks: `A=${fill(' ')}x`,
      'blanks again and again': fill(`A=${' '.repeat(1_000)}x\n`),
      quotes: `A="${fill('"')}`,
      backslashes: `A="${fill('\\')}"`,
      variables: fill('A=1\n'),
    };
    for (const [what, text] of Object.entries(release))
      it(`of the system's release: ${what}`, () => isCheap(() => parseOsRelease(text)));
    for (const what of ['a list of ones', 'as many names as are read', 'lists in lists', 'a long text'] as const) {
      it(`of a registry's secret: ${what}`, () => isCheap(() => parseSecret(JSON_TEXTS[what] ?? '', 'example.com')));
    }
    it("of a registry's secret: colons", () => isCheap(() => parseSecret(fill(':'), 'example.com')));
  });

  describe('from git', () => {
    const oid = 'a'.repeat(40);
    const texts: Readonly<Record<string, () => unknown>> = {
      'a tree of short names': () => parseTree(pieces((at) => `100644 blob ${oid}\t${at}\0`)),
      'a tree of one name': () => parseTree(`100644 blob ${oid}\t${fill('a')}`),
      refs: () => parseRefs(pieces((at) => `${oid}\t${at}\n`)),
      'lines that are no refs': () => parseRefs(fill('\n')),
      'small blobs': () => parseBatch(Buffer.from(fill(`${oid} blob 1\na\n`))),
      'a long subject': () => parseFacts(`${oid}\0a\0${fill('x')}\0t`),
      'variables without an end': () =>
        fillIn(
          { value: { a: fill('${') }, locate: () => ({ file: 'f' }), isQuoted: () => true },
          { plain: new Map(), secret: new Map() },
        ),
      'unknown variables': () =>
        fillIn(
          { value: { a: fill('${x}') }, locate: () => ({ file: 'f' }), isQuoted: () => true },
          { plain: new Map(), secret: new Map() },
        ),
      'documents of one name in many files': () => {
        const item = {
          value: { kind: 'App', metadata: { name: 'a' } },
          locate: () => ({ file: 'f', line: 1 }),
          isQuoted: () => true,
        };
        layOver(
          Array.from({ length: 5000 }, () => ({ ...item, folder: 'all' as const })),
          { name: 'a', uuid: 'b', type: 't', arch: 'x', tags: {} },
        );
      },
      'a long variable again and again': () =>
        fillIn(
          { value: { a: fill('${x}') }, locate: () => ({ file: 'f' }), isQuoted: () => true },
          { plain: new Map([['x', fill('x', 4096)]]), secret: new Map() },
        ),
    };
    for (const [what, work] of Object.entries(texts)) it(what, () => isCheap(work));
    it('a file of aliases that is decrypted', () => isCheap(() => yamlItems(`- &a x\n${fill('- *a\n')}`, 'f')));
  });
});
