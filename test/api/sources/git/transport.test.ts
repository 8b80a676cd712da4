import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, sayable } from '../../../../api/sources/git/git.js';
import { appText, needPrograms, TestRepository } from '../../../setup/git.js';
import { type GitServer, type HttpGitServer, serveDaemon, serveHttp, serveSsh } from '../../../setup/git-servers.js';
import { SourceBench } from './a-source.js';

describe('a repository on a server', function () {
  this.timeout(30_000);
  let repository: TestRepository;
  let bench: SourceBench | undefined;
  let server: GitServer | undefined;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git', 'ssh-keygen', 'sshd');
  });
  beforeEach(() => {
    repository = TestRepository.make();
    repository.commit({ 'a.yaml': appText('a', 'one'), 'unused.bin': 'x'.repeat(2000) });
  });
  afterEach(async () => {
    await bench?.close();
    await server?.close();
    repository.remove();
  });

  const reason = async (): Promise<string | undefined> => (await bench?.sync())?.failure?.reason;

  describe('over http', () => {
    let http: HttpGitServer;
    beforeEach(async () => {
      http = await serveHttp(repository);
      server = http;
    });

    it('is read with few questions, and with one when nothing has changed', async () => {
      bench = await SourceBench.make({ url: http.url });
      assert.equal(await reason(), undefined);
      assert.equal(bench.command('a'), 'one');
      http.requests.length = 0;
      assert.equal(await reason(), undefined);
      assert.deepEqual(http.requests, [
        'GET /fleet.git/info/refs?service=git-upload-pack',
        'POST /fleet.git/git-upload-pack',
      ]);
    });

    it('gets the token of its file and no other', async () => {
      http.login = 'git:s3cret-token';
      bench = await SourceBench.make({ url: http.url, credentials: { token: 'token' } });
      assert.equal(await reason(), 'SecretMissing');
      bench.secret('token', 'wrong\n');
      assert.equal(await reason(), 'AuthenticationFailed');
      bench.secret('token', 's3cret-token\n');
      assert.equal(await reason(), undefined);
      const everything = JSON.stringify([
        bench.source,
        bench.store.events(),
        bench.said,
        filesBelow(join(bench.folder, 'git')),
      ]);
      assert.doesNotMatch(everything, /s3cret-token/);
      assert.ok(!everything.includes(Buffer.from(http.login).toString('base64')));
      http.login = undefined;
      await bench.declare({ url: http.url });
      assert.equal(await reason(), undefined);
    });

    it('asks nobody for a password', async () => {
      http.login = 'git:x';
      bench = await SourceBench.make({ url: http.url });
      assert.equal(await reason(), 'AuthenticationFailed');
    });

    it('is given up when it does not answer', async () => {
      http.isSilent = true;
      bench = await SourceBench.make({ url: http.url, timeout: '1s' });
      assert.equal(await reason(), 'TimedOut');
    });

    it('is unreachable, or has no such repository', async () => {
      bench = await SourceBench.make({ url: http.url.replace('fleet', 'other') });
      assert.equal(await reason(), 'RepositoryNotFound');
      await http.close();
      server = undefined;
      await bench.declare({ url: http.url });
      assert.equal(await reason(), 'Unreachable');
    });
  });

  it('over ssh is read with a key that may, from a server that is known', async () => {
    const ssh = await serveSsh(repository);
    server = ssh;
    bench = await SourceBench.make({ url: ssh.url, credentials: { sshKey: 'key', knownHosts: 'hosts' } });
    bench.secret('key', ssh.key);
    bench.secret('hosts', ssh.knownHosts);
    const first = await bench.sync();
    assert.equal(first.failure, undefined);
    assert.equal(bench.command('a'), 'one');

    const other = join(repository.folder, 'other');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    bench.secret(
      'hosts',
      ssh.knownHosts.replace(/ssh-ed25519 \S+/, readFileSync(`${other}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')),
    );
    assert.equal(await reason(), 'UntrustedServer');
    bench.secret('hosts', '# nobody\n');
    assert.equal(await reason(), 'UntrustedServer');
    bench.secret('hosts', ssh.knownHosts);
    bench.secret('key', readFileSync(other));
    assert.equal(await reason(), 'AuthenticationFailed');
    assert.equal(bench.command('a'), 'one');
    assert.equal(statSync(join(bench.folder, 'git')).mode & 0o077, 0);
  });

  it('over git daemon is read too, though others may read along', async () => {
    server = await serveDaemon(repository);
    bench = await SourceBench.make({ url: server.url });
    assert.equal(await reason(), undefined);
    assert.equal(bench.command('a'), 'one');
  });
});

/** The texts of all files below a folder that are no objects of git. */
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('objects'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));

describe('what git says', () => {
  const cases: readonly [string, string, string][] = [
    ['a full disk', 'fatal: write error: No space left on device', 'DiskFull'],
    ['a wrong certificate', 'fatal: unable to access: SSL certificate problem: self-signed', 'UntrustedServer'],
    ['a wrong login', "fatal: Authentication failed for 'https://x/'", 'AuthenticationFailed'],
    ['no network', "fatal: unable to access 'https://x/': Could not resolve host: x", 'Unreachable'],
    ['anything else', 'fatal: protocol error: bad line length', 'GitFailed'],
  ];
  for (const [name, text, want] of cases) it(`of ${name}`, () => assert.equal(reasonOf(text), want));

  it('is told in one line, without logins and without what helps nobody', () => {
    const text = "warning: x\nfatal: unable to access 'https://me:pw@x/': 403\nAuthorization: Basic abc=\n\n";
    assert.equal(sayable(text), "fatal: unable to access 'https://x/': 403; Authorization: …");
  });
});
