import assert from 'node:assert/strict';
import { CommandProcess } from '../../setup/command.js';
import { appText, TestRepository } from '../../setup/git.js';
import { needPrograms } from '../../setup/programs.js';
import { type MemoryAgent, startMemoryAgent } from '../../simulation/memory-agent.js';

describe('the supercargo command with git sources that an agent looks after', function () {
  this.timeout(180_000);
  let command: CommandProcess;
  let agent: MemoryAgent;
  let repository: TestRepository;
  before(async () => {
    await needPrograms('git');
    command = await CommandProcess.make();
    agent = await startMemoryAgent({ looksAfterGit: true });
    agent.engine.images.serve('busybox:latest', { progress: [50] });
    repository = TestRepository.make();
  });
  after(async () => {
    await agent.close();
    repository.remove();
    command.remove();
  });

  /** Output, errors and exit code, as text. */
  const output = async (...args: readonly string[]): Promise<string> => {
    const { out, err, code } = await command.run(args, { env: { SUPERCARGO_HOST: agent.host } });
    return `${out}${err}exit ${code}`;
  };
  const apps = (): string =>
    agent.store
      .list('App')
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => `${metadata.origin}:${metadata.name}`)
      .sort()
      .join(' ');

  it('waits for what each command has asked for, until it is so or refused', async () => {
    repository.commit({ 'apps/a.yaml': appText('a'), 'apps/b.yaml': appText('b') });
    const adding = command.start(['--json', 'source', 'add', 'none', `${repository.bare}x`], {
      env: { SUPERCARGO_HOST: agent.host },
    });
    await adding.printed(/"type":"progress".*Retrying: git fetch: .*does not appear to be a git repository/);
    adding.child.kill('SIGINT');
    assert.equal((await adding.ended).code, 130);
    assert.equal(await output('source', 'rm', 'none'), 'gitsource/none deleted\nexit 0');
    assert.match(
      await output('source', 'add', 'fleet', repository.bare, '--branch', 'main', '--path', 'apps', '--interval', '1h'),
      /^gitsource\/fleet created\n(.*\n)*gitsource\/fleet ready\nexit 0$/,
    );
    assert.equal(apps(), 'git/fleet:a git/fleet:b');

    repository.commit({ 'apps/c.yaml': appText('c') });
    assert.equal(await output('source', 'sync', 'fleet'), 'gitsource/fleet synced\nexit 0');
    assert.equal(apps(), 'git/fleet:a git/fleet:b git/fleet:c');
    assert.match(await output('confirm', 'fleet'), /^error: gitsource\/fleet: Nothing waits to be confirmed\nexit 1$/);

    repository.commit({ 'apps/a.yaml': undefined, 'apps/b.yaml': undefined });
    assert.match(
      await output('source', 'sync', 'fleet'),
      /^error: gitsource\/fleet: The commit would remove App\/a, App\/b: that is 67 %.*supercargo confirm GitSource\/fleet\nexit 1$/,
    );
    assert.equal(apps(), 'git/fleet:a git/fleet:b git/fleet:c');
    assert.equal(await output('confirm', 'fleet'), 'gitsource/fleet confirmed\nexit 0');
    assert.equal(apps(), 'git/fleet:c');

    assert.equal(await output('source', 'rm', 'fleet'), 'gitsource/fleet deleted\nexit 0');
    assert.deepEqual([apps(), agent.store.list('GitSource').length], ['', 0]);
  });
});
