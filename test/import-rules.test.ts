import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What each folder may import besides itself and packages. The first match counts. */
const RULES: readonly { readonly folder: string; readonly may: readonly string[] }[] = [
  { folder: 'crds', may: [] },
  { folder: 'api/store', may: ['crds'] },
  { folder: 'api/sources', may: ['crds', 'api/store'] },
  { folder: 'api/http', may: ['crds', 'api/store'] },
  { folder: 'api/dashboard', may: [] },
  { folder: 'api/cli', may: ['crds'] },
  { folder: 'controllers/runtime', may: ['crds', 'api/store'] },
  { folder: 'controllers/docker', may: ['crds', 'controllers/runtime', 'api/store/logs.ts'] },
  { folder: 'controllers/host', may: ['crds', 'controllers/runtime'] },
  ...['app', 'image', 'network', 'volume', 'service', 'host-config', 'git-source'].map((kind) => ({
    folder: `controllers/${kind}`,
    may: ['crds', 'api/store', 'controllers/runtime', 'controllers/docker', 'controllers/host'],
  })),
];
/** The files that put everything together: `main.ts`, and beside it what it starts. */
const ROOTS = [
  'controllers/main.ts',
  ...['actor-deps', 'actors', 'host', 'parts'].map((name) => `controllers/main/${name}.ts`),
  'controllers/start.ts',
  'controllers/settings.ts',
  'controllers/terminal.ts',
  'controllers/version.ts',
];

const within = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
}

const files = ['crds', 'api', 'controllers'].flatMap(sources);
const ours = (file: string, name: string): string =>
  relative(root, join(root, dirname(file), name)).replace(/\.js$/, '.ts');

describe('the rules of the house', () => {
  it('finds the sources', () => assert.ok(files.length > 20));

  for (const file of files.filter((one) => !ROOTS.includes(one))) {
    const rule = RULES.find(({ folder }) => within(file, folder));
    it(`${file} has a place and imports only what its folder may`, () => {
      assert.ok(rule, `${file} lies outside the layout of the design`);
      const wrong = importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => ours(file, name))
        .filter((target) => ![rule.folder, ...rule.may].some((place) => within(target, place)));
      assert.deepEqual(wrong, []);
    });
  }

  it('dockerode is spoken in controllers/docker only', () => {
    const speakers = files.filter((file) => importsOf(file).some((name) => name === 'dockerode'));
    assert.deepEqual(
      speakers.filter((file) => !within(file, 'controllers/docker')),
      [],
    );
  });

  it('nothing but the roots sees everything', () => {
    const inward = files.filter((file) => !ROOTS.includes(file));
    const wrong = inward.filter((file) =>
      importsOf(file).some((name) => name.startsWith('.') && ROOTS.includes(ours(file, name))),
    );
    assert.deepEqual(wrong, []);
  });
});
