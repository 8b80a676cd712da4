import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Converted, convertProject } from '../../../../api/sources/compose/convert.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

/** Files of real projects, beside the repository: they have licences of their own, so they are not in it. */
const CORPUS = new URL('../../../../../shared/corpus/compose/', import.meta.url).pathname;

interface Kept {
  readonly file: string;
  /** What Docker Compose's loader said: it `loads`, perhaps with missing files of variables made. */
  readonly composeGo: string;
}

/** Part that has to be taken of the files that Compose loads and that need no build. */
const LEAST = 0.97;

const EXAMPLES = ['.env.example', 'example.env', 'env.example', '.env.sample', '.env.dist', '.env.template'];

/**
 * Reads a project as somebody does who has copied the example to `.env`; files of variables that are missing are empty,
 * and variables without which a file is refused are `1`.
 */
async function convert({ file }: Kept, variables = new Map<string, string>()): Promise<Converted> {
  const folder = join(CORPUS, dirname(file));
  const textOf = (path: string): string | undefined =>
    existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
  const example = EXAMPLES.map((name) => textOf(join(folder, name))).find((text) => text !== undefined);
  const missing = (path: string): string | undefined => {
    if (path === join(folder, '.env')) return example ?? '';
    return /\.ya?ml$/.test(path) || EXAMPLES.includes(basename(path)) ? undefined : '';
  };
  const options = { folder, files: [basename(file)], variables, home: '/root' };
  const readFile = async (path: string) => ({ text: textOf(path) ?? missing(path) });
  const converted = await convertProject({ ...options, readFile }, parseDocument);
  const required = converted.problems.flatMap(({ message }) =>
    [...message.matchAll(/(\w+) is not set/g)].map(([, name = '']) => name),
  );
  if (required.length === 0 || variables.size > 0) return converted;
  return convert({ file, composeGo: '' }, new Map(required.map((name) => [name, '1'])));
}

describe('reading files of real projects', function () {
  this.timeout(120_000);
  before(function () {
    if (!existsSync(join(CORPUS, 'manifest.json'))) {
      console.log('      the files of real projects are not here (../shared/corpus/compose)');
      this.skip(); // files of many projects and licences, which this repository does not carry; facts.test.ts runs everywhere
    }
  });

  it('takes most of those that Compose loads and that need no build', async () => {
    const kept = JSON.parse(readFileSync(join(CORPUS, 'manifest.json'), 'utf8')) as readonly Kept[];
    const loaded = kept.filter(({ composeGo }) => composeGo.startsWith('loads'));
    const refusals: string[] = [];
    const count = { whole: 0, accepted: 0, build: 0, buildOnly: 0 };
    for (const one of loaded) {
      const { document, problems } = await convert(one);
      for (const { source, message } of problems) {
        assert.ok(source?.line !== undefined, `${one.file}: ${message} has no place`);
      }
      const others = problems.filter(({ message }) => !/has only a build/.test(message));
      const needsBuild = others.length < problems.length;
      count[needsBuild ? 'build' : 'whole'] += 1;
      if (document !== undefined) {
        count.accepted += 1;
        assert.deepEqual(
          (await convert(one)).document,
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
