import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSecretFiles } from '../../../../api/device-state/secret-files.js';
import { CredentialsError } from '../../../../controllers/engine/images/registry-auth.js';
import {
  type CredentialsDeps,
  registryCredentials,
} from '../../../../controllers/engine/images/registry-credentials.js';
import { registryName } from '../../../../crds/model/image-reference.js';

const PASSWORD = 'hush-hush';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('registryName', () => {
  const cases: ReadonlyArray<[reference: string, registry: string, repository: string, version: string]> = [
    ['busybox', 'docker.io', 'library/busybox', 'latest'],
    ['team/web:1', 'docker.io', 'team/web', '1'],
    ['docker.io/library/busybox:2', 'docker.io', 'library/busybox', '2'],
    ['index.docker.io/team/web', 'docker.io', 'team/web', 'latest'],
    ['registry.example.com/web:1', 'registry.example.com', 'web', '1'],
    ['localhost/web', 'localhost', 'web', 'latest'],
    ['127.0.0.1:5000/a/b/c:x', '127.0.0.1:5000', 'a/b/c', 'x'],
    ['[::1]:5000/web', '[::1]:5000', 'web', 'latest'],
    ['r.example.com:443/v2/a@sha256:00', 'r.example.com:443', 'v2/a', 'sha256:00'],
  ];
  for (const [reference, ...want] of cases) {
    it(`takes ${reference} apart`, () => {
      const { registry, repository, version } = registryName(reference);
      assert.deepEqual([registry, repository, version], want);
    });
  }
});

