import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { systemClock } from '../api/platform/clock.js';
import { startInformer } from '../controllers/engine/cache/informer.js';
import { connectEngine } from '../controllers/engine/client/dockerode-engine.js';
import { textLines } from '../controllers/engine/client/text-lines.js';
import type { Engine } from '../controllers/engine/engine.js';
import { readArchive } from '../controllers/engine/images/image-archive.js';
import { remoteImage } from '../controllers/engine/images/registry-client.js';
import { type TarEntry, tarOf } from '../controllers/engine/local/tar.js';
import { logLines } from '../controllers/engine/logs/log-lines.js';
import { aContainer } from './controllers/engine/scripted-engine.js';
import { isCheap, isResponsive } from './setup/cost.js';
import { BYTES, fill, JSON_TEXTS, pieces } from './setup/worst-texts.js';

/** Cut into pieces of so many bytes, as a connection may hand it over. */
function* cut(bytes: Buffer, length: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
async function* later<T>(pieces: Iterable<T>): AsyncIterable<T> {
  yield* pieces;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on this machine whose answers are set by each test. */
class Other {
  handle: Handler = () => undefined;
  readonly #server: Server = createServer((request, response) => this.handle(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const answer =
  (text: string | Buffer, status = 200): Handler =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
/** Sends that over and over, for as long as somebody listens. */
const endless =
  (chunk: string, status = 200): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    const send = (): void => {
      if (!response.destroyed) response.write(chunk, () => setImmediate(send));
    };
    send();
  };

describe('the worst MiB of others', function () {
  this.timeout(120_000);
  const { signal } = new AbortController();

  describe('in the output of a container', () => {
    const header = (length: number, stream = 1): Buffer => {
      const bytes = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
      bytes.writeUInt32BE(length, 4);
      return bytes;
    };
    const frame = (text: string): Buffer => Buffer.concat([header(Buffer.byteLength(text)), Buffer.from(text)]);
    const frames = (text: string): Buffer => {
      const one = frame(text);
      return Buffer.concat(Array(Math.floor(BYTES / one.length)).fill(one));
    };
    const stamp = '2026-11-22T22:23:33.516755652Z ';
    const outputs: Readonly<Record<string, Buffer>> = {
      'one line without an end': Buffer.from(stamp + fill('x')),
      'one line of parts': frames(stamp + 'x'.repeat(16 * 1024)),
      'tiny lines': Buffer.from(`2${fill('\n')}`),
      'tiny lines with their times': Buffer.from(fill(`${stamp}x\n`)),
      'times and nothing else': Buffer.from(fill(stamp)),
      'times that are later and later': Buffer.from(
        pieces((at) => `2026-11-22T22:23:33.${String(at).padStart(9, '0')}Z `),
      ),
      'escape sequences': Buffer.from(stamp + fill('\u001b[31m\u001b[0m')),
      'carriage returns': Buffer.from(stamp + fill('\r')),
      'bytes that are no text': Buffer.concat([Buffer.from(stamp), Buffer.alloc(BYTES, 0xbf)]),
      'frames without anything': frames(''),
      'frames of one byte': frames('x'),
      'frames of tiny lines': frames(`${stamp}\n`),
      'a frame of line ends': frame(stamp + fill('\n')),
      'a frame that does not end': Buffer.concat([header(1024 * 1000), Buffer.alloc(BYTES, 'x')]),
      'a frame that is too large': Buffer.concat([header(0xffffffff), Buffer.alloc(BYTES, 'x')]),
    };
    /** A million lines cost what they cost, but not all at once. */
    const isLines = (what: string): boolean => what === 'tiny lines' || what === 'a frame of line ends';
    for (const [what, bytes] of Object.entries(outputs)) {
      for (const length of isLines(what) ? [] : [bytes.length, 64 * 1024, 100]) {
        it(`${what}, in pieces of ${length}`, () =>
          isCheap(() => {
            const lines = logLines();
            for (const piece of cut(bytes, length)) for (const _ of lines.take(piece));
            for (const _ of lines.finish());
          }));
      }
    }

    const other = new Other();
    let engine: Engine;
    before(async () => {
      engine = connectEngine({ dockerHost: `tcp://${await other.listen()}` });
    });
    after(() => other.close());
    for (const [what, bytes] of Object.entries(outputs)) {
      it(`${what}, as it is followed`, () =>
        isResponsive(async () => {
          other.handle = answer(bytes);
          for await (const _ of engine.followLogs('1', 'now', signal));
        }));
    }
  });

  describe('in a stream of lines', () => {
    const texts: Readonly<Record<string, string>> = {
      'a line without an end': fill('x'),
      'line ends': fill('\n'),
      'blanks between line ends': fill(`${' '.repeat(100)}\n`),
      'one character a line': fill('x\n'),
    };
    for (const [what, text] of Object.entries(texts)) {
      for (const length of [text.length, 64 * 1024, 100]) {
        it(`${what}, in pieces of ${length}`, () =>
          isResponsive(async () => {
            for await (const _ of textLines(later(cut(Buffer.from(text), length))));
          }));
      }
    }
  });

  describe('in an answer of the engine', () => {
    const other = new Other();
    let engine: Engine;
    before(async () => {
      engine = connectEngine({ dockerHost: `tcp://${await other.listen()}` });
    });
    after(() => other.close());

    const container = (more: string, config = '') =>
      `{"Id":"1","Name":"/a","Image":"sha256:1","Created":"2026-11-22T11:00:00Z","State":{"Status":"running","ExitCode":0},` +
      `"HostConfig":{"NetworkMode":"default"},"Config":{${config}},${more}"Mounts":[]}`;
    const refreshQueue: Readonly<Record<string, string>> = {
      'many labels': container('', `"Labels":{${pieces((at) => `"label-${at}":"",`)}"z":""}`),
      'a long label': container('', `"Labels":{"a":"${fill('x')}"}`),
      variables: container('', `"Env":[${pieces((at) => `"A${at}=",`)}"Z="]`),
      'a variable of signs of equality': container('', `"Env":["${fill('=')}"]`),
      networks: container(`"NetworkSettings":{"Networks":{${pieces((at) => `"n${at}":{},`)}"z":{}}},`),
      aliases: container(`"NetworkSettings":{"Networks":{"a":{"Aliases":[${pieces((at) => `"a${at}",`)}"z"]}}},`),
      mounts: container(`"Mounts":[${pieces((at) => `{"Type":"volume","Name":"v${at}"},`)}{}],`),
      'a long error': container(`"State":{"Status":"exited","ExitCode":1,"Error":"${fill('x')}"},`),
      'a long time': container(`"Created":"${fill('2')}",`),
      'slashes for a name': container(`"Name":"${fill('/')}",`),
    };
    for (const [what, text] of Object.entries({ ...JSON_TEXTS, ...refreshQueue })) {
      it(`about a container: ${what}`, () =>
        isCheap(() => {
          other.handle = answer(text);
          return engine.inspectContainer('1', signal);
        }));
    }
    for (const what of ['a list of ones', 'lists in lists', 'maps in maps', 'a long text', 'blanks'] as const) {
      const text = JSON_TEXTS[what] ?? '';
      const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
        info: () => engine.info(signal),
        containers: () => engine.listContainers(signal),
        networks: () => engine.listNetworks(signal),
        volumes: () => engine.listVolumes(signal),
        images: () => engine.listImages(signal),
        'an image': () => engine.inspectImage('a:1', signal),
        statistics: () => engine.containerStats('1', signal),
      };
      for (const [verb, work] of Object.entries(verbs)) {
        it(`about ${verb}: ${what}`, () =>
          isCheap(() => {
            other.handle = answer(text);
            return work();
          }));
      }
    }
    const lists: Readonly<Record<string, readonly [string, () => Promise<unknown>]>> = {
      images: [`[${pieces((at) => `{"Id":"${at}","RepoTags":["a:${at}"]},`)}{}]`, () => engine.listImages(signal)],
      networks: [`[${pieces((at) => `{"Id":"${at}","Name":"a"},`)}{}]`, () => engine.listNetworks(signal)],
      volumes: [`{"Volumes":[${pieces((at) => `{"Name":"${at}"},`)}{}]}`, () => engine.listVolumes(signal)],
    };
    for (const [what, [text, work]] of Object.entries(lists)) {
      it(`a list of ${what}`, () =>
        isCheap(() => {
          other.handle = answer(text);
          return work();
        }));
    }
    it('a list of ten thousand containers, a thousand of which are inspected', () =>
      isResponsive(() => {
        const list = `[${pieces((at) => `{"Id":"${at}","State":"dead","Status":"Dead","ImageID":"","Names":["/"]},`, 10_000)}{"Id":"z"}]`;
        other.handle = (request, response) =>
          (request.url?.startsWith('/containers/json') ? answer(list) : answer('{}', 404))(request, response);
        return engine.listContainers(signal, (id) =>
          Number(id) % 10 === 0 ? undefined : aContainer({ id, name: '', state: 'dead', image: '', networks: {} }),
        );
      }));
    for (const [what, chunk] of Object.entries({ text: fill('x'), lists: fill('['), values: fill('1,') })) {
      it(`${what} without an end`, () =>
        isResponsive(() => {
          other.handle = endless(chunk);
          return engine.inspectContainer('1', signal);
        }));
      it(`${what} without an end, for a refusal`, () =>
        isResponsive(() => {
          other.handle = endless(chunk, 500);
          return engine.followLogs('1', 'now', signal)[Symbol.asyncIterator]().next();
        }));
    }
    it('a refusal of a MiB, of which no more than a paragraph is kept', async () => {
      for (const text of [`{"message":"${fill('x', 1_000_000)}"}`, fill('x')]) {
        other.handle = answer(text, 500);
        await assert.rejects(engine.inspectContainer('1', signal), ({ message }: Error) => {
          assert.ok(message.length <= 2_000, `${message.length}`);
          return true;
        });
      }
    });

    const progress: Readonly<Record<string, string>> = {
      layers: pieces((at) => `{"id":"${at}","status":"Waiting"}\n`),
      'layers that come': pieces(
        (at) => `{"id":"${at % 5000}","status":"Downloading","progressDetail":{"current":${at},"total":99999}}\n`,
      ),
      'empty messages': fill('{}\n'),
      'a message without an end': fill('{"status":"'),
      'maps in maps': JSON_TEXTS['maps in maps'] ?? '',
      'an error': `{"error":"${fill('x')}"}`,
    };
    for (const [what, text] of Object.entries(progress)) {
      it(`to a pull: ${what}`, () =>
        isResponsive(() => {
          other.handle = answer(text);
          return engine.pullImage('a:1', {}, () => undefined, signal);
        }));
    }
    /** A message for each number, one after the other, nearly without an end. */
    const counting =
      (message: (at: number) => string): Handler =>
      (request, response) => {
        request.resume();
        response.writeHead(200);
        let at = 0;
        const send = (): void => {
          if (response.destroyed) return;
          if (at > 200_000) response.end();
          else
            response.write(
              pieces((next) => message(at + next), 2_000),
              () => setImmediate(send),
            );
          at += 2_000;
        };
        send();
      };
    it('to a pull: layers without an end', () =>
      isResponsive(() => {
        other.handle = counting((at) => `{"id":"${at}","status":"Waiting"}\n`);
        return engine.pullImage('a:1', {}, () => undefined, signal);
      }));
    it('to a load: images without an end', () =>
      isResponsive(() => {
        other.handle = counting((at) => `{"stream":"Loaded image: a:${at}"}\n`);
        return engine.loadImages(Readable.from([]), signal);
      }));

    const event = (more: string) => `{"Type":"container","Action":"start","Actor":{"ID":"1"${more}}}\n`;
    const events: Readonly<Record<string, string>> = {
      'of one container': fill(event(',"Attributes":{"io.balena.supervised":""}')),
      'of many containers': pieces((at) =>
        event(',"Attributes":{"io.balena.supervised":""}').replace('"ID":"1"', `"ID":"${at}"`),
      ),
      'of many volumes': pieces((at) => `{"Type":"volume","Action":"create","Actor":{"ID":"v${at}"}}\n`),
      'of many networks': pieces((at) => `{"Type":"network","Action":"create","Actor":{"ID":"n${at}"}}\n`),
      'of many images': pieces((at) => `{"Type":"image","Action":"pull","Actor":{"ID":"a:${at}"}}\n`),
      'with many attributes': event(`,"Attributes":{${pieces((at) => `"a${at}":"",`)}"io.balena.supervised":""}`),
      'that are none': fill('{}\n'),
      'of nobody': fill('{"Type":"container"}\n'),
      'that are not JSON': fill('x\n'),
      'maps in maps': `${JSON_TEXTS['maps in maps']}\n`,
    };
    for (const [what, text] of Object.entries(events)) {
      it(`events ${what}, for what is kept of the engine`, () =>
        isResponsive(async () => {
          other.handle = (request, response) => {
            const path = request.url ?? '';
            if (path.startsWith('/events')) {
              response.writeHead(200);
              response.flushHeaders();
              listed.then(() => response.end(text));
            } else if (path.startsWith('/volumes?')) answer('{"Volumes":[]}')(request, response);
            else if (/^\/(?:containers\/json|networks\?|images\/json)/.test(path)) answer('[]')(request, response);
            else answer('{"message":"it is gone"}', 404)(request, response);
          };
          let tellListed: () => void = () => undefined;
          const listed = new Promise<void>((resolve) => {
            tellListed = resolve;
          });
          const cache = startInformer({ engine, log: pino({ level: 'silent' }), clock: systemClock });
          const isLost = new Promise<void>((resolve) => {
            cache.onChange(() => void (cache.hasSynced || resolve()));
          });
          await cache.start();
          tellListed();
          await isLost; // all of them have been heard
          await cache.stop();
        }));
    }
  });

  describe('in an answer of a registry', () => {
    const other = new Other();
    let address: string;
    before(async () => {
      address = await other.listen();
    });
    after(() => other.close());
    const look = () =>
      remoteImage(`${address}/a:1`, { serveraddress: address, username: 'u', password: 'p' }, 'amd64', signal, 5_000);

    const manifests: Readonly<Record<string, string>> = {
      ...JSON_TEXTS,
      layers: `{"layers":[${pieces((at) => `{"size":${at}},`)}{}]}`,
      'as many layers as are read': `{"layers":[${pieces((at) => `{"size":${at}},`, 9_000)}{}]}`,
      'images of one index': `{"manifests":[${pieces(() => '{"digest":"a"},', 14_000)}{}]}`,
      'a long digest': `{"manifests":[{"digest":"${fill('x')}"}]}`,
    };
    for (const [what, text] of Object.entries(manifests)) {
      it(`for a manifest: ${what}`, () =>
        isCheap(() => {
          other.handle = answer(text);
          return look();
        }));
      it(`for a token: ${what}`, () =>
        isCheap(() => {
          other.handle = (request, response) => {
            if (request.url?.startsWith('/token')) answer(text)(request, response);
            else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${address}/token"` }).end();
          };
          return look();
        }));
    }
    it('for a token: one of a MiB', () =>
      isCheap(() => {
        other.handle = (request, response) => {
          if (request.url?.startsWith('/token')) answer(`{"token":"${fill('x')}"}`)(request, response);
          else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${address}/token"` }).end();
        };
        return look();
      }));
    for (const [what, challenge] of Object.entries({
      letters: `Bearer ${'a'.repeat(15_000)}`,
      quotes: `Bearer ${'a="'.repeat(5_000)}`,
      pairs: `Bearer ${'a="",'.repeat(3_000)}`,
      blanks: `Bearer ${' '.repeat(15_000)}x`,
      'a long realm': `Bearer realm="http://${'a/'.repeat(7_000)}"`,
    })) {
      it(`for a challenge: ${what}`, () =>
        isCheap(() => {
          other.handle = (_, response) => response.writeHead(401, { 'www-authenticate': challenge }).end();
          return look();
        }));
    }
    for (const [what, chunk] of Object.entries({ text: fill('x'), lists: fill('['), values: fill('1,') })) {
      it(`without an end: ${what}`, () =>
        isResponsive(() => {
          other.handle = endless(chunk);
          return look();
        }));
    }
    it('that leads on and on', () =>
      isCheap(() => {
        other.handle = (_, response) =>
          response.writeHead(307, { location: `http://${address}/${Math.random()}` }).end();
        return look();
      }));
  });

  describe('in a file of images', () => {
    let path: string;
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'worst-'));
      path = join(folder, 'a.tar');
    });
    after(() => rm(folder, { recursive: true }));

    const long = (type: string, size: number): Buffer => {
      const block = tarOf([{ path: 'x', content: '' }]).subarray(0, 512);
      block.write(size.toString(8).padStart(11, '0'), 124);
      block.write(type, 156);
      block.write(' '.repeat(8), 148);
      const sum = block.reduce((total, byte) => total + byte, 0);
      block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
      return Buffer.concat([block, Buffer.alloc(Math.ceil(size / 512) * 512, '1')]);
    };
    const entry = tarOf([{ path: 'a', content: '' }]).subarray(0, 512);
    const repeated = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array(times).fill(bytes));
    const json = (path: string, content: string): TarEntry => ({ path, content });
    const listed = pieces((at) => `{"digest":"sha256:${at}"},`, 9_000);
    const archives: Readonly<Record<string, () => Buffer>> = {
      'files, a hundred thousand of them': () => gzipSync(repeated(entry, 100_000)),
      'as many files as are read': () => gzipSync(repeated(entry, 19_000)),
      'long headers': () => gzipSync(repeated(Buffer.concat([long('x', 900 * 1024), entry]), 20)),
      'headers of long names': () => gzipSync(repeated(long('L', 512), 1_000)),
      'a header without an end': () => gzipSync(Buffer.concat([long('x', 512), Buffer.alloc(2 * BYTES, '1')])),
      'an index of many images': () => tarOf([json('index.json', `{"manifests":[${listed}{}]}`)]),
      'an index of as many images as are read': () =>
        tarOf([json('index.json', `{"manifests":[${pieces((at) => `{"digest":"sha256:${at}"},`, 499)}{}]}`)]),
      'an index of indexes': () =>
        tarOf([
          json('index.json', `{"manifests":[${pieces(() => '{"digest":"sha256:1"},', 400)}{"digest":"sha256:1"}]}`),
          json(
            'blobs/sha256/1',
            `{"manifests":[${pieces(() => '{"digest":"sha256:2"},', 4_900)}{"digest":"sha256:2"}]}`,
          ),
          json('blobs/sha256/2', `{"config":{"digest":"sha256:1"},"layers":[${listed.slice(0, -1)}]}`),
        ]),
      'images of many layers': () =>
        tarOf([
          json('index.json', `{"manifests":[${pieces(() => '{"digest":"sha256:1"},', 400)}{"digest":"sha256:1"}]}`),
          json(
            'blobs/sha256/1',
            `{"config":{"digest":"sha256:1"},"layers":[${pieces(() => '{"digest":"sha256:1"},', 4_800)}{"digest":"sha256:1"}]}`,
          ),
        ]),
      'a list of images': () =>
        tarOf([json('manifest.json', `[${pieces(() => '{"Config":"manifest.json"},', 9_000)}{}]`)]),
      'images with many names': () =>
        tarOf([
          json(
            'manifest.json',
            `[{"Config":"manifest.json","RepoTags":[${pieces((at) => `"a:${at}",`, 29_000)}"z:1"]}]`,
          ),
        ]),
      'texts as large as are read': () =>
        gzipSync(tarOf(Array.from({ length: 12 }, (_, at) => json(`${at}.json`, `[${fill(' ', BYTES - 1)}`)))),
      'zeros, a hundred MiB of them': () =>
        gzipSync(Buffer.concat([tarOf([{ path: 'a', content: Buffer.alloc(100 * 1024 ** 2) }])])),
      'zeros for a tar': () => gzipSync(Buffer.alloc(100 * 1024 ** 2)),
    };
    for (const [what, text] of Object.entries(JSON_TEXTS)) {
      it(`a manifest: ${what}`, async () => {
        await writeFile(path, tarOf([json('manifest.json', text)]));
        await isCheap(() => readArchive(path, 'amd64', { signal }));
      });
      it(`an index: ${what}`, async () => {
        await writeFile(path, tarOf([json('index.json', text)]));
        await isCheap(() => readArchive(path, 'amd64', { signal }));
      });
    }
    for (const [what, bytes] of Object.entries(archives)) {
      it(what, async () => {
        await writeFile(path, bytes());
        await isResponsive(() => readArchive(path, 'amd64', { signal }));
      });
    }
  });
});
