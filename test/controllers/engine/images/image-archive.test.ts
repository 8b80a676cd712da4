import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readArchive } from '../../../../controllers/engine/images/image-archive.js';
import { asDockerArchive } from '../../../../controllers/engine/images/oci-layout.js';
import { ArchiveError } from '../../../../controllers/engine/images/tar-file.js';
import { tarOf } from '../../../../controllers/engine/local/tar.js';
import { MemoryEngine } from '../../../../controllers/engine/simulated/memory-engine.js';
import { ociLayout, savedImages } from '../../../setup/image-archives.js';

describe('an archive of images', () => {
  const { signal } = new AbortController();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archive-'));
  });
  after(() => rm(folder, { recursive: true }));

  const file = async (bytes: Buffer | string): Promise<string> => {
    const path = join(folder, 'file.tar');
    await writeFile(path, bytes);
    return path;
  };
  const read = async (bytes: Buffer | string, architecture = 'amd64') =>
    readArchive(await file(bytes), architecture, { signal });
  const web = { references: ['web:1', 'r.example.com/web:1'], files: [{ path: 'web', content: 'w' }] };
  const db = { references: ['db:2'], files: [{ path: 'db', content: 'd' }] };

  it('of docker save tells what is in it, gzipped too', async () => {
    const want = { is: 'docker', references: ['web:1', 'r.example.com/web:1', 'db:2'] };
    assert.deepEqual(await read(savedImages(web, db)), want);
    assert.deepEqual(await read(gzipSync(savedImages(web, db))), want);
  });

  it('in the OCI layout tells what is in it', async () => {
    const { references } = await read(ociLayout('docker.io/library/busybox:1.36', db));
    assert.deepEqual(references, ['busybox:1.36']);
    assert.deepEqual((await read(ociLayout('latest', db))).references, [], 'a tag alone names nothing');
  });

  it('in the OCI layout becomes what docker save writes, for the engine’s own architecture', async () => {
    const arm = { ...db, architecture: 'arm64', files: [{ path: 'db', content: 'arm' }] };
    for (const architecture of ['amd64', 'arm64']) {
      const path = await file(ociLayout('db:2', db, arm));
      const content = await readArchive(path, architecture, { signal });
      assert.ok(content.is === 'oci');
      const engine = new MemoryEngine();
      assert.deepEqual(await engine.loadImages(asDockerArchive(path, content.images, { signal }), signal), ['db:2']);
      assert.equal((await engine.inspectImage('db:2', signal))?.platform?.architecture, architecture);
    }
  });

  /** A header of that type whose size says something else than what follows. */
  const headerOf = (type: string, size: number): Buffer => {
    const block = tarOf([{ path: '././@LongLink', content: '' }]).subarray(0, 512);
    block.write(size.toString(8).padStart(11, '0'), 124);
    block.write(type, 156);
    block.write(' '.repeat(8), 148);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
    return block;
  };

  for (const type of ['L', 'K', 'x', 'g']) {
    it(`is given up at a header of 2 GiB (type ${type}), after a MiB of it`, async () => {
      const long = Buffer.concat([headerOf(type, 2 * 1024 ** 3), Buffer.alloc(3 * 1024 * 1024)]);
      await assert.rejects(read(gzipSync(long)), {
        name: 'ArchiveError',
        message: 'a header in it is larger than 1024 KiB',
      });
    });
  }

  it('tells to how many bytes it unpacks, by its headers before they come, and by what comes', async () => {
    const reported: number[] = [];
    const path = await file(gzipSync(tarOf([{ path: 'a', content: Buffer.alloc(100_000) }, { path: 'b/' }])));
    const unpacks = (bytes: number) => void reported.push(bytes);
    await assert.rejects(readArchive(path, 'amd64', { signal, unpacks }));
    assert.ok(reported.includes(100_000) && (reported.at(-1) ?? 0) > 101_000, reported.join());
  });

  it('is given up at the first header that says too much', async () => {
    const path = await file(gzipSync(headerOf('0', 2 * 1024 ** 3)));
    const refusal = new Error('too much');
    const unpacks = (bytes: number) => {
      if (bytes > 1024 ** 3) throw refusal;
    };
    await assert.rejects(readArchive(path, 'amd64', { signal, unpacks }), refusal);
  });

  it('that grows is read as far as it had come', async () => {
    const whole = savedImages(web);
    const path = await file(Buffer.concat([whole, Buffer.alloc(4 * 1024 * 1024)]));
    await assert.rejects(readArchive(path, 'amd64', { signal }), /a header in it is larger/);
    assert.equal((await readArchive(path, 'amd64', { signal, size: whole.length })).is, 'docker');
  });

  it('may have long names', async () => {
    const name = Buffer.alloc(512, 'n');
    const long = Buffer.concat([headerOf('L', 512), name, savedImages(web)]);
    assert.deepEqual((await read(long)).references, ['web:1', 'r.example.com/web:1']);
  });

  it('is given up when it holds more files than images have', async () => {
    const empty = tarOf([{ path: 'empty' }]).subarray(0, 512); // without the end of an archive
    const files = Buffer.concat(Array.from({ length: 20_001 }, () => empty));
    await assert.rejects(read(gzipSync(files)), { message: 'it holds more than 20000 files' });
  });

  it('is given up when its index lists more images than there can be', async () => {
    const manifests = Array(501).fill({ digest: 'sha256:1' });
    const index = tarOf([{ path: 'index.json', content: JSON.stringify({ manifests }) }]);
    await assert.rejects(read(index), { message: 'its index.json lists more than 500 images' });
  });

  const whole = savedImages(web);
  const broken: ReadonlyArray<{ it: string; bytes: Buffer | string; want: RegExp }> = [
    {
      it: 'ends in the middle',
      bytes: whole.subarray(0, whole.length - 3 * 512),
      want: /ends in the middle|not whole/,
    },
    { it: 'ends in the middle of its packing', bytes: gzipSync(whole).subarray(0, 100), want: /ends in the middle/ },
    {
      it: 'lacks a layer',
      bytes: tarOf([{ path: 'manifest.json', content: '[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]' }]),
      want: /not whole: c.json is missing/,
    },
    { it: 'lists no image', bytes: tarOf([{ path: 'manifest.json', content: '[]' }]), want: /lists no image/ },
    { it: 'has a manifest that is no JSON', bytes: tarOf([{ path: 'manifest.json', content: '{' }]), want: /not JSON/ },
    {
      it: 'is a tar of something else',
      bytes: tarOf([{ path: 'a', content: 'b' }]),
      want: /neither manifest.json \(docker save\) nor index.json/,
    },
    { it: 'is a text', bytes: 'hello, I am not a tar archive at all. '.repeat(40), want: /not a tar archive/ },
    { it: 'is empty', bytes: '', want: /neither manifest.json|not a tar/ },
    {
      it: 'is packed by xz',
      bytes: Buffer.from('fd377a585a0000', 'hex'),
      want: /compressed with xz: unpack it, or use gzip/,
    },
    {
      it: 'is a layout whose blob is missing',
      bytes: tarOf([{ path: 'index.json', content: '{"manifests":[{"digest":"sha256:00"}]}' }]),
      want: /blobs\/sha256\/00 is missing/,
    },
  ];
  for (const { it: what, bytes, want } of broken) {
    it(`that ${what} says so`, async () => {
      await assert.rejects(read(bytes), (error: Error) => {
        assert.ok(error instanceof ArchiveError, String(error.stack));
        assert.match(error.message, want);
        return true;
      });
    });
  }

  it('that is not there is no broken archive', async () => {
    await assert.rejects(readArchive(join(folder, 'none.tar'), 'amd64', { signal }), { code: 'ENOENT' });
  });
});
