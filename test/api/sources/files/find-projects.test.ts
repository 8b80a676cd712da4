import assert from 'node:assert/strict';
import { basename, dirname, resolve } from 'node:path';
import { findProjects, isNoCompose, lookOf, namesComposeFiles } from '../../../../api/sources/files/find-projects.js';
import type { SeenFolder } from '../../../../api/sources/files/scan-folders.js';

const COMPOSE = 'services: {web: {image: x}}\n';
const OURS = '# ours\n---\napiVersion: supercargo.io/v1\nkind: App\n';
const OTHER = 'scrape_configs: []\n';

type Texts = Readonly<Record<string, string>>;

/** Returns the watched folder `m` with these texts, as a scan sees it; folders that end with a slash are projects. */
function seen(texts: Texts, projects: readonly string[]): SeenFolder {
  const files = Object.keys(texts)
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .map((name) => ({ file: `m/${name}`, size: 1, stamp: '', changedAtMs: 0 }));
  const namesIn = (folder: string): ReadonlySet<string> =>
    new Set(Object.keys(texts).flatMap((name) => (dirname(name) === folder ? [name.slice(folder.length + 1)] : [])));
  return {
    ...{ folder: 'm', identity: '1:1', files, listed: ['m'], identities: new Map(), failures: [], isTooLarge: false },
    ...{ problems: [], watch: [], projects: new Map(projects.map((one) => [`m/${one}`, namesIn(one)])) },
  };
}

/** Prints what is found: a project with the name and files that it is told, then documents; `!` is one in a project's folder. */
function found(texts: Texts, projects: readonly string[] = []): string {
  const {
    projects: all,
    documents,
    inProjects,
  } = findProjects([seen(texts, projects)], (file) => lookOf(texts[file.slice(2)] ?? ''));
  return [
    ...all.map(
      ({ main, name, files }) => `${main}${name === undefined ? '' : ` "${name}"`}${files ? ` [${files}]` : ''}`,
    ),
    ...documents.map(({ file }) => `doc ${file}${inProjects.has(file) ? ' !' : ''}`),
  ].join(', ');
}

describe('findProjects', () => {
  const cases: readonly [string, string, Texts, string[]?][] = [
    ['takes documents as such', 'doc m/a.yaml, doc m/b.json', { 'a.yaml': OURS, 'b.json': '{}' }],
    ['takes a folder with a Compose file', 'm/shop/compose.yaml', { 'shop/compose.yaml': COMPOSE }, ['shop']],
    [
      'takes the first of several names, and nothing else of the folder',
      'm/shop/compose.yml',
      {
        'shop/docker-compose.yml': COMPOSE,
        'shop/compose.yml': COMPOSE,
        'shop/prometheus.yml': OTHER,
        'shop/more.yaml': COMPOSE,
      },
      ['shop'],
    ],
    [
      'takes a document of ours in such a folder',
      'm/shop/compose.yaml, doc m/shop/app.yaml !',
      { 'shop/compose.yaml': COMPOSE, 'shop/app.yaml': OURS },
      ['shop'],
    ],
    [
      'takes a folder whose .env names the files',
      'm/shop/.env',
      { 'shop/.env': 'COMPOSE_FILE=a.yml', 'shop/a.yml': COMPOSE },
      ['shop'],
    ],
    ['names a file elsewhere after itself', 'm/shop.yaml "shop" [m/shop.yaml]', { 'shop.yaml': COMPOSE }],
    ['wants a name at the top', 'm/compose.yaml ""', { 'compose.yaml': COMPOSE }],
    [
      'takes overrides beside as a part of the project',
      'm/docker-compose.yml "", m/shop.yml "shop" [m/shop.yml,m/shop.override.yaml]',
      {
        'docker-compose.yml': COMPOSE,
        'compose.override.yaml': COMPOSE,
        'shop.yml': COMPOSE,
        'shop.override.yaml': COMPOSE,
      },
    ],
    [
      'takes an override without what it is laid over for a project',
      'm/shop.override.yaml "shop.override" [m/shop.override.yaml]',
      { 'shop.override.yaml': COMPOSE },
    ],
    ['takes no JSON for a Compose file', 'doc m/a.json', { 'a.json': COMPOSE }],
    ['leaves a file of both kinds to documents', 'doc m/a.yaml', { 'a.yaml': `${COMPOSE}---\nkind: App\n` }],
  ];
  for (const [it_, want, texts, projects] of cases) it(it_, () => assert.equal(found(texts, projects), want));
});

describe('a watched folder', () => {
  for (const folder of ['m', './m', 'm/', `../${basename(resolve('.'))}/m`]) {
    it(`is the same however it is written: ${folder.startsWith('..') ? 'through the one above' : folder}`, () => {
      const { projects } = findProjects(
        [{ ...seen({ 'compose.yaml': COMPOSE }, []), folder }],
        lookOf.bind(null, COMPOSE),
      );
      assert.deepEqual(projects, [{ main: 'm/compose.yaml', folder: 'm', name: '' }]);
    });
  }
});

describe('what a text looks like', () => {
  const looks: readonly [string, string][] = [
    [OURS, 'ours'],
    ['\ufeffapiVersion: "supercargo.io/v1"\n', 'ours'],
    ['apiVersion: v1\nkind: Pod\n', 'other'],
    [COMPOSE, 'compose'],
    ['name: x\ninclude: [a.yaml]\n', 'compose'],
    [`${COMPOSE}kind: App\n`, 'other'],
    ['', 'other'],
    [`${' '.repeat(200_000)}x`, 'other'],
    ['\n'.repeat(200_000), 'other'],
  ];
  for (const [text, want] of looks)
    it(`${JSON.stringify(text.slice(0, 40))} is ${want}`, () => assert.equal(lookOf(text), want));

  it('under a Compose name is a Compose file unless it says otherwise', () => {
    for (const text of ['', '# soon', COMPOSE, 'x-a:\n  kind: b\n', 'serv'])
      assert.equal(isNoCompose(text), false, text);
    for (const text of [OURS, 'kind: List\n', ' {"apiVersion": "supercargo.io/v1"}'])
      assert.equal(isNoCompose(text), true, text);
  });

  it('in .env may name Compose files', () => {
    for (const text of ['COMPOSE_FILE=a.yml', 'A=1\n export COMPOSE_FILE: a\n'])
      assert.equal(namesComposeFiles(text), true, text);
    for (const text of ['', 'COMPOSE_FILE=', '#COMPOSE_FILE=a', 'MY_COMPOSE_FILE=a'])
      assert.equal(namesComposeFiles(text), false, text);
  });
});
