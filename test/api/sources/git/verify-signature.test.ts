import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signerOf } from '../../../../api/sources/git/verify-signature.js';
import type { GitSourceSpec } from '../../../../crds/model/types.js';
import { appText, TestRepository } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

describe('signatures', function () {
  this.timeout(180_000);
  let repository: TestRepository;
  let bench: SourceBench;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git', 'gpg', 'ssh-keygen');
  });
  beforeEach(async () => {
    repository = TestRepository.make();
    repository.commit({ 'a.yaml': appText('a', 'unsigned') });
    bench = await SourceBench.make({ url: repository.bare, branch: 'main' });
  });
  afterEach(async () => {
    await bench.close();
    repository.remove();
  });

  /** A new ssh key; the line of it for a list of signers. */
  const sshKey = (name: string): { file: string; line: string } => {
    const file = join(repository.folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
    return { file, line: `${name}@example.org namespaces="git" ${readFileSync(`${file}.pub`, 'utf8').trim()}\n` };
  };
  const bySsh = (file: string): readonly string[] => ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${file}`];

  /** A new GPG key; its public half. */
  const gpgKey = (name: string, expires = 'never'): { id: string; exported: Buffer } => {
    const home = join(repository.folder, 'gnupg');
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const gpg = (...args: string[]): Buffer =>
      execFileSync(
        'gpg',
        ['--homedir', home, '--batch', '--quiet', '--passphrase', '', '--pinentry-mode', 'loopback', ...args],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
    const id = `${name}@example.org`;
    gpg('--quick-generate-key', `${name} <${id}>`, 'ed25519', 'sign', expires);
    return { id, exported: gpg('--armor', '--export', id) };
  };

  const change = (command: string, ...config: readonly string[]): void => {
    repository.write({ 'a.yaml': appText('a', command) });
    repository.git('add', '--all');
    repository.git(...config, 'commit', '--quiet', '-S', '-m', command);
    repository.push();
  };
  const verify = (more: GitSourceSpec['verify'], rest: Partial<GitSourceSpec> = { branch: 'main' }): Promise<void> =>
    bench.declare({ url: repository.bare, verify: { ...more }, ...rest });
  const why = async (): Promise<string | undefined> => {
    const { failure } = await bench.sync();
    return failure && `${failure.reason}: ${failure.message.replace(/[0-9a-f]{12}/, '…')}`;
  };

  it('of ssh keys that count are taken, all others are not', async () => {
    const ada = sshKey('ada');
    const eve = sshKey('eve');
    bench.secret('signers', ada.line);
    await verify({ allowedSigners: 'signers' });
    assert.equal(await why(), 'NotVerified: The commit … is not taken: it is not signed');
    change('by ada', ...bySsh(ada.file));
    assert.equal(await why(), undefined);
    assert.match(bench.source.status?.verified?.by ?? '', /^ada@example\.org \(SHA256:/);
    assert.equal(bench.command('a'), 'by ada');
    change('by eve', ...bySsh(eve.file));
    assert.equal(await why(), 'NotVerified: The commit … is not taken: no key that counts has signed it');
    assert.equal(bench.command('a'), 'by ada');
    assert.equal(bench.source.status?.verified?.commit, bench.source.status?.applied?.commit);
  });

  it('of GPG keys that count are taken, all others are not', async () => {
    const ada = gpgKey('ada');
    const eve = gpgKey('eve');
    bench.secret('keys', ada.exported);
    await verify({ keyring: 'keys' });
    change('by ada', '-c', `user.signingkey=${ada.id}`);
    assert.equal(await why(), undefined);
    assert.match(bench.source.status?.verified?.by ?? '', /^ada <ada@example\.org> \([0-9A-F]{40}\)$/);
    change('by eve', '-c', `user.signingkey=${eve.id}`);
    assert.equal(await why(), 'NotVerified: The commit … is not taken: no key that counts has signed it');
    bench.secret('keys', '');
    assert.match((await why()) ?? '', /^NotVerified: /);
    assert.equal(bench.command('a'), 'by ada');
  });

  it('of the other kind do not count, nor do they when their program is missing', async () => {
    const ada = sshKey('ada');
    const gpg = gpgKey('ada');
    bench.secret('keys', gpg.exported);
    bench.secret('signers', ada.line);
    await verify({ keyring: 'keys' });
    change('by ssh', ...bySsh(ada.file));
    assert.match((await why()) ?? '', /^NotVerified: /);
    await verify({ allowedSigners: 'signers' });
    change('by gpg', '-c', `user.signingkey=${gpg.id}`);
    assert.match((await why()) ?? '', /^NotVerified: /);
    await verify({ allowedSigners: 'signers', keyring: 'keys' });
    assert.equal(await why(), undefined);
  });

  it('that are forged or moved to another commit do not count', async () => {
    const ada = sshKey('ada');
    bench.secret('signers', ada.line);
    await verify({ allowedSigners: 'signers' });
    change('by ada', ...bySsh(ada.file));
    assert.equal(await why(), undefined);
    const signed = repository.git('cat-file', 'commit', 'HEAD');
    const file = join(repository.folder, 'forged');
    repository.write({ '../forged': signed.replace('\nby ada', '\nby somebody else') });
    const forged = repository.git('hash-object', '-w', '-t', 'commit', file).trim();
    repository.git('push', '--quiet', '--force', 'origin', `${forged}:refs/heads/main`);
    await bench.declare({
      url: repository.bare,
      branch: 'main',
      allowRewind: true,
      verify: { allowedSigners: 'signers' },
    });
    assert.match((await why()) ?? '', /^NotVerified: /);
  });

  it('are needed from the first time on, and for what the cache has', async () => {
    await bench.sync();
    assert.equal(bench.command('a'), 'unsigned');
    bench.secret('signers', sshKey('ada').line);
    await verify({ allowedSigners: 'signers' });
    bench.device = { ...bench.device, name: 'shed' };
    assert.match((await why()) ?? '', /^NotVerified: /);
    assert.equal((await bench.sync()).failure?.final, true);
    await verify({ allowedSigners: 'nowhere' });
    assert.match((await why()) ?? '', /^SecretMissing: The secret nowhere is not there/);
  });

  it('of tags: a signed annotated tag is taken under its own name only', async () => {
    const ada = sshKey('ada');
    bench.secret('signers', ada.line);
    const object = { object: 'tag', allowedSigners: 'signers' } as const;
    repository.git(...bySsh(ada.file), 'tag', '-s', '-m', 'one', 'v1.0.0');
    repository.git('tag', 'light');
    repository.git('tag', '-a', '-m', 'nobody', 'unsigned');
    repository.git('push', '--quiet', 'origin', '--tags');
    await verify(object, { tag: 'v1.0.0' });
    assert.equal(await why(), undefined);
    await verify(object, { tag: 'light' });
    assert.match((await why()) ?? '', /is not an annotated tag/);
    await verify(object, { tag: 'unsigned' });
    assert.match((await why()) ?? '', /^NotVerified: /);
    const tag = repository.git('rev-parse', 'refs/tags/v1.0.0').trim();
    repository.inBare('update-ref', 'refs/tags/v9.0.0', tag);
    await verify(object, { semver: '>=2' });
    assert.equal(await why(), 'NotVerified: refs/tags/v9.0.0 is not taken: the tag that was signed is called v1.0.0');
  });
});

describe('signerOf', () => {
  const cases: readonly [string, string, string | undefined][] = [
    ['ssh', 'Good "git" signature for ada@x with ED25519 key SHA256:abc', 'ada@x (SHA256:abc)'],
    ['ssh without a principal', 'Good "git" signature with ED25519 key SHA256:abc\nNo principal matched.', undefined],
    ['gpg', '[GNUPG:] GOODSIG 0123456789ABCDEF Ada\n[GNUPG:] VALIDSIG ABCDEF0123', 'Ada (ABCDEF0123)'],
    ['an expired key', '[GNUPG:] EXPKEYSIG 0123 Ada\n[GNUPG:] VALIDSIG ABCDEF0123', undefined],
    ['a revoked key', '[GNUPG:] REVKEYSIG 0123 Ada\n[GNUPG:] GOODSIG 01 Ada\n[GNUPG:] VALIDSIG AB', undefined],
    ['a good one beside a bad one', '[GNUPG:] GOODSIG 01 A\n[GNUPG:] VALIDSIG 0A\n[GNUPG:] BADSIG 02 B', undefined],
    ['nothing', '', undefined],
  ];
  for (const [name, status, want] of cases) it(name, () => assert.equal(signerOf(status), want));
});
