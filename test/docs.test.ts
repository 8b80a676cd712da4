import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LAYERS } from '../.dependency-cruiser.mjs';
import { defineProgram } from '../api/cli/program.js';
import { USAGE } from '../controllers/agent/settings.js';
import { AGENT_VERSION } from '../controllers/agent/version.js';
import { KINDS } from '../crds/model/kinds.js';
import { deviations } from './controllers/service/deviations.js';
import { codeBlocks } from './setup/code-blocks.js';
import { alike } from './setup/transcript.js';

const page = (name: string): string => readFileSync(new URL(`../docs/reference/${name}.md`, import.meta.url), 'utf8');
const cell = (text: string): string => text.replaceAll('|', '\\|');

const root = fileURLToPath(new URL('..', import.meta.url));
const SKIPPED = new Set(['node_modules', '.git', 'dist', '.data', '.bench']);

/** Every Markdown file of the repository, as a path below its root. */
function documents(folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return documents(path);
      return entry.name.endsWith('.md') ? [relative(root, path)] : [];
    });
}

/** The anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

describe('the documents', () => {
  it('finds them', () => assert.ok(documents().length > 10));

  it('README.md is at most 10 KB', () => {
    assert.ok(readFileSync(join(root, 'README.md')).length <= 10_240);
  });

  for (const file of documents()) {
    it(`every link of ${file} leads to a file and a heading that exist`, () => {
      const text = readFileSync(join(root, file), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
      const broken = links
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#');
          const to = path === '' ? file : join(dirname(file), path);
          if (!existsSync(join(root, to))) return true;
          return anchor !== undefined && !anchorsOf(to).includes(anchor);
        });
      assert.deepEqual(broken, []);
    });
  }
});

const TREE = ['api', 'controllers', 'crds', 'docs', 'examples', 'manifests', 'scripts', 'test'] as const;
/** Section numbers are cited with this sign, escaped here so that this file cites nothing. */
const SIGN = '\u00a7';
const PAGE = /docs\/[\w/-]+\.md/;
/** A page and the numbers of its sections: `page.md`, then one or more numbers, each with the sign. */
const CITATION = new RegExp(`(${PAGE.source})((?:,? (?:and |to )?${SIGN}\\d+(?:\\.\\d+)*)+)`, 'g');

/** Every text file of the folders that make up the product, as a path below the root, and the documents beside them. */
function sources(): string[] {
  const below = TREE.flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs|js|yaml|sh|md)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  return [...new Set([...below, ...documents()])];
}

/** What a file says, with the line breaks of comments taken out: a page and its section may stand on two lines. */
const flowing = (text: string): string => text.replaceAll(/\n\s*(?:\*|\/\/|#)?[ \t]*/g, ' ');

/** The numbers at the beginnings of a page's headings. */
const sectionsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number = '']) => number);

/** What a text cites and nobody finds. */
function dangling(text: string): string[] {
  const output = flowing(text);
  const pages = [...output.matchAll(new RegExp(PAGE, 'g'))].map(([page]) => page);
  const sections = [...output.matchAll(CITATION)].flatMap(([, page = '', numbers = '']) =>
    existsSync(join(root, page))
      ? [...numbers.matchAll(/\d+(?:\.\d+)*/g)]
          .filter(([number]) => !sectionsOf(page).includes(number))
          .map(([number]) => `${page} has no section ${number}`)
      : [],
  );
  const bare = [...output.replaceAll(CITATION, '').matchAll(new RegExp(`.{0,30}${SIGN}.{0,10}`, 'g'))];
  return [
    ...pages.filter((page) => !existsSync(join(root, page))).map((page) => `there is no ${page}`),
    ...sections,
    ...bare.map(([around]) => `a section of no page: ${around.trim()}`),
  ];
}

