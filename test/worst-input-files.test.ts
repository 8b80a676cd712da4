import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openKeys } from '../api/device-state/key-file.js';
import { openTags } from '../api/device-state/tag-file.js';
import { watchFolders } from '../api/sources/files/folder.js';
import { readDocuments } from '../api/sources/files/read-documents.js';
import { openStore } from '../api/store/document-store.js';
import { readDockerConfig } from '../controllers/engine/images/docker-config.js';
import { parseSecret } from '../controllers/engine/images/registry-secret.js';
import { editConfigTxt, readConfigTxt } from '../controllers/host/boot/config-txt.js';
import { readDeviceCredentials } from '../controllers/host/facts/device-credentials.js';
import { readDeviceFacts } from '../controllers/host/facts/device-facts.js';
import { HostStateFile } from '../controllers/host/host-state.js';
import { parseRedsocks } from '../controllers/host/network/redsocks.js';
import { openLoadedFiles } from '../controllers/image/loaded-files.js';
import { parseDocument } from '../crds/schema/parse.js';
import { isCheap, isResponsive } from './setup/cost.js';
import { BYTES, fill, JSON_TEXTS, pieces } from './setup/worst-texts.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const deviceUuid = '0123456789abcdef0123456789abcdef';
const head = (kind: string, name: string): string =>
  `apiVersion: supercargo.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
/** JSON that costs most to take apart; the rest is about fields of documents. */
const worst = Object.entries(JSON_TEXTS).filter(([what]) =>
  /^(?:as many ones|as many names|maps in maps|a long text|long numbers)/.test(what),
);
/**
 * Documents of one kind. As many as are read cost what it takes to parse YAML, whatever is in them; a third of them shows
 * what is made of each.
 */
const documents = (make: (at: number) => string): string => pieces((at) => `${make(at)}---\n`, 330);

describe('the worst MiB of a file', function () {
  this.timeout(120_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'worst-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const put = async (text: string, ...path: string[]): Promise<string> => {
    const file = join(folder, ...path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };

  describe('that is watched', () => {
    const texts: Readonly<Record<string, string>> = {
      'documents of unknown kinds': documents((at) => `kind: App${at}\n`),
      'documents of long unknown kinds': documents((at) => `kind: ${'Ap'.repeat(30)}${at}\n`),
      'a list of unknown kinds': `kind: List\nitems:\n${pieces((at) => `- kind: Ap${at}\n`, 900)}`,
      'an array of unknown kinds': `[${pieces((at) => `{"kind":"App${at}"},`, 4_500)}{}]`,
      'an array of documents with unknown fields': `[${pieces(() => '{"kind":"App","imagee":1,"speccc":2,"specsi":2},', 1_200)}{}]`,
      'documents with unknown fields': documents(() => 'kind: Service\nspec: {imagee: 1, portss: 1}\n'),
      'documents with unknown metadata': documents(() => 'kind: App\nmetadata: {nam: a, labls: a}\n'),
      'documents with values that are none': documents(() => 'kind: Service\nspec: {restart: alwys, app: []}\n'),
      'volumes that are taken': pieces((at) => `${head('Volume', `a.v${at}`)}spec: {app: a}\n---\n`, 200),
      'apps that are taken': pieces((at) => `${head('App', `a${at}`)}spec: {}\n---\n`, 250),
      'documents of one name': pieces(() => `${head('App', 'a')}spec: {}\n---\n`, 250),
      'references of variables': `a:\n${pieces((at) => `- "\${a${at}}$$"\n`, 2_000)}`,
      'half a reference again and again': `a:\n${pieces(() => `- "${'${'.repeat(100)}"\n`, 2_000)}`,
      'half a reference in one value': `a: "${fill('${', 250_000)}"`,
      'aliases of aliases': `a: &a {b: &b [1,2,3]}\nc:\n${fill('- *a\n', 4_000)}`,
      'aliases in aliases': `a0: &a0 [1,2,3,4,5,6,7,8,9]\n${pieces((at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}1]\n`, 90)}`,
      comments: fill('# a\n', 79_000),
      'one comment': `#${fill('x')}`,
      'escapes in quotes': `a:\n${pieces(() => `- "${'\\"'.repeat(100_000)}"\n`)}`,
      'a text over many lines': `a: |\n${fill(' x\n', 55_000)}`,
      'a plain text over many lines': `a: ${fill('x\n  ', 75_000)}`,
      'a long text': `a: "${fill('x')}"`,
      'a long text for a key': `${fill('x', 250_000)}: 1`,
      keys: pieces((at) => `k${at}: 1\n`, 2_000),
      'keys of a spec': `${head('App', 'a')}spec:\n${pieces((at) => ` k${at}: 1\n`, 2_000)}`,
      'flow collections': fill('[', 190) + fill(']', 190),
      'maps in maps': pieces((at) => `${' '.repeat(at)}a:\n`, 190),
      directives: fill('%a\n', 60_000),
      'starts of documents': fill('---\n', 79_000),
      'ends of documents': fill('...\n', 79_000),
      'braces that close nothing': fill('}\n', 39_000),
      'quotes without an end': fill('"\n', 39_000),
      'tags again and again': pieces((at) => `- !a${at} 1\n`, 2_000),
      anchors: pieces((at) => `- &a${at} 1\n`, 2_000),
      tabs: fill('\t\n', 39_000),
      'carriage returns': fill('\r'),
      'byte order marks': fill('\uFEFF', BYTES / 3),
      blanks: fill(' '),
      'line ends': fill('\n'),
      'lines before a byte that is none': `${fill('\n', BYTES - 10)}\u0001`,
      'a byte that is none behind a long line': `${fill(' ', BYTES - 10)}\u0001`,
      ...Object.fromEntries(Object.entries(JSON_TEXTS).map(([what, text]) => [`JSON, ${what}`, text])),
    };
    for (const [what, text] of Object.entries(texts)) {
      const content = Buffer.from(text);
      it(`${what}, as it is read`, () =>
        isCheap(() => readDocuments(content, 'f.yaml', { parse: parseDocument, deviceUuid })));
    }
    for (const what of [
      'documents of unknown kinds',
      'documents with unknown fields',
      'apps that are taken',
      'documents of one name',
    ]) {
      it(`${what}, until the store has it`, async () => {
        const store = await openStore({ folder: join(folder, 'data'), now: Date.now, log: quiet });
        await put(texts[what] ?? '', 'manifests/a.yaml');
        const take = async (): Promise<void> => {
          const folders = [join(folder, 'manifests')];
          const source = watchFolders({ folders, store, parse: parseDocument, deviceUuid, log: quiet, settleMs: 0 });
          await source.start();
          await source.stop();
        };
        await isResponsive(take);
        await store.close();
      });
    }
    const projects: Readonly<Record<string, string>> = {
      'services of a Compose file': `services:\n${pieces((at) => `  s${at}: {image: x}\n`, 330)}`,
      'services of a Compose file with fields that nobody knows': `services:\n${pieces((at) => `  s${at}: {imagee: x}\n`, 330)}`,
      'line ends in a Compose file': fill('\n'),
      'quotes without an end in a Compose file': `services:\n${fill('  "\n', 39_000)}`,
    };
    for (const [what, text] of Object.entries(projects)) {
      it(`${what}, until the store has it`, async () => {
        const store = await openStore({ folder: join(folder, 'data'), now: Date.now, log: quiet });
        await put(text, 'manifests/shop/compose.yaml');
        await put(fill('\n'), 'manifests/shop/other.yaml');
        await isResponsive(async () => {
          const folders = [join(folder, 'manifests')];
          const source = watchFolders({ folders, store, parse: parseDocument, deviceUuid, log: quiet, settleMs: 0 });
          await source.start();
          await source.stop();
        });
        await store.close();
      });
    }
  });

  describe('of the device itself', () => {
    const now = () => 7;
    const key = 'a'.repeat(32);
    const jsonOf = (texts: Readonly<Record<string, string>>) => [...worst, ...Object.entries(texts)];

    for (const [what, text] of jsonOf({
      services: `{"global":"${key}","services":[${pieces((at) => `{"appId":${at},"serviceName":"a","key":"a${at}"},`)}{"appId":1,"serviceName":"a","key":"a"}]}`,
      'services of one key': `{"global":"a","services":[${pieces(() => '{"appId":1,"serviceName":"","key":"a"},')}{"appId":1,"serviceName":"a","key":"a"}]}`,
      'a long key': `{"global":"${fill('a')}","services":[]}`,
    })) {
      it(`keys: ${what}`, () =>
        isCheap(async () => {
          await put(text, 'keys.json');
          await openKeys({ folder, now, log: quiet });
        }));
    }
    for (const [what, text] of jsonOf({
      tags: `{"tags":[${pieces((at) => `{"id":${at},"name":"","value":""},`)}{"id":1,"name":"a","value":"a"}]}`,
      'a long value': `{"tags":[{"id":1,"name":"a","value":"${fill('x')}"}]}`,
    })) {
      it(`tags: ${what}`, () =>
        isCheap(async () => {
          await put(text, 'tags.json');
          await openTags({ folder, now, log: quiet }).merge({ a: 'b' });
        }));
    }
    for (const [what, text] of jsonOf({
      files: `{"files":{${pieces((at) => `"a${at}":{"size":1,"mtimeMs":1,"images":[]},`)}"z":{}}}`,
      'images of one file': `{"files":{"a":{"size":1,"mtimeMs":1,"images":[${pieces((at) => `"a:${at}",`)}""]}}}`,
      'files that are none': `{"files":{${pieces((at) => `"a${at}":1,`, 20_000)}"z":1}}`,
    })) {
      it(`loaded files: ${what}`, async () => {
        const path = await put(text, 'images.json');
        await isCheap(() => openLoadedFiles(path, quiet).keep(new Set()));
      });
    }
    for (const [what, text] of jsonOf({
      'what is managed': `{"managed":{${pieces((at) => `"a${at}":"",`, 20_000)}"z":""}}`,
    })) {
      it(`the state of the host: ${what}`, () =>
        isCheap(async () => {
          await put(text, 'host.json');
          await new HostStateFile(folder, { now }).change({ touched: ['a'] });
        }));
    }
    const document = `"metadata":{"name":"a","uid":"u","creationTimestamp":"t","origin":"api","generation":1,"resourceVersion":"1","finalizers":[]}`;
    for (const [what, text] of jsonOf({
      'a document': `{"apiVersion":"supercargo.io/v1","kind":"App",${document},"order":1,"requests":{},"spec":{${pieces((at) => `"a${at}":1,`, 20_000)}"z":1}}`,
    })) {
      for (const path of ['documents/apps/a.json', 'status/apps/a.json', 'commit.json']) {
        it(`${path}: ${what}`, () =>
          isResponsive(async () => {
            await put(text, path);
            await (await openStore({ folder, now, log: quiet })).close();
            await rm(join(folder, 'documents/apps'), { recursive: true });
          }));
      }
    }
    for (const [what, text] of jsonOf({})) {
      it(`the uuid: ${what}`, () =>
        isCheap(async () => {
          await put(text, 'device.json');
          await readDeviceFacts({ hostRoot: folder, dataFolder: folder, engineSocket: '', apiPort: 1, now });
        }));
    }
    it('sets few of them aside, whatever is put there', async () => {
      for (let at = 0; at < 12; at += 1) {
        await put('no keys', 'keys.json');
        await openKeys({ folder, now: () => at, log: quiet });
      }
      const aside = (await readdir(folder)).filter((name) => name.includes('.corrupt-'));
      assert.equal(aside.length, 8);
    });
  });

  describe('with credentials', () => {
    const texts: Readonly<Record<string, string>> = {
      ...Object.fromEntries(worst),
      helpers: `{"credHelpers":{${pieces((at) => `"h${at}":"a",`)}"z":"a"}}`,
      'as many helpers as are read': `{"credHelpers":{${pieces((at) => `"h${at}":"a",`, 29_900)}"z":"a"}}`,
      'helpers of addresses': `{"credHelpers":{${pieces((at) => `"https://h${at}/v1/":"a",`, 29_900)}"z":"a"}}`,
      registries: `{"auths":{${pieces((at) => `"h${at}":{},`)}"z":{}}}`,
      'as many registries as are read': `{"auths":{${pieces((at) => `"h${at}":{},`, 14_900)}"z":{}}}`,
      'fields of one registry': `{"auths":{"example.com":{${pieces((at) => `"h${at}":"",`, 29_900)}"z":""}}}`,
      'a registry of slashes': `{"auths":{"${fill('/')}":{}}}`,
      'a long name and password': `{"auths":{"example.com":{"auth":"${fill('YTpi')}"}}}`,
      'fields of a secret': `{${pieces((at) => `"h${at}":"",`, 29_900)}"z":""}`,
    };
    for (const [what, text] of Object.entries(texts)) {
      it(`settings of Docker: ${what}`, async () => {
        const path = await put(text, 'config.json');
        await isCheap(() => readDockerConfig(path));
      });
      it(`a secret: ${what}`, () => isCheap(() => parseSecret(text, 'example.com')));
      it(`config.json of the boot partition: ${what}`, async () => {
        await put(text, 'mnt/boot/config.json');
        await isCheap(() => readDeviceCredentials(folder));
        await isCheap(() =>
          readDeviceFacts({ hostRoot: folder, dataFolder: folder, engineSocket: '', apiPort: 1, now: () => 7 }),
        );
      });
    }
    for (const field of ['uuid', 'deviceApiKey', 'apiEndpoint', 'registryEndpoint']) {
      it(`config.json of the boot partition: a long ${field}`, async () => {
        const parts = { uuid: 'a', deviceApiKey: 'a', apiEndpoint: 'https://api.example.com', [field]: fill('a.') };
        await put(JSON.stringify(parts), 'mnt/boot/config.json');
        await isCheap(() => readDeviceCredentials(folder));
      });
    }
  });

  describe('of the boot partition and the host', () => {
    const wanted = { dtparam: ['x=1', 'spi=on'], dtoverlay: ['b', 'c,d=1'], a: '2' };
    /** A line is a thing by itself, and nobody has a thousand of them. */
    const lines = 10_000;
    for (const [what, text] of Object.entries({
      'parameters, one a line': pieces((at) => `dtparam=a${at}\n`, lines),
      'parameters in one line': `dtparam=${pieces((at) => `a${at},`, lines)}`,
      overlays: pieces((at) => `dtoverlay=a${at}\n`, lines),
      'blanks before an end': `${fill(' ')}x`,
      brackets: fill('['),
      'carriage returns': fill('\r', 20_000),
    })) {
      it(`config.txt: ${what}`, () => isCheap(() => [readConfigTxt(text), editConfigTxt(text, wanted)]));
    }
    for (const [what, text] of Object.entries({
      'comments without an end': fill('/*', 100_000),
      'comments without an end in a block': `redsocks {\n${fill('/* x\n', 100_000)}`,
      'backslashes and quotes': fill('\\"', 100_000),
      'a quote and backslashes': `"${fill('\\')}`,
      'a statement of many words': `redsocks {\n a = ${fill('b ', 100_000)};\n}`,
    })) {
      it(`redsocks.conf: ${what}`, () => isCheap(() => parseRedsocks(text)));
    }
  });
});
