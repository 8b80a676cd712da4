import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { USAGE } from '../controllers/settings.js';
import { AGENT_VERSION } from '../controllers/version.js';
import { deviations } from './controllers/service/deviations.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const cell = (text: string): string => text.replaceAll('|', '\\|');

describe('README', () => {
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
