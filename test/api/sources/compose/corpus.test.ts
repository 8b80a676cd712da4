import assert from 'node:assert/strict';
import { convertFile, hasCorpus, loadedFiles } from '../../../setup/compose-corpus.js';

/** Part that has to be taken of the files that Compose loads and that need no build. */
const LEAST = 0.97;

describe('reading files of real projects', function () {
  this.timeout(120_000);
  before(function () {
    if (!hasCorpus()) {
      console.log('      the files of real projects are not here (../shared/corpus/compose)');
      this.skip(); // files of many projects and licences, which this repository does not carry; facts.test.ts runs everywhere
    }
  });

  it('takes most of those that Compose loads and that need no build', async () => {
    const refusals: string[] = [];
    const count = { whole: 0, accepted: 0, build: 0, buildOnly: 0 };
    for (const one of loadedFiles()) {
      const { document, problems } = await convertFile(one);
      for (const { source, message } of problems) {
        assert.ok(source?.line !== undefined, `${one.file}: ${message} has no place`);
      }
      const others = problems.filter(({ message }) => !/has only a build/.test(message));
      const needsBuild = others.length < problems.length;
      count[needsBuild ? 'build' : 'whole'] += 1;
      if (document !== undefined) {
        count.accepted += 1;
        assert.deepEqual(
          (await convertFile(one)).document,
          document,
          `${one.file} comes to something else the second time`,
        );
      } else if (needsBuild && others.length === 0) count.buildOnly += 1;
      refusals.push(
        ...others.map(
          ({ source, path, message }) => `${one.file}:${source?.line}:${source?.column} ${path}: ${message}`,
        ),
      );
    }
    const percent = (part: number, all: number): string => `${part} of ${all} (${((100 * part) / all).toFixed(1)} %)`;
    console.log(`      need no build: ${percent(count.accepted, count.whole)} taken`);
    console.log(`      need a build: ${percent(count.buildOnly, count.build)} refused for nothing else`);
    for (const refusal of refusals) console.log(`        ${refusal}`);
    assert.ok(count.accepted / count.whole >= LEAST);
  });
});
