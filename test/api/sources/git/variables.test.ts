import assert from 'node:assert/strict';
import { layOver } from '../../../../api/sources/git/overlays.js';
import { deviceVariables, fillIn, type Value } from '../../../../api/sources/git/variables.js';
import { yamlItems } from '../../../../crds/yaml/yaml-items.js';
import { DEVICE } from './a-source.js';

const variables = {
  plain: new Map<string, Value>([
    ...deviceVariables(DEVICE),
    ['PORT', 8080],
    ['ON', true],
    ['TEXT', '8080'],
    ['EVIL', 'a\nkind: x'],
  ]),
  secret: new Map([['PASSWORD', 'hunter2']]),
};
const fill = (value: unknown) => {
  const { item, problems } = fillIn(
    { value, locate: (path) => ({ file: `f#${path}` }), isQuoted: () => false },
    variables,
  );
  return { value: item.value, problems: problems.map(({ path, message }) => `${path}: ${message}`) };
};

describe('fillIn', () => {
  it('reads a text of a MB that begins a variable over and over, and ends none', () => {
    const text = '${'.repeat(500_000); // in quadratic time this is minutes
    assert.deepEqual(fill(text), { value: text, problems: [] });
  });

  it('names the first problems of very many', () => {
    assert.equal(fill('${X}'.repeat(1000)).problems.length, 10);
  });

  const cases: readonly [string, unknown, unknown][] = [
    ['fills in facts of the device', '${device.name}/${device.uuid}', `kitchen/${'f'.repeat(32)}`],
    ['fills in tags', { a: ['${device.tags.site}'] }, { a: ['north'] }],
    ['keeps a number a number when it is all there is', '${PORT}', 8080],
    ['keeps a text of digits a text', '${TEXT}', '8080'],
    ['makes it text among others', '${PORT}:80', '8080:80'],
    ['takes a default for what is not there', '${NOTHING:-x}${ALSO:-}', 'x'],
    ['takes the value rather than the default', '${ON:-x}!', 'true!'],
    ['leaves what is escaped', 'echo $${HOME} $HOME', 'echo ${HOME} $HOME'],
    ['cannot be made to add fields', { a: '${EVIL}' }, { a: 'a\nkind: x' }],
    ['does not fill in what was filled in', '${device.tags.site}', 'north'],
    ['leaves names of fields alone', { '${PORT}': 1 }, { '${PORT}': 1 }],
    [
      'takes secrets for the environment',
      { spec: { services: { web: { environment: { P: 'x${PASSWORD}' } } } } },
      { spec: { services: { web: { environment: { P: 'xhunter2' } } } } },
    ],
    [
      'takes secrets for the environment of a Service',
      { spec: { environment: ['P=${PASSWORD}'] } },
      { spec: { environment: ['P=hunter2'] } },
    ],
  ];
  for (const [name, value, want] of cases) it(name, () => assert.deepEqual(fill(value), { value: want, problems: [] }));

  const refused: readonly [string, unknown, string][] = [
    [
      'an unknown variable',
      { a: '${PROT}' },
      'a: There is no variable ${PROT}; did you mean "PORT"? Write $${PROT} for the text itself',
    ],
    [
      'an unknown variable like no other',
      '${WHATEVER_IT_IS}',
      ': There is no variable ${WHATEVER_IT_IS}. Write $${WHATEVER_IT_IS} for the text itself',
    ],
    ['no name', '${1}', ': ${1} names no variable; write $${…} for the text itself'],
    [
      'a secret elsewhere',
      { spec: { services: { web: { command: 'x ${PASSWORD}' } } } },
      'spec.services.web.command: ${PASSWORD} is a secret, and those are only for the environment of services',
    ],
    ...['env', 'enviroment'].map((field): [string, unknown, string] => [
      `a secret under ${field}, with what was meant`,
      { spec: { services: { web: { [field]: { A: '${PASSWORD}' } } } } },
      `spec.services.web.${field}.A: \${PASSWORD} is a secret, and those are only for the environment of services; "${field}" is no field of a service: did you mean "environment"?`,
    ]),
    [
      'a secret in a label that is called so',
      { spec: { services: { web: { labels: { environment: '${PASSWORD}' } } } } },
      'spec.services.web.labels.environment: ${PASSWORD} is a secret, and those are only for the environment of services',
    ],
  ];
  for (const [name, value, want] of refused)
    it(`refuses ${name}`, () => assert.deepEqual(fill(value).problems, [want]));
});

describe('a variable in quotes', () => {
  const text = `
plain: \${PORT}
double: "\${PORT}"
single: '\${ON}'
block: |-
  \${ON}
list:
  - \${PORT}
  - "\${PORT}"
a.b: { c: "\${ON}" }
same: &it "\${PORT}"
again: *it
`;
  it('is a text, whatever its value looks like', () => {
    const [item] = yamlItems(text, 'f').items;
    assert.deepEqual(item && fillIn(item, variables).item.value, {
      plain: 8080,
      double: '8080',
      single: 'true',
      block: 'true',
      list: [8080, '8080'],
      'a.b': { c: 'true' },
      same: '8080',
      again: '8080',
    });
  });

  it('is one in a layer over others too', () => {
    const layer = (yaml: string) => yamlItems(yaml, 'f').items.map((item) => ({ ...item, folder: 'all' as const }));
    const items = [
      ...layer('kind: App\nmetadata: { name: a }\nx: { one: "${PORT}", two: "${PORT}" }'),
      ...layer('kind: App\nmetadata: { name: a }\nwhen: { name: kitchen }\nx:\n  two: ${PORT}\n  three: "${PORT}"'),
    ];
    const [merged] = layOver(items, DEVICE).items;
    const { x } = (merged && fillIn(merged, variables).item.value) as { readonly x: unknown };
    assert.deepEqual(x, { one: '8080', two: 8080, three: '8080' });
  });
});

describe('very many variables', () => {
  const tooMany = (text: string) =>
    fillIn(
      { value: { a: text }, locate: () => ({ file: 'f' }), isQuoted: () => true },
      { plain: new Map([['x', 'y'.repeat(4096)]]), secret: new Map() },
    );

  it('are refused, by number and by what they stand for', () => {
    for (const text of ['${x}'.repeat(257), '${y:-}'.repeat(10_001)]) {
      const { problems } = tooMany(text);
      assert.equal(problems.length, 1);
      assert.match(
        problems[0]?.message ?? '',
        /^There are too many variables in this document: at most 10000 of them, and 1 MiB/,
      );
    }
    assert.deepEqual(tooMany('${x}'.repeat(255)).problems, []);
  });
});
