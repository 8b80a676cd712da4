import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readArchive } from '../../../controllers/docker/image-archive.js';
import { asDockerArchive } from '../../../controllers/docker/oci-layout.js';
import { tarOf } from '../../../controllers/docker/tar.js';
import { ArchiveError } from '../../../controllers/docker/tar-file.js';
import { ociLayout, savedImages } from '../../setup/image-archives.js';
import { MemoryEngine } from '../../setup/memory-engine.js';

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
    readArchive(await file(bytes), architecture, signal);
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
      const content = await readArchive(path, architecture, signal);
      assert.ok(content.is === 'oci');
      const engine = new MemoryEngine();
      assert.deepEqual(await engine.loadImages(asDockerArchive(path, content.images, signal), signal), ['db:2']);
      assert.equal((await engine.inspectImage('db:2', signal))?.platform?.architecture, architecture);
    }
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
    await assert.rejects(readArchive(join(folder, 'none.tar'), 'amd64', signal), { code: 'ENOENT' });
  });
});
