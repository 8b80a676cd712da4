import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSecretFiles, SecretFileError } from '../../../api/device-state/secret-files.js';

const TEXT = 'hush-hush';

describe('the secrets of the device', () => {
  let folder: string;
  const inData = (...parts: string[]) => join(folder, 'data', ...parts);
  const secrets = () => openSecretFiles({ dataFolder: inData() });
  const put = async (name: string, mode: number) => {
    await writeFile(inData('secrets', name), `${TEXT}\n`);
    await chmod(inData('secrets', name), mode);
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    await mkdir(inData('secrets'), { recursive: true, mode: 0o700 });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are read without the line end at their end', async () => {
    await put('token', 0o600);
    assert.equal(await secrets().read('token'), TEXT);
    assert.equal(await secrets().path('token', 'private'), inData('secrets/token'));
  });

  it('may lie in a data folder that is reached through a link', async () => {
    await put('token', 0o400);
    await rename(inData(), join(folder, 'elsewhere'));
    await symlink('elsewhere', inData());
    assert.equal(await secrets().read('token'), TEXT);
  });

  it('may be readable by others where they are none: host keys, certificates', async () => {
    await put('hosts', 0o644);
    assert.equal(await secrets().path('hosts', 'public'), inData('secrets/hosts'));
  });

  if (process.getuid?.() === 0) {
    it('are refused when they belong to another user', async () => {
      await put('token', 0o600);
      await chown(inData('secrets/token'), 65534, 65534);
      await assert.rejects(
        secrets().read('token'),
        /^SecretFileError: The secret token belongs to another user \(65534\)/,
      );
      await assert.rejects(secrets().path('token', 'public'), SecretFileError);
    });
  }

  const cases: readonly { it: string; make: () => Promise<unknown>; want: RegExp; public?: RegExp }[] = [
    { it: 'is not there', make: async () => undefined, want: /is not there: put it into the file .*secrets\/one/ },
    { it: 'can be read by others', make: () => put('one', 0o640), want: /mode 0640\): chmod 600 / },
    {
      it: 'can be changed by others',
      make: () => put('one', 0o602),
      want: /mode 0602\): chmod 600 /,
      public: /mode 0602\): chmod go-w /,
    },
    {
      it: 'is a link out of the folder',
      make: async () => {
        await writeFile(join(folder, 'shadow'), TEXT, { mode: 0o600 });
        await symlink('../../shadow', inData('secrets/one'));
      },
      want: /is a link: put the file itself there/,
      public: /is a link: put the file itself there/,
    },
    {
      it: 'is a link to another secret',
      make: async () => {
        await put('two', 0o600);
        await symlink('two', inData('secrets/one'));
      },
      want: /is a link/,
      public: /is a link/,
    },
    {
      it: 'lies in a folder that is a link',
      make: async () => {
        await put('one', 0o600);
        await rename(inData('secrets'), join(folder, 'elsewhere'));
        await symlink('../elsewhere', inData('secrets'));
      },
      want: /is a link that leads elsewhere/,
      public: /is a link that leads elsewhere/,
    },
    { it: 'is a folder', make: () => mkdir(inData('secrets/one')), want: /is not a file/, public: /is not a file/ },
    {
      it: 'is too large',
      make: () => writeFile(inData('secrets/one'), Buffer.alloc(1024 * 1024 + 1), { mode: 0o600 }),
      want: /larger than 1 MiB/,
      public: /larger than 1 MiB/,
    },
  ];
  for (const { it: what, make, want, public: wantPublic } of cases) {
    it(`refuses one that ${what}, to read and to hand on`, async () => {
      await make();
      const output = (pattern: RegExp) => (error: Error) => {
        assert.ok(error instanceof SecretFileError);
        assert.match(error.message, pattern);
        assert.ok(!error.message.includes(TEXT));
        return true;
      };
      await assert.rejects(secrets().read('one'), output(want));
      await assert.rejects(secrets().path('one', 'private'), output(want));
      if (wantPublic) await assert.rejects(secrets().path('one', 'public'), output(wantPublic));
    });
  }

  for (const name of ['../keys.json', 'a/b', '', '.hidden']) {
    it(`takes ${JSON.stringify(name)} for no name`, () =>
      assert.rejects(secrets().read(name), /not the name of a file/));
  }
});