describe('what comments and documents cite', () => {
  it('is a page that exists, and a section of it', () => {
    const files = sources();
    assert.ok(files.length > 300);
    const found = files.flatMap((file) =>
      dangling(readFileSync(join(root, file), 'utf8')).map((problem) => `${file}: ${problem}`),
    );
    assert.deepEqual(found, []);
  });

  const page = 'docs/reference/host.md';
  const CASES: readonly (readonly [output: string, want: readonly string[]])[] = [
    [`/** As it is there (${page} ${SIGN}4.1, ${SIGN}5). */`, []],
    [`/**\n * As it is there (${page}\n * ${SIGN}4.1). Pure.\n */`, []],
    [`// ${page} ${SIGN}99`, [`${page} has no section 99`]],
    [`// ${page} ${SIGN}4.1, ${SIGN}4.99`, [`${page} has no section 4.99`]],
    [`// docs/nowhere${'.md'}`, [`there is no docs/nowhere${'.md'}`]],
    [`// Host reference ${SIGN}4.1`, [`a section of no page: // Host reference ${SIGN}4.1`]],
    [`// (${SIGN}7.5)`, [`a section of no page: // (${SIGN}7.5)`]],
  ];
  for (const [output, want] of CASES) {
    it(`${want.length === 0 ? 'takes' : 'finds'} ${JSON.stringify(output)}`, () =>
      assert.deepEqual(dangling(output), want));
  }

  for (const file of documents()) {
    it(`every path that ${file} names exists`, () => {
      const text = readFileSync(join(root, file), 'utf8');
      const named = [...text.matchAll(new RegExp(`\`((?:${TREE.join('|')})/[\\w./-]*)\``, 'g'))];
      const missing = named.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)));
      assert.deepEqual(missing, []);
    });
  }
});

/** Every command in running text, such as `npm run lint`. */
const inlineCommands = (text: string, program: string): readonly string[] =>
  [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(new RegExp(`\`(${program} [^\`]+)\``, 'g'))].map(
    ([, command = '']) => command.replaceAll('\\|', '|'),
  );

/** Why `supercargo …`, with words in capitals for what a reader puts there, makes no sense; undefined when it does. */
function senseless(line: string): string | undefined {
  const [, ...words] = line.split(' ');
  if (words[0] === 'agent' || words[0] === 'COMMAND') return undefined; // the agent's flags are in the table of settings
  let command = defineProgram();
  while (words[0] !== undefined && command.commands.length > 0) {
    const next = command.commands.find((one) => one.name() === words[0]);
    if (!next) return `there is no command ${words[0]}`;
    command = next;
    words.shift();
  }
  const known = [...command.options, ...defineProgram().options];
  const given: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('-')) {
      given.push(word);
      continue;
    }
    const option = known.find(({ short, long }) => word === short || word === long);
    if (!option) return `${command.name()} has no option ${word}`;
    if (option.required) words.shift();
  }
  const takes = command.registeredArguments;
  if (given.length > takes.length && !takes.at(-1)?.variadic) return `${command.name()} takes fewer words`;
  const apps = takes[0]?.description.startsWith('APP') ? given : [];
  const kinds = KINDS.map((kind) => `${kind.toLowerCase()}/`);
  const wrong = apps.find((word) => kinds.some((kind) => word.startsWith(kind)));
  return wrong === undefined ? undefined : `${command.name()} takes ${takes[0]?.description}, not ${wrong}`;
}

