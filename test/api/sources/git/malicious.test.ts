import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appText, TestRepository } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { until } from '../../../setup/until.js';
import { SourceBench } from './a-source.js';

describe('a malicious repository', function () {
  this.timeout(180_000);
  let repository: TestRepository;
  let bench: SourceBench;
  /** Is there once something of the repository has been run. */
  let trace: string;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });
  beforeEach(async () => {
    repository = TestRepository.make();
    trace = join(repository.folder, 'was-run');
    bench = await SourceBench.make({ url: repository.bare, branch: 'main' });
  });
  afterEach(async () => {
    await bench.close();
    assert.equal(existsSync(trace), false, 'something of the repository was run');
    repository.remove();
  });

  const script = (path: string): void => {
    writeFileSync(path, `#!/bin/sh\ntouch ${trace}\n`);
    chmodSync(path, 0o755);
  };

  it('runs no hook, neither its own nor one that it brings along', async () => {
    for (const hook of [
      'pre-receive',
      'post-checkout',
      'reference-transaction',
      'post-merge',
      'pre-push',
      'post-index-change',
    ]) {
      repository.write({ [`hooks/${hook}`]: '', [`.githooks/${hook}`]: '' });
      script(join(repository.work, 'hooks', hook));
      script(join(repository.work, '.githooks', hook));
    }
    repository.commit({ 'a.yaml': appText('a') });
    mkdirSync(join(repository.bare, 'hooks'), { recursive: true });
    for (const hook of ['post-checkout', 'reference-transaction', 'post-update'])
      script(join(repository.bare, 'hooks', hook));
    const { failure } = await bench.sync();
    assert.equal(failure, undefined);
    assert.equal(bench.declared, 'App/a');
  });

  it('runs no filter, textconv or merge driver of its attributes', async () => {
    const run = join(repository.work, 'run.sh');
    repository.write({ 'run.sh': '' });
    script(run);
    repository.commit({
      '.gitattributes': '*.yaml filter=lfs diff=evil merge=evil ident\n',
      '.gitconfig': `[filter "lfs"]\n\tsmudge = ${run}\n\trequired = true\n[core]\n\tfsmonitor = ${run}\n`,
      '.lfsconfig': `[lfs]\n\turl = https://127.0.0.1:1/\n`,
      'a.yaml': appText('a', 'plain'),
    });
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.command('a'), 'plain');
  });

  it('has its configuration ignored, also that of a bare repository on this device', async () => {
    const run = join(repository.folder, 'run.sh');
    script(run);
    for (const [name, value] of [
      ['core.fsmonitor', run],
      ['core.sshCommand', run],
      ['core.gitProxy', run],
      ['uploadpack.packObjectsHook', run],
      ['core.pager', run],
      ['core.hooksPath', repository.folder],
    ] as const) {
      repository.inBare('config', name, value);
    }
    repository.commit({ 'a.yaml': appText('a') });
    assert.equal((await bench.sync()).failure, undefined);
  });

  it('reads nothing outside of itself through links', async () => {
    writeFileSync(join(repository.folder, 'secret.yaml'), appText('stolen'));
    mkdirSync(join(repository.work, 'apps/deep'), { recursive: true });
    const links = {
      'apps/absolute.yaml': join(repository.folder, 'secret.yaml'),
      'apps/relative.yaml': '../../secret.yaml',
      'apps/deep/through.yaml': '../../../../../../../../etc/hostname',
      'apps/circle.yaml': 'circle.yaml',
      'apps/nowhere.yaml': 'nothing.yaml',
      'apps/folder.yaml': 'deep',
    };
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(repository.work, path));
    symlinkSync('../shared/good.yaml', join(repository.work, 'apps/good.yaml'));
    symlinkSync(repository.folder, join(repository.work, 'apps/out'));
    repository.commit({ 'shared/good.yaml': appText('good') });
    await bench.declare({ url: repository.bare, path: 'apps', atomic: false });
    const { failure } = await bench.sync();
    assert.match(failure?.message ?? '', /The link leads out of the repository/);
    assert.equal(bench.declared, 'App/good');
    const files = bench.store.problems().map(({ source }) => source?.file.replace('git/fleet/', ''));
    assert.deepEqual([...files].sort(), Object.keys(links).sort());
  });

  it('fetches no submodule from this device or by a program, also when submodules are read', async () => {
    const other = TestRepository.make();
    other.commit({ 'stolen.yaml': appText('stolen') });
    repository.write({
      '.gitmodules': [`file://${other.bare}`, `ext::sh -c touch% ${trace}`, '--upload-pack=touch', '../other']
        .map((url, at) => `[submodule "m${at}"]\n\tpath = m${at}\n\turl = ${url}\n\tupdate = !touch ${trace}\n`)
        .join(''),
    });
    repository.git('add', '--all');
    for (const at of [0, 1, 2, 3]) {
      repository.git('update-index', '--add', '--cacheinfo', `160000,${other.head()},m${at}`);
    }
    repository.git('commit', '--quiet', '-m', 'submodules');
    repository.git('commit', '--quiet', '--amend', '--no-edit');
    repository.write({ 'a.yaml': appText('a') });
    repository.git('add', 'a.yaml');
    repository.git('commit', '--quiet', '-m', 'a');
    repository.push();
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.declared, 'App/a');
    await bench.declare({ url: repository.bare, branch: 'main', submodules: true });
    const { failure } = await bench.sync();
    assert.match(failure?.message ?? '', /A submodule over file is not followed/);
    assert.equal(bench.store.problems().length, 4);
    assert.equal(bench.declared, 'App/a');
    other.remove();
  });

  it('has file and ref names taken for names, never for options', async () => {
    const names = [
      '--upload-pack=touch.yaml',
      '-n.yaml',
      '--help.yaml',
      ':(top)x.yaml',
      ':!y.yaml',
      '$(touch x).yaml',
      '`id`.yaml',
      'a\nb.yaml',
      '"q".yaml',
      'ü.yaml',
    ];
    repository.commit(Object.fromEntries(names.map((name, at) => [`apps/${name}`, appText(`app${at}`)])));
    await bench.declare({ url: repository.bare, path: 'apps' });
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.store.list('App').length, names.length - 1, 'a name of two lines is none');
    await bench.declare({ url: repository.bare, path: '--help' });
    assert.equal((await bench.sync()).failure?.reason, 'PruneHeld');
    await bench.declare({ url: repository.bare, paths: ['apps/--upload-pack=touch.yaml', ':(top)'] });
    assert.equal((await bench.sync()).failure?.reason, 'PruneHeld');
  });

  it('may have a tree that no checkout would survive', async () => {
    const blob = repository.git('hash-object', '-w', '--stdin-paths').trim(); // of nothing: makes sure that the plumbing is there
    assert.equal(blob, '');
    repository.write({ 'x.yaml': appText('x') });
    const oid = repository.git('hash-object', '-w', 'x.yaml').trim();
    const mktree = (lines: string): string =>
      execFileSync('git', ['mktree'], { cwd: repository.work, input: lines, encoding: 'utf8' }).trim();
    const inner = mktree(`100644 blob ${oid}\tconfig.yaml\n`);
    const dots = mktree(`100644 blob ${oid}\tescape.yaml\n`);
    const tree = mktree(`040000 tree ${inner}\t.git\n040000 tree ${dots}\t..\n100644 blob ${oid}\tgood.yaml\n`);
    const commit = repository.git('commit-tree', '-m', 'evil', tree).trim();
    repository.inBare('config', 'receive.fsckObjects', 'false');
    repository.git('push', '--quiet', '--force', 'origin', `${commit}:refs/heads/main`);
    assert.equal((await bench.sync()).failure, undefined);
    assert.equal(bench.store.get('App', 'x')?.metadata.source?.file, 'git/fleet/good.yaml');
  });

  it('cannot fill memory or disk: a huge blob is refused, or not even fetched', async () => {
    const huge = (path: string): void => {
      // Zeros: a thousandth of its size on the way.
      execFileSync('sh', [
        '-c',
        'mkdir -p "$(dirname "$1")" && head -c 40000000 /dev/zero > "$1"',
        'sh',
        join(repository.work, path),
      ]);
    };
    huge('model.bin');
    repository.commit({ 'a.yaml': appText('a') });
    assert.equal((await bench.sync()).failure, undefined);
    huge('apps/b.yaml');
    repository.commit({});
    const before = process.memoryUsage().rss;
    const { failure } = await bench.sync();
    assert.match(failure?.message ?? '', /^git\/fleet\/apps\/b\.yaml: The file is too large: 38\.1 MiB/);
    assert.ok(process.memoryUsage().rss - before < 30_000_000);
    assert.equal(bench.declared, 'App/a');
  });

  it('cannot bring more than the limit at once', async () => {
    await bench.close();
    bench = await SourceBench.make(
      { url: repository.bare, branch: 'main' },
      { limits: { fetchBytes: 1024 * 1024, documentsBytes: 1024 * 1024 } },
    );
    const noise = randomBytes(3_000_000).toString('base64');
    repository.commit({ 'noise.yaml': `# ${noise}\n` });
    const { failure } = await bench.sync();
    assert.equal(failure?.reason, 'TooLarge');
    assert.match(failure?.message ?? '', /too large: more than 1 MiB/);
  });

  it('cannot have sops ask servers or run programs', async () => {
    await bench.declare({ url: repository.bare, branch: 'main', decryption: { ageKey: 'age' } });
    repository.commit({
      'a.yaml': `${appText('a')}sops:\n  mac: ENC[x]\n  hc_vault: [{ vault_address: "http://169.254.169.254/", enc: x }]\n  pgp: [{ fp: ABC }]\n`,
    });
    assert.match(
      (await bench.sync()).failure?.message ?? '',
      /It is encrypted for hc_vault, pgp; only keys of age are used here/,
    );
  });

  it('that never answers is given up', async () => {
    const run = join(repository.folder, 'slow-git');
    const pids = join(repository.folder, 'pids');
    writeFileSync(run, `#!/bin/sh\n[ "$1" = fetch ] || exec git "$@"\nsleep 1000 &\necho $$ $! > ${pids}\nwait\n`);
    chmodSync(run, 0o755);
    await bench.close();
    bench = await SourceBench.make({ url: repository.bare, branch: 'main', timeout: '1s' }, { git: run });
    const { failure } = await bench.sync();
    assert.equal(failure?.reason, 'TimedOut');
    const left = (): readonly number[] =>
      readFileSync(pids, 'utf8')
        .split(/\s+/)
        .map(Number)
        .filter(
          (pid) =>
            pid > 0 && existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
        );
    await until('nothing of it is left', left, ({ length }) => length === 0);
  });
});
