import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { policyRows, ruleOf } from '../../../../api/sources/compose/policy.js';

const { properties } = JSON.parse(
  readFileSync(new URL('../../../fixtures/compose/properties.json', import.meta.url), 'utf8'),
) as { readonly properties: Readonly<Record<string, string>> };

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

describe('the table of what becomes of each property of a Compose file', () => {
  it('has every property of the specification', () => {
    const all = Object.entries(properties).flatMap(([path, names]) => names.split(' ').map((name) => join(path, name)));
    assert.deepEqual(
      all.filter((property) => ruleOf(property) === undefined),
      [],
    );
  });

  it('has none that is not in the specification', () => {
    const known = new Set(
      Object.entries(properties).flatMap(([path, names]) => names.split(' ').map((name) => join(path, name))),
    );
    const rows = policyRows().flatMap(({ path, names }) => names.map((name) => join(path, name)));
    assert.deepEqual(
      rows.filter((property) => !known.has(property)),
      [],
    );
  });

  it('says what to write instead of everything that is refused', () => {
    const silent = policyRows().filter(({ rule }) => rule.policy === 'refuse' && !rule.why);
    assert.deepEqual(silent, []);
  });

  it('is the table of the guide', () => {
    const guide = readFileSync(new URL('../../../../docs/guide/compose.md', import.meta.url), 'utf8');
    const [, shown = ''] = /<!-- begin: [^>]*-->\n([\s\S]*)<!-- end -->/.exec(guide) ?? [];
    assert.equal(shown, tableOfGuide());
  });
});

function tableOfGuide(): string {
  const rows = policyRows().map(({ path, names, rule: { policy, why = '' } }) => {
    const listed = names.map((name) => `\`${name}\``).join(', ');
    return `| ${path === '' ? 'the file' : `\`${path}\``} | ${listed} | ${policy} | ${why} |\n`;
  });
  return `| in | property | what | |\n|---|---|---|---|\n${rows.join('')}`;
}
