import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { defineProgram } from '../api/cli/program.js';
import { USAGE } from '../controllers/settings.js';
import { AGENT_VERSION } from '../controllers/version.js';
import { deviations } from './controllers/service/deviations.js';
import { alike } from './setup/transcript.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const cell = (text: string): string => text.replaceAll('|', '\\|');

describe('README', () => {
  const [, command = ''] = /\n## The command\n([\s\S]*?)\n## /.exec(readme) ?? [];

  it('shows of the command only what transcripts hold', () => {
    const folder = new URL('api/cli/fixtures/', import.meta.url);
    const held = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const shown = [...command.matchAll(/^```\n([\s\S]*?)\n```$/gm)].flatMap(([, block = '']) => block.split('\n\n'));
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
      assert.ok(readme.includes(row), `missing row:\n${row}`);
    });
  }

  it('names every setting', () => {
    const names = [...new Set(USAGE.match(/SUPERCARGO_[A-Z_]+|--[a-z-]+/g))];
    assert.ok(names.length > 10);
    assert.deepEqual(
      names.filter((name) => !['--version', '--help'].includes(name) && !readme.includes(name)),
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