describe('credentials for a registry', () => {
  let folder: string;
  let warnings: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'credentials-'));
    warnings = [];
    for (const one of ['docker', 'bin', 'data/secrets']) await mkdir(join(folder, one), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const deps = (more: Partial<CredentialsDeps> = {}): CredentialsDeps => ({
    readSecret: (name) => openSecretFiles({ dataFolder: join(folder, 'data') }).read(name),
    env: { DOCKER_CONFIG: join(folder, 'docker'), PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
    log: { warn: (text: unknown) => void warnings.push(String(text)) } as CredentialsDeps['log'],
    ...more,
  });
  const credentials = (reference: string, secret?: string, more: Partial<CredentialsDeps> = {}) =>
    registryCredentials(deps(more))(reference, secret);
  const config = (value: unknown) => writeFile(join(folder, 'docker/config.json'), JSON.stringify(value));
  const secret = (name: string, text: string, mode = 0o600) =>
    writeFile(join(folder, 'data/secrets', name), text, { mode });
  const helper = (name: string, script: string) =>
    writeFile(join(folder, 'bin', `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const login = (username: string, serveraddress = 'r.example.com') => ({
    username,
    password: PASSWORD,
    serveraddress,
  });

  it('are none where nothing is configured', async () => {
    assert.equal(await credentials('r.example.com/web'), undefined);
    assert.deepEqual(warnings, []);
  });

  it('come from the config file of Docker', async () => {
    await config({
      auths: {
        'r.example.com': { auth: base64(`me:${PASSWORD}`) },
        'https://index.docker.io/v1/': { auth: base64(`hub:${PASSWORD}`) },
        'https://old.example.com/v2/': { username: 'old', password: PASSWORD },
        'token.example.com': { auth: base64('me:'), identitytoken: PASSWORD },
      },
    });
    assert.deepEqual(await credentials('r.example.com/web'), login('me'));
    assert.deepEqual(await credentials('busybox'), login('hub', 'https://index.docker.io/v1/'));
    assert.deepEqual(await credentials('old.example.com/a/b'), login('old', 'old.example.com'));
    const token = { identitytoken: PASSWORD, serveraddress: 'token.example.com' };
    assert.deepEqual(await credentials('token.example.com/x'), token);
    assert.equal(await credentials('other.example.com/x'), undefined);
  });

  it('come from the helper of that registry before the store of all, and from the file last', async () => {
    await config({
      credHelpers: { 'r.example.com': 'mine' },
      credsStore: 'all',
      auths: { 'file.example.com': { auth: base64(`file:${PASSWORD}`) } },
    });
    const answer = (name: string) =>
      `read server; printf '{"ServerURL":"%s","Username":"${name}","Secret":"${PASSWORD}"}' "$server"`;
    await helper('mine', `[ "$1" = get ] || exit 3; ${answer('helper')}`);
    await helper(
      'all',
      `read server; [ "$server" = all.example.com ] && printf '{"Username":"<token>","Secret":"${PASSWORD}"}' && exit; echo credentials not found in native keychain; exit 1`,
    );
    assert.deepEqual(await credentials('r.example.com/web'), login('helper'));
    const token = { identitytoken: PASSWORD, serveraddress: 'all.example.com' };
    assert.deepEqual(await credentials('all.example.com/web'), token);
    assert.deepEqual(await credentials('file.example.com/web'), login('file', 'file.example.com'));
    assert.deepEqual(warnings, []);
  });

  it('cannot be had from a helper that fails, which says so without a secret', async () => {
    await config({ credHelpers: { 'a.example.com': 'none', 'b.example.com': 'bad', 'c.example.com': '../../evil' } });
    await helper('bad', `echo '${PASSWORD}' >&2; echo '${PASSWORD}'; exit 4`);
    for (const [reference, want] of [
      ['a.example.com/web', /no program docker-credential-none/],
      ['b.example.com/web', /docker-credential-bad could not tell the credentials of b.example.com: it ended with 4/],
      ['c.example.com/web', /no program/],
    ] as const) {
      await assert.rejects(credentials(reference), (error: Error) => {
        assert.ok(error instanceof CredentialsError);
        assert.match(error.message, want);
        assert.ok(!error.message.includes(PASSWORD));
        return true;
      });
    }
  });

  it('are done without when the store of all cannot be asked', async () => {
    await config({ credsStore: 'none', auths: { 'r.example.com': { auth: base64(`me:${PASSWORD}`) } } });
    assert.deepEqual(await credentials('r.example.com/web'), login('me'));
    assert.match(warnings.join(), /docker-credential-none/);
  });

  it('are done without when the config file is broken, with a warning that names it and tells nothing', async () => {
    await writeFile(join(folder, 'docker/config.json'), `{"auths": {"${PASSWORD}`);
    assert.equal(await credentials('r.example.com/web'), undefined);
    assert.match(warnings.join(), /docker\/config.json cannot be used/);
    assert.ok(!warnings.join().includes(PASSWORD));
  });

  it('come from the secret that the App names before anything else', async () => {
    await config({ auths: { 'r.example.com': { auth: base64(`me:${PASSWORD}`) } } });
    await secret('json', JSON.stringify({ username: 'app', password: PASSWORD }));
    await secret('line', `app:${PASSWORD}\n`);
    await secret('docker', JSON.stringify({ auths: { 'https://r.example.com': { auth: base64(`app:${PASSWORD}`) } } }));
    for (const name of ['json', 'line', 'docker']) {
      assert.deepEqual(await credentials('r.example.com/web', name), login('app'), name);
    }
  });

  describe('in a secret that cannot be used', () => {
    const outside = () => join(folder, 'outside');
    const cases: ReadonlyArray<{ it: string; name: string; make?: () => Promise<unknown>; want: RegExp }> = [
      { it: 'is not there', name: 'none', want: /The secret none is not there.*data\/secrets\/none/ },
      {
        it: 'is open to others',
        name: 'open',
        make: () => secret('open', `a:${PASSWORD}`, 0o644),
        want: /mode 0644\): chmod 600/,
      },
      {
        it: 'is a folder',
        name: 'folder',
        make: () => mkdir(join(folder, 'data/secrets/folder'), { mode: 0o700 }),
        want: /is not a file/,
      },
      { it: 'has a path for a name', name: '../keys.json', want: /not the name of a file in/ },
      { it: 'leads out of the data folder', name: 'link', make: () => link('link'), want: /is a link/ },
      {
        it: 'says nothing',
        name: 'empty',
        make: () => secret('empty', ''),
        want: /expected JSON with username and password/,
      },
      {
        it: 'is broken',
        name: 'broken',
        make: () => secret('broken', `{"username":"${PASSWORD}`),
        want: /expected JSON/,
      },
      {
        it: 'is for another registry',
        name: 'other',
        make: () => secret('other', '{"auths":{"x.example.com":{}}}'),
        want: /no entry for r.example.com/,
      },
      {
        it: 'has no password',
        name: 'half',
        make: () => secret('half', '{"username":"a"}'),
        want: /neither a username and a password/,
      },
    ];
    const link = async (name: string) => {
      await writeFile(outside(), `a:${PASSWORD}`, { mode: 0o600 });
      await symlink(outside(), join(folder, 'data/secrets', name));
    };
    for (const { it: what, name, make, want } of cases) {
      it(`${what}: the sentence names it and tells nothing`, async () => {
        await make?.();
        await assert.rejects(credentials('r.example.com/web', name), (error: Error) => {
          assert.ok(error instanceof CredentialsError);
          assert.match(error.message, want);
          assert.ok(!error.message.includes(PASSWORD));
          return true;
        });
      });
    }

    it('lies in a folder that leads out of the data folder', async () => {
      await rm(join(folder, 'data/secrets'), { recursive: true });
      await mkdir(outside());
      await writeFile(join(outside(), 'json'), `a:${PASSWORD}`, { mode: 0o600 });
      await symlink(outside(), join(folder, 'data/secrets'));
      await assert.rejects(credentials('r.example.com/web', 'json'), /is a link that leads elsewhere/);
      await chmod(outside(), 0o700);
    });
  });

  it('are those of the device for the registries of its cloud, and shown to nobody else', async () => {
    const device = async () => ({ auth: { username: 'd_u', password: PASSWORD }, domains: ['example.com'] });
    assert.deepEqual(
      await credentials('registry2.example.com/v2/a', undefined, { device }),
      login('d_u', 'registry2.example.com'),
    );
    assert.equal(await credentials('registry.example.org/a', undefined, { device }), undefined);
    assert.equal(await credentials('notexample.com/a', undefined, { device }), undefined);
    assert.equal(await credentials('busybox', undefined, { device }), undefined);
    await config({ auths: { 'registry2.example.com': { auth: base64(`me:${PASSWORD}`) } } });
    assert.deepEqual(
      await credentials('registry2.example.com/a', undefined, { device }),
      login('me', 'registry2.example.com'),
    );
  });
});
