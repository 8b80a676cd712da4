import assert from 'node:assert/strict';
import { timeoutSignal } from '../../../../api/platform/time-limit.js';
import { appText, TestRepository } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

describe('the status branch', () => {
  let repository: TestRepository;
  const benches: SourceBench[] = [];

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });
  beforeEach(() => {
    repository = TestRepository.make();
    repository.commit({ 'a.yaml': appText('a') });
  });
  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.close();
    repository.remove();
  });

  const device = async (name: string, uuid: string): Promise<SourceBench> => {
    const bench = await SourceBench.make({ url: repository.bare, branch: 'main', statusBranch: 'status' });
    bench.device = { ...bench.device, name, uuid };
    benches.push(bench);
    await bench.sync();
    return bench;
  };
  const push = (bench: SourceBench, text: string): Promise<string | undefined> =>
    bench.origins.pushStatus(bench.source, text, timeoutSignal(120_000));
  const files = (): string => repository.inBare('ls-tree', '-r', '--name-only', 'status').trim();

  it('has a file of each device, pushed only when it has changed', async () => {
    const a = await device('kitchen', 'a'.repeat(32));
    const commit = await push(a, 'one\n');
    assert.equal(repository.inBare('rev-parse', 'status').trim(), commit);
    assert.equal(repository.inBare('show', `status:devices/${'a'.repeat(32)}.yaml`), 'one\n');
    assert.equal(await push(a, 'one\n'), undefined);
    await push(a, 'two\n');
    assert.equal(repository.inBare('rev-list', '--count', 'status').trim(), '2');
    assert.equal(repository.inBare('log', '-1', '--format=%an', 'status').trim(), 'kitchen');
    const b = await device('hall', 'b'.repeat(32));
    await push(b, 'three\n');
    assert.equal(files(), `devices/${'a'.repeat(32)}.yaml\ndevices/${'b'.repeat(32)}.yaml`);
  });

  it('takes what several devices push at the same time', async function () {
    this.timeout(180_000);
    const all = [];
    for (const letter of ['a', 'b', 'c']) all.push(await device(letter, letter.repeat(32)));
    await Promise.all(all.map((bench) => push(bench, `${bench.device.name}\n`)));
    assert.equal(files().split('\n').length, 3);
  });

  it('says when it may not be pushed', async () => {
    const a = await device('kitchen', 'a'.repeat(32));
    repository.inBare('config', 'receive.denyNonFastForwards', 'true');
    repository.inBare('config', 'transfer.hideRefs', 'refs/heads/status');
    await assert.rejects(push(a, 'one\n'), /could not be pushed to status|git push/);
    assert.equal(a.declared, 'App/a');
  });
});
