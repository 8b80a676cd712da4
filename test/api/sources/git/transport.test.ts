import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, sayable } from '../../../../api/sources/git/git.js';
import { appText, TestRepository } from '../../../setup/git.js';
import { type GitServer, type HttpGitServer, serveDaemon, serveHttp, serveSsh } from '../../../setup/git-servers.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

describe('a repository on a server', function () {
  this.timeout(180_000);
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
        bench.lines,
        filesBelow(join(bench.folder, 'git')),
      ]);
      assert.doesNotMatch(everything, /s3cret-token/);
      assert.ok(!everything.includes(Buffer.from(http.login).toString('base64')));
      http.login = undefined;
      await bench.declare({ url: http.url });
      assert.equal(await reason(), undefined);
    });

    describe('with a redirect', () => {
      let other: HttpGitServer;
      beforeEach(async () => {
        other = await serveHttp(repository);
        bench = await SourceBench.make({ url: http.url, credentials: { token: 'token' } });
        bench.secret('token', 's3cret-token\n');
      });
      afterEach(() => other.close());

      it('to another server shows that one no token, and says what to write', async () => {
        http.redirect = (url) => new URL(url, other.url).href;
        const failure = (await bench?.sync())?.failure;
        assert.deepEqual([failure?.reason, failure?.final], ['Redirected', true]);
        assert.match(failure?.message ?? '', new RegExp(`${http.url} points to ${other.url}, another server`));
        assert.deepEqual([other.requests, other.logins], [[], []]);
      });

      it('of later requests to another server shows that one no token either', async () => {
        http.redirect = (url) => (url.endsWith('git-upload-pack') && !url.includes('?') ? other.url : undefined);
        assert.equal(await reason(), 'Redirected');
        assert.deepEqual([other.requests, other.logins], [[], []]);
      });

      it('within the server is followed', async () => {
        http.login = 'git:s3cret-token';
        http.redirect = (url) => (url.startsWith('/old/') ? url.slice('/old'.length) : undefined);
        await bench?.declare({ url: http.url.replace('/fleet', '/old/fleet'), credentials: { token: 'token' } });
        assert.equal(await reason(), undefined);
        assert.equal(bench?.command('a'), 'one');
      });

      it('to what is no repository says so', async () => {
        http.redirect = () => '/users/sign_in?from=x';
        const failure = (await bench?.sync())?.failure;
        assert.match(
          failure?.message ?? '',
          /points to http:\/\/127.0.0.1:\d+\/users\/sign_in, which is no repository/,
        );
      });

      it('that never ends is given up', async () => {
        http.redirect = (url) => `/again${url}`;
        assert.equal(await reason(), 'Redirected');
      });

      it('is followed to another server without a token, which has nothing to lose', async () => {
        http.redirect = (url) => new URL(url, other.url).href;
        await bench?.declare({ url: http.url });
        assert.equal(await reason(), undefined);
        assert.deepEqual(other.logins, []);
      });
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

  it('is reported in one line, without logins and without what helps nobody', () => {
    const text = "warning: x\nfatal: unable to access 'https://me:pw@x/': 403\nAuthorization: Basic abc=\n\n";
    assert.equal(sayable(text), "fatal: unable to access 'https://x/': 403; Authorization: …");
  });
});
