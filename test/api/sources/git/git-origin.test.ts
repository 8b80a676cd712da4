import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { appText, TestRepository } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

/** The files of the objects in a repository: packs, and loose ones. */
const objectFiles = (gitDir: string): readonly string[] =>
  readdirSync(join(gitDir, 'objects'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pack$|^[0-9a-f]{2}\/[0-9a-f]{38}$/.test(name))
    .map((name) => join(gitDir, 'objects', name));

describe('a repository', () => {
  let repository: TestRepository;
  let bench: SourceBench;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });
  beforeEach(async () => {
    repository = TestRepository.make();
    bench = await SourceBench.make({ url: repository.bare, branch: 'main' });
  });
  afterEach(async () => {
    await bench.close();
    repository.remove();
  });

  const reasonOf = async (): Promise<string | undefined> => (await bench.sync()).failure?.reason;
  const git = (place: string, ...args: readonly string[]): string =>
    execFileSync('git', ['-C', place, ...args], { encoding: 'utf8' }).trim();
  const cacheOf = (): string => {
    const own = join(bench.folder, 'git');
    const found = readdirSync(own, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.git'));
    assert.ok(found, 'there is a cache');
    return join(own, found);
  };

  it('declares what is in it, and follows', async () => {
    const first = repository.commit({ 'apps/a.yaml': appText('a', 'one'), 'b.yaml': appText('b') }, 'Begin');
    const { failure, applied, seen } = await bench.sync();
    assert.equal(failure, undefined);
    assert.deepEqual(
      { ...applied, time: '' },
      { commit: first, author: 'Ada', subject: 'Begin', time: '', ref: 'branch main' },
    );
    assert.equal(seen?.commit, first);
    assert.equal(bench.declared, 'App/a App/b');
    assert.deepEqual(bench.store.get('App', 'a')?.metadata.source, {
      file: 'git/fleet/apps/a.yaml',
      line: 1,
      column: 1,
      commit: { hash: first, author: 'Ada', subject: 'Begin' },
    });

    const second = repository.commit({ 'apps/a.yaml': appText('a', 'two') }, 'Go on');
    assert.equal(await reasonOf(), undefined);
    assert.equal(bench.command('a'), 'two');
    const brought = (): string | undefined => bench.store.get('App', 'a')?.metadata.source?.commit?.hash;
    assert.equal(brought(), second);

    // A commit that changes something else has not brought it.
    repository.commit({ 'README.md': 'Text' });
    assert.equal(await reasonOf(), undefined);
    assert.equal(brought(), second);
    repository.commit({ 'apps/a.yaml': `# A comment moves it.\n${appText('a', 'two')}` });
    assert.equal(await reasonOf(), undefined);
    const { line, commit } = bench.store.get('App', 'a')?.metadata.source ?? {};
    assert.deepEqual([line, commit?.hash], [2, second]);
    repository.git('revert', '--no-edit', 'HEAD');
    repository.push();
    assert.equal(await reasonOf(), undefined);

    repository.git('revert', '--no-edit', second);
    repository.push();
    assert.equal(await reasonOf(), undefined);
    assert.equal(bench.command('a'), 'one');
  });

  it('changes nothing when nothing has changed', async () => {
    repository.commit({ 'a.yaml': appText('a') });
    await bench.sync();
    const version = bench.store.get('App', 'a')?.metadata.resourceVersion;
    const { failure, accepted } = await bench.sync();
    assert.deepEqual([failure, accepted], [undefined, undefined]);
    await bench.restart();
    const again = await bench.sync();
    assert.deepEqual(again.accepted, { created: [], changed: [], deleted: [], refused: [] });
    assert.ok(version);
  });

  it('follows the branch that the repository calls HEAD when none is named', async () => {
    await bench.declare({ url: repository.bare });
    repository.commit({ 'a.yaml': appText('a') });
    assert.equal((await bench.sync()).applied?.ref, 'HEAD');
  });

  it('is read below its paths only, by its globs', async () => {
    repository.commit({
      'apps/a.yaml': appText('a'),
      'apps/deep/b.yml': appText('b'),
      'apps/drafts/c.yaml': appText('c'),
      'apps/x.test.yaml': appText('x'),
      'other/d.yaml': appText('d'),
      'one.yaml': appText('one'),
      'apps/.hidden/e.yaml': appText('e'),
      'apps/README.md': 'not: [a document',
    });
    await bench.declare({
      url: repository.bare,
      paths: ['apps/', './one.yaml'],
      exclude: ['apps/drafts/**', '*.test.yaml'],
    });
    assert.equal(await reasonOf(), undefined);
    assert.equal(bench.declared, 'App/a App/b App/one');
    await bench.declare({
      url: repository.bare,
      path: 'apps',
      include: ['deep/**', 'apps/deep/*'],
      prune: { maxPercent: 100 },
    });
    assert.equal(await reasonOf(), undefined);
    assert.equal(bench.declared, 'App/b');
  });

  describe('whose documents are bad', () => {
    const broken =
      'apiVersion: supercargo.io/v1\nkind: App\nmetadata: { name: b }\nspec: { services: { web: { imag: x } } }\n';

    it('is held back whole, and says file and line', async () => {
      const good = repository.commit({ 'a.yaml': appText('a', 'one') });
      await bench.sync();
      repository.commit({ 'a.yaml': appText('a', 'two'), 'b.yaml': broken });
      const { failure, applied } = await bench.sync();
      assert.equal(failure?.reason, 'InvalidDocuments');
      assert.equal(failure?.final, true);
      assert.match(failure?.message ?? '', /^git\/fleet\/b\.yaml:4:\d+ spec\.services\.web/);
      assert.equal(applied, undefined);
      assert.equal(bench.source.status?.applied?.commit, good);
      assert.equal(bench.command('a'), 'one');
      assert.match(
        bench.store
          .problems()
          .map(({ source }) => source?.file)
          .join(),
        /git\/fleet\/b\.yaml/,
      );

      repository.commit({ 'b.yaml': undefined });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), 'two');
      assert.deepEqual(bench.store.problems(), []);
    });

    it('is taken but for those when it is not atomic', async () => {
      await bench.declare({ url: repository.bare, atomic: false });
      repository.commit({ 'a.yaml': appText('a', 'one'), 'b.yaml': appText('b', 'one') });
      await bench.sync();
      const second = repository.commit({ 'a.yaml': appText('a', 'two'), 'b.yaml': broken });
      const { failure, applied } = await bench.sync();
      assert.equal(failure?.reason, 'InvalidDocuments');
      assert.equal(applied?.commit, second);
      assert.deepEqual([bench.command('a'), bench.command('b')], ['two', 'one']);
      assert.deepEqual((await bench.sync()).failure?.reason, 'InvalidDocuments');
    });

    it('is held back whole when a name belongs to somebody else, until it is free', async () => {
      await bench.store.propose({
        origin: 'files',
        documents: [
          { document: { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'mine' }, spec: {} } },
        ],
      });
      repository.commit({ 'a.yaml': appText('a'), 'b.yaml': appText('mine') });
      const { failure } = await bench.sync();
      assert.deepEqual([failure?.reason, failure?.final], ['Refused', false]);
      assert.match(failure?.message ?? '', /App\/mine belongs to files/);
      assert.equal(bench.declared, '');
    });

    it('cannot declare sources', async () => {
      repository.commit({
        'a.yaml': 'apiVersion: supercargo.io/v1\nkind: GitSource\nmetadata: { name: evil }\nspec: { url: /etc }\n',
      });
      assert.match((await bench.sync()).failure?.message ?? '', /A repository cannot declare a GitSource/);
    });
  });

  describe('whose history goes back', () => {
    let second: string;
    beforeEach(async () => {
      repository.commit({ 'a.yaml': appText('a', 'one') });
      second = repository.commit({ 'a.yaml': appText('a', 'two') });
      await bench.sync();
    });

    it('is not followed, unless that is allowed', async () => {
      repository.git('reset', '--quiet', '--hard', 'HEAD~1');
      repository.push('--force');
      const { failure } = await bench.sync();
      assert.deepEqual([failure?.reason, failure?.final], ['HistoryRewound', true]);
      assert.equal(bench.command('a'), 'two');
      await bench.declare({ url: repository.bare, branch: 'main', allowRewind: true });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), 'one');
    });

    it('takes back what was said of a commit that it does not have any more', async () => {
      repository.commit({ 'a.yaml': 'kind: [' });
      assert.equal(await reasonOf(), 'InvalidDocuments');
      assert.equal(bench.store.problems().length, 1);
      repository.git('reset', '--quiet', '--hard', 'HEAD~2');
      repository.push('--force');
      assert.equal(await reasonOf(), 'HistoryRewound');
      assert.deepEqual(bench.store.problems(), []);
    });

    it('is not followed when it is rewritten', async () => {
      repository.write({ 'a.yaml': appText('a', 'other') });
      repository.git('commit', '--quiet', '--all', '--amend', '-m', 'another');
      repository.push('--force');
      assert.equal(await reasonOf(), 'HistoryRewound');
      assert.equal(bench.source.status?.applied?.commit, second);
    });

    it('is not followed either by a device that has lost its cache', async () => {
      rmSync(join(bench.folder, 'git'), { recursive: true });
      await bench.restart();
      repository.git('reset', '--quiet', '--hard', 'HEAD~1');
      repository.push('--force');
      assert.equal(await reasonOf(), 'HistoryRewound');
    });

    it('is followed over more commits than come along at once', async () => {
      for (let count = 0; count < 60; count += 1)
        repository.git('commit', '--quiet', '--allow-empty', '-m', `${count}`);
      repository.commit({ 'a.yaml': appText('a', 'much later') });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), 'much later');
    });

    it('may go anywhere when the source follows something else', async () => {
      repository.git('branch', 'old', 'HEAD~1');
      repository.git('push', '--quiet', 'origin', 'old');
      await bench.declare({ url: repository.bare, branch: 'old' });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), 'one');
    });

    it('or vanishes with its branch: what was in force stays', async () => {
      repository.git('branch', 'other');
      repository.git('push', '--quiet', 'origin', 'other');
      repository.inBare('symbolic-ref', 'HEAD', 'refs/heads/other');
      repository.git('push', '--quiet', 'origin', ':main');
      const { failure } = await bench.sync();
      assert.equal(failure?.reason, 'RefNotFound');
      assert.equal(failure?.message, 'The repository has no branch main');
      assert.equal(bench.command('a'), 'two');
    });
  });

  describe('by tag and version', () => {
    const release = (tag: string, command: string): string => {
      const commit = repository.commit({ 'a.yaml': appText('a', command) }, tag);
      repository.git('tag', '-a', '-m', tag, tag);
      repository.git('push', '--quiet', 'origin', tag);
      return commit;
    };

    it('takes a tag, and does not follow one that is moved back', async () => {
      release('v1', 'one');
      const later = release('v2', 'two');
      await bench.declare({ url: repository.bare, tag: 'v2' });
      const { applied } = await bench.sync();
      assert.deepEqual([applied?.commit, applied?.ref], [later, 'tag v2']);
      repository.git('tag', '-f', '-a', '-m', 'moved', 'v2', 'v1');
      repository.git('push', '--quiet', '--force', 'origin', 'v2');
      assert.equal(await reasonOf(), 'HistoryRewound');
      assert.equal(bench.command('a'), 'two');
    });

    it('refuses a tag on a tree or a file by its name', async () => {
      release('v1', 'one');
      for (const [tag, object] of [
        ['tree', 'HEAD^{tree}'],
        ['file', 'HEAD:a.yaml'],
      ] as const) {
        repository.git('tag', '-a', '-m', tag, tag, object);
        repository.git('push', '--quiet', 'origin', tag);
        await bench.declare({ url: repository.bare, tag });
        const { failure } = await bench.sync();
        assert.deepEqual(
          [failure?.reason, failure?.message],
          ['NotACommit', `The tag ${tag} names a tree or a file, not a commit: tag a commit`],
        );
      }
    });

    it('takes the highest version of a range, and no lower one later', async () => {
      release('v1.2.0', '1.2.0');
      release('v1.10.0', '1.10.0');
      release('v2.0.0', '2.0.0');
      release('v1.11.0-rc.1', 'rc');
      release('nightly', 'nightly');
      await bench.declare({ url: repository.bare, semver: '^1.0' });
      const { applied } = await bench.sync();
      assert.deepEqual([applied?.ref, bench.command('a')], ['v1.10.0 of ^1.0', '1.10.0']);
      repository.git('push', '--quiet', 'origin', ':v1.10.0');
      const { failure } = await bench.sync();
      assert.equal(
        failure?.message,
        'v1.2.0 of ^1.0 is older than 1.10.0, which was applied; set spec.allowRewind to go back',
      );
      release('v1.12.0', '1.12.0');
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), '1.12.0');
    });

    it('says when no tag is in the range, or the range is none', async () => {
      release('v1.0.0', 'one');
      await bench.declare({ url: repository.bare, semver: '^3' });
      assert.match((await bench.sync()).failure?.message ?? '', /None of the 1 tags that are versions is in \^3/);
      await bench.declare({ url: repository.bare, semver: 'newest' });
      assert.equal((await bench.sync()).failure?.reason, 'InvalidSpec');
    });

    it('takes a fixed commit', async () => {
      const first = repository.commit({ 'a.yaml': appText('a', 'one') });
      repository.commit({ 'a.yaml': appText('a', 'two') });
      await bench.declare({ url: repository.bare, commit: first });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), 'one');
    });
  });

  describe('that removes much', () => {
    beforeEach(async () => {
      repository.commit(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`apps/${name}.yaml`, appText(name)])));
      await bench.declare({ url: repository.bare, path: 'apps' });
      await bench.sync();
    });

    it('may remove half', async () => {
      repository.commit({ 'apps/a.yaml': undefined, 'apps/b.yaml': undefined });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.declared, 'App/c App/d');
    });

    it('is held until what it removes is confirmed', async () => {
      const commit = repository.commit({
        'apps/a.yaml': undefined,
        'apps/b.yaml': undefined,
        'apps/c.yaml': undefined,
      });
      const { failure, held } = await bench.sync();
      assert.equal(failure?.reason, 'PruneHeld');
      assert.match(
        failure?.message ?? '',
        /would remove App\/a, App\/b, App\/c: that is 75 % .* supercargo confirm GitSource\/fleet$/,
      );
      assert.deepEqual(held, { commit, removes: ['App/a', 'App/b', 'App/c'] });
      assert.equal(bench.declared, 'App/a App/b App/c App/d');

      repository.commit({ 'apps/d.yaml': undefined, 'apps/e.yaml': appText('e') });
      assert.equal((await bench.sync(held?.removes)).failure?.reason, 'PruneHeld');
      const now = bench.source.status?.held?.removes ?? [];
      assert.deepEqual(now, ['App/a', 'App/b', 'App/c', 'App/d']);
      assert.equal((await bench.sync(now)).failure, undefined);
      assert.equal(bench.declared, 'App/e');
      assert.equal(bench.source.status?.held, undefined);
    });

    it('is held when its path has vanished or is empty', async () => {
      await bench.declare({ url: repository.bare, path: 'apps', prune: { maxPercent: 100 } });
      repository.commit({ apps: undefined });
      assert.match((await bench.sync()).failure?.message ?? '', /its path apps has vanished/);
      repository.commit({ 'apps/README.md': '' });
      assert.match((await bench.sync()).failure?.message ?? '', /it declares nothing any more/);
      assert.equal(bench.declared, 'App/a App/b App/c App/d');
    });

    it('keeps what says so, and everything when nothing is pruned', async () => {
      const kept = appText('a').replace('{ name: a }', '{ name: a, annotations: { supercargo.io/prune: disabled } }');
      repository.commit({ 'apps/a.yaml': kept });
      await bench.sync();
      repository.commit({ 'apps/a.yaml': undefined, 'apps/b.yaml': undefined });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.declared, 'App/a App/c App/d');
      await bench.declare({ url: repository.bare, path: 'apps', prune: { enabled: false } });
      repository.commit({ 'apps/c.yaml': undefined, 'apps/d.yaml': undefined, 'apps/e.yaml': appText('e') });
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.declared, 'App/a App/c App/d App/e');
    });

    it('leaves nothing behind when the source goes, but what says so', async () => {
      await bench.origins.remove(bench.source);
      assert.equal(bench.declared, '');
      assert.equal(existsSync(join(bench.folder, 'git', 'home')), true);
      assert.throws(cacheOf);
    });

    it('leaves all of it when the source says so', async () => {
      await bench.declare({ url: repository.bare, path: 'apps', prune: { onRemoval: 'Keep' } });
      await bench.origins.remove(bench.source);
      assert.equal(bench.declared, 'App/a App/b App/c App/d');
    });

    it('says a path that was never there', async () => {
      await bench.store.propose({ origin: 'git/fleet', documents: [] });
      await bench.declare({ url: repository.bare, path: 'nowhere' });
      assert.equal((await bench.sync()).failure?.reason, 'PathNotFound');
    });
  });

  describe('that cannot be reached', () => {
    beforeEach(async () => {
      repository.commit({ 'a.yaml': appText('a', 'hello ${device.name}') });
      await bench.sync();
      renameSync(repository.bare, `${repository.bare}.away`);
    });

    it('is a transient failure, and what was in force stays', async () => {
      const { failure } = await bench.sync();
      assert.deepEqual([failure?.reason, failure?.final], ['RepositoryNotFound', false]);
      assert.equal(bench.command('a'), 'hello kitchen');
    });

    it('is read from the cache when the device has lost its documents', async () => {
      await bench.store.close();
      rmSync(join(bench.folder, 'documents'), { recursive: true });
      rmSync(join(bench.folder, 'status'), { recursive: true });
      await bench.restart();
      await bench.declare({ url: repository.bare, branch: 'main' });
      assert.equal(bench.declared, '');
      const { failure } = await bench.sync();
      assert.equal(failure?.reason, 'RepositoryNotFound');
      assert.equal(bench.command('a'), 'hello kitchen');
    });

    it('does not bring an older commit back when the agent was killed just after it took a newer one', async () => {
      renameSync(`${repository.bare}.away`, repository.bare);
      const older = git(cacheOf(), 'rev-parse', 'refs/supercargo/applied');
      repository.commit({ 'a.yaml': appText('a', 'newer') });
      let during = '';
      const propose = bench.store.propose.bind(bench.store);
      bench.store.propose = async (proposal) => {
        const accepted = await propose(proposal);
        during = git(cacheOf(), 'rev-parse', 'refs/supercargo/taking');
        return accepted;
      };
      const before = bench.source.status;
      await bench.sync();
      assert.equal(bench.command('a'), 'newer');
      assert.equal(git(cacheOf(), 'for-each-ref', 'refs/supercargo/taking'), '', 'known again');

      // What a kill between the two leaves behind.
      git(cacheOf(), 'update-ref', 'refs/supercargo/applied', older);
      git(cacheOf(), 'update-ref', 'refs/supercargo/taking', during);
      renameSync(repository.bare, `${repository.bare}.away`);
      await bench.restart();
      bench.store.setStatus(bench.source, before ?? {});
      assert.equal((await bench.sync()).failure?.reason, 'RepositoryNotFound');
      assert.equal(bench.command('a'), 'newer');
    });

    it('is filled in again from the cache when the device has another name', async () => {
      bench.device = { ...bench.device, name: 'shed' };
      await bench.sync();
      assert.equal(bench.command('a'), 'hello shed');
    });
  });

  describe('with something broken', () => {
    beforeEach(async () => {
      repository.commit({ 'a.yaml': appText('a', 'one') });
      await bench.sync();
    });

    it('in the cache: it is made again', async () => {
      for (const file of objectFiles(cacheOf())) writeFileSync(file, 'rubbish');
      await bench.restart();
      assert.equal(await reasonOf(), undefined);
      repository.commit({ 'a.yaml': appText('a', 'two') });
      for (const file of objectFiles(cacheOf())) writeFileSync(file, '');
      assert.equal(await reasonOf(), undefined);
      assert.equal(bench.command('a'), 'two');
    });

    it('by a process that was killed: its locks and half a pack are cleared away', async () => {
      const cache = cacheOf();
      for (const name of ['shallow.lock', 'config.lock', 'refs/supercargo/candidate.lock', 'objects/pack/tmp_pack_x']) {
        writeFileSync(join(cache, name), '');
      }
      repository.commit({ 'a.yaml': appText('a', 'two') });
      assert.equal(await reasonOf(), undefined);
      assert.equal(existsSync(join(cache, 'objects/pack/tmp_pack_x')), false);
    });

    it('on the server: the cache and what is in force stay', async () => {
      repository.commit({ 'a.yaml': appText('a', 'two') });
      const blob = repository.git('rev-parse', 'HEAD:a.yaml').trim();
      repository.inBare('repack', '-a', '-d', '--quiet');
      for (const file of objectFiles(repository.bare)) {
        rmSync(file);
        writeFileSync(file, 'rubbish');
      }
      assert.ok(blob);
      assert.ok(await reasonOf());
      assert.equal(bench.command('a'), 'one');
      assert.ok(existsSync(cacheOf()));
    });
  });

  it('with 500 documents is taken in one go', async function () {
    this.timeout(180_000);
    const names = Array.from({ length: 500 }, (_, at) => `app${at}`);
    repository.commit(Object.fromEntries(names.map((name) => [`apps/${name}.yaml`, appText(name)])));
    const began = Date.now();
    assert.equal(await reasonOf(), undefined);
    const tookMs = Date.now() - began;
    assert.equal(bench.store.list('App').length, 500);
    assert.ok(tookMs < 60_000, `${tookMs} ms`);
    repository.commit({ 'apps/app7.yaml': appText('app7', 'two') });
    const { accepted } = await bench.sync();
    assert.deepEqual(accepted, { created: [], changed: ['App/app7'], deleted: [], refused: [] });
  });

  it('that fits on the disk no longer is a transient failure, and what was in force stays', async function () {
    repository.commit({ 'a.yaml': appText('a', 'one') });
    await bench.sync();
    const place = join(bench.folder, 'git');
    rmSync(place, { recursive: true });
    mkdirSync(place);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', place], { stdio: 'ignore' });
    } catch {
      return this.skip(); // mounting a tmpfs takes root, which CI is: there it runs
    }
    try {
      repository.commit({ 'a.yaml': appText('a', 'two'), 'b.yaml': `# ${randomBytes(400_000).toString('base64')}\n` });
      const { failure } = await bench.sync();
      assert.equal(failure?.reason, 'DiskFull');
      assert.equal(failure?.final, false);
      assert.equal(bench.command('a'), 'one');
    } finally {
      execFileSync('umount', [place]);
    }
    repository.commit({ 'b.yaml': undefined });
    assert.equal(await reasonOf(), undefined);
    assert.equal(bench.command('a'), 'two');
    return undefined;
  });

  it('needs git on the device, and says so', async () => {
    await bench.close();
    bench = await SourceBench.make({ url: repository.bare }, { git: '/nowhere/git' });
    const { failure } = await bench.sync();
    assert.deepEqual([failure?.reason, failure?.final], ['GitMissing', true]);
    assert.match(failure?.message ?? '', /not installed/);
  });
});
