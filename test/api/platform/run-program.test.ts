import assert from 'node:assert/strict';
import { runCommand, runProgram } from '../../../api/platform/run-program.js';

const PATH = process.env.PATH ?? '/usr/bin:/bin';
const shell = (script: string) => ({ args: ['-c', script], env: { PATH }, timeoutMs: 20_000, limitBytes: 1_000_000 });

describe('runProgram', () => {
  it('gives what a program prints, and how it ended', async () => {
    const { code, stdout, stderr, ended } = await runProgram('sh', shell('echo out; echo err >&2; exit 3'));
    assert.deepEqual([code, stdout.toString(), stderr, ended], [3, 'out\n', 'err\n', undefined]);
  });

  it('hands it the input, and nothing of our environment', async () => {
    const call = shell('cat; echo "$HOME$ONLY"');
    const { stdout } = await runProgram('sh', { ...call, env: { PATH, ONLY: 'this' }, input: 'in ' });
    assert.equal(stdout.toString(), 'in this\n');
  });

  it('ends it, with what it has started, when it takes too long', async () => {
    const { code, ended } = await runProgram('sh', { ...shell('sleep 60 & wait'), timeoutMs: 50 });
    assert.deepEqual([code, ended], [null, 'timeout']);
  });

  it('ends it when it prints too much', async () => {
    const { ended, stdout } = await runProgram('sh', { ...shell('yes'), limitBytes: 100_000 });
    assert.equal(ended, 'limit');
    assert.ok(stdout.length <= 100_000);
  });

  it('ends it when its caller gives up, and starts none for who has', async () => {
    const giver = new AbortController();
    const running = runProgram('sh', { ...shell('sleep 60 & wait'), signal: giver.signal });
    giver.abort(new Error('no longer wanted'));
    await assert.rejects(running, /no longer wanted/);
    await assert.rejects(runProgram('no-such-program', { ...shell(''), signal: giver.signal }), /no longer wanted/);
  });

  it('says when there is no such program', async () => {
    await assert.rejects(runProgram('no-such-program', shell('')), { name: 'ProgramMissing' });
  });
});

describe('runCommand', () => {
  const env = { PATH, SUPERCARGO_API_KEY: 'secret', LANG: 'C' };

  it('shows the program no setting of ours', async () => {
    const { ok, stdout } = await runCommand('sh', ['-c', 'echo "$LANG$SUPERCARGO_API_KEY"'], { env });
    assert.deepEqual([ok, stdout], [true, 'C\n']);
  });

  it('does not let it wait for an input that nobody gives', async () => {
    assert.equal((await runCommand('cat', [], { env })).ok, true);
  });

  it('says how it did not end well', async () => {
    const failed = await runCommand('sh', ['-c', 'echo said; echo why >&2; exit 2'], { env });
    assert.deepEqual(failed, { ok: false, stdout: 'said\n', output: 'said\nwhy\nsh ended with 2' });
    const late = await runCommand('sh', ['-c', 'sleep 60'], { env, timeoutMs: 50 });
    assert.deepEqual(late, { ok: false, stdout: '', output: 'sh has not ended within 0.05 s' });
    const killed = await runCommand('sh', ['-c', 'kill -9 $$'], { env });
    assert.equal(killed.output, 'sh was ended by a signal');
  });

  it('says that there is no such program', async () => {
    const missing = await runCommand('no-such-program', [], { env });
    assert.deepEqual(missing, { ok: false, stdout: '', output: 'There is no program no-such-program' });
  });

  it('rejects when its caller gives up', async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await assert.rejects(runCommand('no-such-program', [], { env, signal }), /no longer wanted/);
  });
});
