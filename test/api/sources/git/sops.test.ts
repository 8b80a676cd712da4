import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encryptedTexts, redact } from '../../../../api/sources/git/sops.js';
import { TestRepository } from '../../../setup/git.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

const ENCRYPTED = `apiVersion: supercargo.io/v1
kind: App
metadata: { name: a }
spec:
  services:
    web:
      image: busybox:latest
      environment: { PASSWORD: "ENC[AES256_GCM,data:x]" }
sops:
  age: [{ recipient: age1x, enc: y }]
  mac: ENC[AES256_GCM,data:z]
  version: 3.9.0
`;

describe('documents that SOPS encrypted', () => {
  let repository: TestRepository;
  let bench: SourceBench;

  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });
  beforeEach(async () => {
    repository = TestRepository.make();
    repository.commit({ 'a.yaml': ENCRYPTED });
  });
  afterEach(async () => {
    await bench.close();
    repository.remove();
  });

  /** A program called sops that does the same with the file as the real one does, as seen from outside. */
  const withSops = async (plain: string | undefined): Promise<void> => {
    const program = join(repository.folder, 'sops');
    const output = join(repository.folder, 'plain');
    writeFileSync(output, plain ?? '');
    writeFileSync(
      program,
      `#!/bin/sh\nenv > ${repository.folder}/env\necho "$@" > ${repository.folder}/args\ncat > ${repository.folder}/input\n` +
        `${plain === undefined ? 'echo secret-detail >&2; exit 128' : `cat ${output}`}\n`,
    );
    chmodSync(program, 0o755);
    bench = await SourceBench.make(
      { url: repository.bare, decryption: { ageKey: 'age' } },
      { env: { PATH: `${repository.folder}:${process.env.PATH}`, SUPERCARGO_API_KEY: 'k' } },
    );
    bench.secret('age', 'AGE-SECRET-KEY-1');
  };

  it('are decrypted in memory, with the key of the source and nothing else of ours', async () => {
    await withSops(ENCRYPTED.replace('ENC[AES256_GCM,data:x]', 'hunter2'));
    assert.equal((await bench.sync()).failure, undefined);
    assert.deepEqual(bench.store.get('App', 'a')?.spec.services?.web?.environment, { PASSWORD: 'hunter2' });
    const seen = (name: string): string => readFileSync(join(repository.folder, name), 'utf8');
    assert.equal(seen('input'), ENCRYPTED);
    assert.equal(seen('args').trim(), '--decrypt --input-type yaml --output-type yaml /dev/stdin');
    assert.match(seen('env'), new RegExp(`SOPS_AGE_KEY_FILE=${join(bench.folder, 'secrets/age')}`));
    assert.doesNotMatch(seen('env'), /SUPERCARGO_API_KEY/);
    assert.equal(existsSync(join(bench.folder, 'git', 'home', 'plain')), false);
  });

  it('are not shown when they are wrong', async () => {
    await withSops(ENCRYPTED.replace('environment: { PASSWORD: "ENC[AES256_GCM,data:x]" }', 'restart: hunter2'));
    repository.commit({
      'a.yaml': ENCRYPTED.replace('environment: { PASSWORD: "ENC[AES256_GCM,data:x]" }', 'restart: "ENC[x]"'),
    });
    const { failure } = await bench.sync();
    assert.equal(failure?.reason, 'InvalidDocuments');
    assert.match(failure?.message ?? '', /^git\/fleet\/a\.yaml spec\.services\.web\.restart: .*\(secret\)/);
    assert.doesNotMatch(JSON.stringify([failure, bench.store.problems(), bench.lines]), /hunter2/);
  });

  it('say when their key is another one', async () => {
    await withSops(undefined);
    const { failure } = await bench.sync();
    assert.match(failure?.message ?? '', /sops cannot decrypt it with the key age/);
    assert.doesNotMatch(failure?.message ?? '', /secret-detail/);
    writeFileSync(join(repository.folder, 'plain'), ENCRYPTED);
    writeFileSync(join(repository.folder, 'sops'), `#!/bin/sh\ncat ${repository.folder}/plain\n`);
    assert.equal((await bench.sync()).failure, undefined, 'it is tried again: the key may be another by now');
  });

  it('say when no key is named, and when sops is not installed', async () => {
    bench = await SourceBench.make({ url: repository.bare }, { env: { PATH: process.env.PATH } });
    assert.match((await bench.sync()).failure?.message ?? '', /the source names no key: set spec\.decryption\.ageKey/);
    await bench.declare({ url: repository.bare, decryption: { ageKey: 'age' } });
    bench.secret('age', 'x');
    assert.match((await bench.sync()).failure?.message ?? '', /the program sops is not installed|sops cannot decrypt/);
  });
});

describe('redact', () => {
  it('takes out secrets, also where they were cut short', () => {
    const long = 'x'.repeat(60);
    assert.equal(
      redact(`found "hunter2" and "${long.slice(0, 40)}…"`, ['hunter2', long]),
      'found "(secret)" and "(secret)…"',
    );
    assert.equal(redact('a b', ['a', '']), 'a b');
  });
  it('knows what was encrypted by where it stands', () => {
    const encrypted = { a: 'ENC[1]', b: ['ENC[2]', 'plain'], c: { d: 'ENC[3]' } };
    assert.deepEqual(encryptedTexts(encrypted, { a: 'x', b: ['y', 'plain'], c: { d: 4 } }), ['x', 'y', '4']);
  });
});