describe('the commands of documents', () => {
  const blocks = documents().flatMap((file) => codeBlocks(file));
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };

  it('stand in blocks that say what they are', () => {
    const unknown = blocks.filter(
      ({ language }) => !['sh', 'console', 'text', 'yaml', 'json', 'ts'].includes(language),
    );
    assert.deepEqual(
      unknown.map(({ file, line, language }) => `${file}:${line}: "${language}"`),
      [],
    );
  });

  it('are run by a test, but for few', () => {
    const run = ['README.md', 'docs/guide/plan.md'];
    const commands = blocks.filter(({ language }) => language === 'sh');
    const left = commands.filter(({ notRun }) => notRun !== undefined);
    console.log(left.map(({ file, line, notRun }) => `        ${file}:${line} is not run: ${notRun}`).join('\n'));
    assert.deepEqual(
      commands.filter(({ file, notRun }) => notRun === undefined && !run.includes(file)).map(({ file }) => file),
      [],
      'pages whose commands nothing runs',
    );
    assert.ok(left.length <= 4, `${left.length} are not run`);
    const shown = blocks.filter(({ language }) => language === 'console').map(({ file }) => file);
    assert.deepEqual([...new Set(shown)], ['README.md', 'docs/reference/cli.md'], 'output that nothing compares');
  });

  for (const file of documents()) {
    it(`in the text of ${file} exist`, () => {
      const text = readFileSync(join(root, file), 'utf8');
      const problems = [
        ...inlineCommands(text, 'npm run').filter((one) => scripts[one.split(' ')[2] ?? ''] === undefined),
        ...inlineCommands(text, 'npx (?:mocha|tsx)').filter((one) => !existsSync(join(root, one.split(' ')[2] ?? ''))),
        ...inlineCommands(text, 'supercargo').flatMap((one) => {
          const why = senseless(one);
          return why === undefined ? [] : [`${one}: ${why}`];
        }),
      ];
      assert.deepEqual(problems, []);
    });
  }

  const SENSELESS = [
    'supercargo fly',
    'supercargo logs service/NAME',
    'supercargo get apps --wide',
    'supercargo status NOW',
  ];
  for (const line of SENSELESS) it(`finds ${line}`, () => assert.ok(senseless(line)));
});

describe('the design', () => {
  const overview = readFileSync(join(root, 'docs/design/overview.md'), 'utf8');
  const shown = (folders: readonly string[]): string => folders.map((one) => `\`${one}\``).join(', ') || 'nothing';

  for (const [folder, may] of LAYERS) {
    it(`prints what ${folder} may import`, () => {
      const row = `| \`${folder}\` | ${shown(may)} |`;
      assert.ok(overview.includes(row), `missing row:\n${row}`);
    });
  }

  it('has at most sixty words in its glossary', () => {
    const rows = readFileSync(join(root, 'docs/design/glossary.md'), 'utf8').match(/^\| .+ \|$/gm) ?? [];
    assert.ok(rows.length > 20 && rows.length <= 61, `${rows.length}`);
  });
});

describe('the reference', () => {
  const command = page('cli');
  const differences = page('supervisor-differences');
  const settings = page('settings');

  it('shows of the command only what transcripts hold', () => {
    const folder = new URL('api/cli/fixtures/', import.meta.url);
    const held = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const shown = [...command.matchAll(/^```console\n([\s\S]*?)\n```$/gm)].flatMap(([, block = '']) =>
      block.split('\n\n'),
    );
    assert.ok(shown.length > 3);
    for (const one of shown) {
      assert.ok(
        held.some((text) => `\n${text}`.includes(`\n${alike(one)}\n`)),
        one,
      );
    }
  });

  it('names every command', () => {
    const names = defineProgram().commands.map((one) => one.name());
    assert.deepEqual(
      names.filter((name) => name !== '__complete' && !command.includes(`\`${name}`)),
      [],
    );
  });

  for (const one of deviations) {
    it(`lists the deviation of ${one.field}`, () => {
      const row = `| ${[one.field, one.supervisor, one.here, one.because].map(cell).join(' | ')} |`;
      assert.ok(differences.includes(row), `missing row:\n${row}`);
    });
  }

  it('names every setting', () => {
    const names = [...new Set(USAGE.match(/SUPERCARGO_[A-Z_]+|--[a-z-]+/g))];
    assert.ok(names.length > 10);
    assert.deepEqual(
      names.filter((name) => !['--version', '--help'].includes(name) && !settings.includes(name)),
      [],
    );
  });
});

describe('version', () => {
  it('is that of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.equal(AGENT_VERSION, version);
  });
});
