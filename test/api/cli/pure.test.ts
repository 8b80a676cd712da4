import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { addressText, isLocal, parseHost } from '../../../api/cli/client/address.js';
import { ApiError } from '../../../api/cli/client/client.js';
import { chooseTarget, parseConfig } from '../../../api/cli/client/contexts.js';
import { verdictOf as endOf } from '../../../api/cli/commands/actions.js';
import { firstSentence } from '../../../api/cli/commands/explain.js';
import { problemLines } from '../../../api/cli/commands/status.js';
import { cpuPercent } from '../../../api/cli/commands/top.js';
import { refusedPlaces } from '../../../api/cli/files.js';
import { cellOf, valueAt } from '../../../api/cli/format/columns.js';
import { ageText, bytesText } from '../../../api/cli/format/words.js';
import { toYaml } from '../../../api/cli/format/yaml.js';
import { COMMAND_VERSION } from '../../../api/cli/version.js';
import { visible } from '../../../api/platform/visible.js';
import { composeYaml } from '../../../api/sources/compose/write.js';
import { AGENT_VERSION } from '../../../controllers/agent/version.js';
import { differences } from '../../../crds/model/differences.js';
import { durationSeconds } from '../../../crds/model/duration.js';
import { descriptorOf, KINDS } from '../../../crds/model/kinds.js';
import type { ServiceStats } from '../../../crds/model/stats.js';
import { SCHEMAS } from '../../../crds/schema/schemas.js';
import { anApp } from '../../setup/documents.js';

describe('an address of an agent', () => {
  for (const [text, want, local] of [
    ['127.0.0.1', 'http://127.0.0.1:48484', true],
    ['localhost:8080', 'http://localhost:8080', true],
    ['kitchen.local', 'http://kitchen.local:48484', false],
    ['http://kitchen:80', 'http://kitchen:80', false],
    ['[::1]:48484', 'http://[::1]:48484', true],
    ['https://device.example.org', 'https://device.example.org:443', false],
    ['unix:/run/supercargo.sock', 'unix:/run/supercargo.sock', true],
    ['unix:///run/supercargo.sock', 'unix:/run/supercargo.sock', true],
  ] as const) {
    it(`${text} is ${want}`, () => {
      const address = parseHost(text);
      assert.deepEqual([addressText(address), isLocal(address)], [want, local]);
    });
  }
  for (const text of ['ftp://x', 'http://x/path', 'http://user@x', ':', 'a b']) {
    it(`${text} is none`, () => assert.throws(() => parseHost(text), /is no address/));
  }
});

describe('the agent that is meant', () => {
  const config = { current: 'a', contexts: { a: { host: 'a.local', key: 'ka' }, b: { host: 'b.local' } } };
  for (const [it_, flags, env, want] of [
    ['that of the current context', {}, {}, ['a.local', 'ka']],
    ['that of a named context', { context: 'b' }, {}, ['b.local', undefined]],
    ['the host that a flag names, without the key of the context', { host: 'c' }, {}, ['c', undefined]],
    ['the host of the environment', {}, { SUPERCARGO_HOST: 'd', SUPERCARGO_API_KEY: 'kd' }, ['d', 'kd']],
    [
      'a named context rather than the host of the environment',
      { context: 'a' },
      { SUPERCARGO_HOST: 'd' },
      ['a.local', 'ka'],
    ],
    ['a flag rather than the environment', { host: 'c', key: 'kc' }, { SUPERCARGO_HOST: 'd' }, ['c', 'kc']],
  ] as const) {
    it(`is ${it_}`, () => {
      const { host, key } = chooseTarget(flags, env, config);
      assert.deepEqual([host, key], want);
    });
  }
  it('is none that nobody named', () =>
    assert.deepEqual(chooseTarget({}, {}, { contexts: {} }), { host: undefined, key: undefined }));
  for (const text of ['', '[]', '{"contexts":{"a":{}}}', '{"contexts":{"a":{"host":"x","key":1}}}']) {
    it(`is not looked for in ${text || 'an empty file'}`, () =>
      assert.throws(() => parseConfig(text, '/c.json'), /c\.json/));
  }
  it('is not shown when its file is no JSON', () =>
    assert.throws(
      () => parseConfig('{"contexts":{"a":{"host":"x","key":hush}}}', '/c.json'),
      (error: Error) =>
        /^\/c\.json cannot be used: it is not JSON/.test(error.message) && !inspect(error).includes('hush'),
    ));
});

describe('times and sizes', () => {
  for (const [seconds, want] of [
    [0, '0s'],
    [119, '119s'],
    [200, '3m20s'],
    [3600, '60m'],
    [20_000, '5h33m'],
    [100_000, '27h'],
    [86_400 * 3 + 3600, '3d1h'],
    [86_400 * 400, '400d'],
    [86_400 * 800, '2y70d'],
    [-5, '0s'],
  ] as const) {
    it(`${seconds} s are ${want}`, () => assert.equal(ageText(seconds * 1000), want));
  }
  it('reads durations', () => {
    const read = ['90', '90s', '10m', '1h30m', '2d', '0.5', 'soon', '', '5x'].map(durationSeconds);
    assert.deepEqual(read, [90, 90, 600, 5400, 172_800, 0.5, undefined, undefined, undefined]);
  });
  it('writes sizes', () =>
    assert.deepEqual([0, 1023, 1024, 3 * 1024 ** 2, 2.5 * 1024 ** 3].map(bytesText), [
      '0 B',
      '1023 B',
      '1.0 KiB',
      '3.0 MiB',
      '2.5 GiB',
    ]));
  it('takes processor time between two looks at one run', () => {
    const at = (ms: number, cpuNs: number) => ({ at: new Date(ms).toISOString(), cpuNs }) as ServiceStats;
    assert.equal(cpuPercent(at(0, 0), at(1000, 250_000_000)), 25);
    assert.equal(cpuPercent(undefined, at(1000, 1)), undefined);
    assert.equal(cpuPercent(at(0, 500), at(1000, 1)), undefined, 'it was recreated');
  });
});

describe('differences', () => {
  for (const [it_, before, after, want] of [
    ['none', { a: 1, b: [1] }, { b: [1], a: 1 }, []],
    ['a changed value', { a: { b: 1 } }, { a: { b: 2 } }, ['a.b: 1 -> 2']],
    ['a new map, field by field', {}, { a: { b: 1, c: {} } }, ['a.b: undefined -> 1', 'a.c: undefined -> {}']],
    ['what is gone', { a: { b: 1 } }, {}, ['a.b: 1 -> undefined']],
    ['a list of values as a whole', { p: ['80'] }, { p: ['80', '81'] }, ['p: ["80"] -> ["80","81"]']],
    ['a list of maps by its items', { p: [{ x: 1 }] }, { p: [{ x: 2 }] }, ['p[0].x: 1 -> 2']],
    ['null is a value', { a: null }, {}, ['a: null -> undefined']],
    ['names with dots', { a: { 'x.y/z': 1 } }, { a: {} }, ['a["x.y/z"]: 1 -> undefined']],
    ['a map that became a text', { a: { b: 1 } }, { a: 'x' }, ['a: {"b":1} -> "x"']],
  ] as const) {
    it(`show ${it_}`, () => {
      const found = differences(before, after).map((one) => `${one.path}: ${one.before} -> ${one.after}`);
      assert.deepEqual(found, want);
    });
  }
});

describe('printer columns', () => {
  it('are found by every path that the definitions use', () => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Settled' }];
    const document = { metadata: { creationTimestamp: 'now' }, status: { conditions, list: [7] } };
    assert.equal(valueAt(document, '.status.conditions[?(@.type=="Ready")].reason'), 'Settled');
    assert.equal(valueAt(document, '.status.list[0]'), 7);
    assert.equal(valueAt(document, '.status.none.deeper'), undefined);
    const known = /^(?:\.[\w-]+|\[\?\(@\.[\w-]+\s*==\s*["'][^"']*["']\)\]|\[\d+\])+$/;
    for (const { jsonPath } of KINDS.flatMap((kind) => descriptorOf(kind).columns)) assert.match(jsonPath, known);
  });
});

describe('the meaning of a field in one line', () => {
  it('is its first sentence, and never the value alone that it speaks of', () => {
    assert.equal(
      firstSentence('true: its services may mount paths. Default: false.'),
      'true: its services may mount paths',
    );
    assert.equal(firstSentence('Its containers, by name. Default: none.'), 'Its containers, by name');
    for (const { spec } of Object.values(SCHEMAS)) {
      for (const [name, { description = '' }] of Object.entries(spec.properties ?? {})) {
        assert.match(firstSentence(description), /\S \S/, name);
      }
    }
  });
});

describe('what the agent refuses', () => {
  const written = {
    kind: 'App',
    name: 't',
    value: {},
    locate: (path: string) => ({ file: 'f.yaml', line: path.length }),
  } as const;

  it('is shown whole, with its advice', () => {
    const field = 'spec.services.a.deploy';
    const advice = '; Compose has it, but it is not supported here: write its limits as cpus, mem_limit, and so on';
    const error = new ApiError(400, 'BadRequest', `strict decoding error: unknown field "${field}"${advice}`, [
      { field, message: `Unknown field "deploy"${advice}` },
    ]);
    assert.deepEqual(refusedPlaces(error, written), [`f.yaml:22: Unknown field ${field}${advice}`]);
  });
});

describe('what others wrote', () => {
  it('is shown on a terminal and not obeyed', () => {
    assert.equal(visible('a\u001b]0;x\u0007b\u009bc\td\ne', true), 'a\\x1b]0;x\\x07b\\u009bc\td\ne');
    assert.equal(visible('\u001b[2J\u001b[8mx\r', true), '\\x1b[2J\\x1b[8mx\\x0d');
    assert.equal(visible('\u001b[32mok\u001b[39m', true), '\u001b[32mok\u001b[39m');
    assert.equal(visible('\u001b[32mok', false), '\\x1b[32mok');
    assert.equal(visible('a\u202eb\u2066c', true), 'a\\u202eb\\u2066c');
  });

  const texts = [
    '\u009b31m',
    'x\u007fy',
    'x\u202ey',
    'two\nlines \u001b[2J\n',
    'a\rb',
    '\u001b',
    '\u0085',
    'two\nlines \u2066\n',
  ];
  const values = { spec: { environment: Object.fromEntries(texts.map((text, at) => [`A${at}${text}`, text])) } };
  const formats: readonly [format: string, print: (value: unknown) => string, read: (text: string) => unknown][] = [
    ['JSON', (value) => JSON.stringify(value), (text) => JSON.parse(text)],
    ['YAML', toYaml, (text) => parseYaml(text)],
    ['a Compose file', composeYaml, (text) => parseYaml(text)],
  ];
  for (const [format, print, read] of formats) {
    it(`stays what it is as ${format}`, () => {
      const shown = visible(print(values), false);
      assert.doesNotMatch(shown, /(?!\n)\p{Cc}|\p{Bidi_Control}/u);
      assert.deepEqual(read(shown), values);
    });
  }
});

describe('a cell of a condition', () => {
  const [column] = descriptorOf('App').columns.filter(({ name }) => name === 'Ready');
  const document = (observedGeneration: number) => ({
    metadata: { generation: 2 },
    status: { observedGeneration, conditions: [{ type: 'Ready', status: 'True' }] },
  });

  it('says what was concluded of this version, and nothing of an earlier one', () => {
    assert(column);
    assert.deepEqual([cellOf(column, document(2), 0), cellOf(column, document(1), 0)], ['True', '-']);
  });
});

describe('the end of a request', () => {
  const asked = { subject: { kind: 'App', name: 'hello' }, name: 'restart', id: 'r1' } as const;
  const request = (id: string) => ({ restart: { id, at: '2026-01-02T03:04:05Z' } });
  const end = (requests: object, status: object) => {
    const verdict = endOf({ ...anApp(), requests, status } as ReturnType<typeof anApp>, asked);
    return verdict?.is === 'refused' ? verdict.error.message : verdict?.is;
  };
  it('is awaited, reported, or reported with its refusal', () => {
    assert.equal(end(request('r1'), {}), undefined);
    assert.equal(end(request('r1'), { handled: { restart: 'r0' } }), undefined);
    assert.equal(end(request('r1'), { handled: { restart: 'r1' } }), 'done');
    const refused = { restart: { reason: 'Failed', message: 'It cannot.' } };
    assert.equal(end(request('r1'), { handled: { restart: 'r1' }, refused }), 'app/hello: It cannot.');
    assert.match(end(request('r2'), {}) ?? '', /another restart/);
    assert.match(String((endOf(undefined, asked) as { error: Error }).error.message), /removed meanwhile/);
  });
});

it('the command has the version of the agent', () => assert.equal(COMMAND_VERSION, AGENT_VERSION));

describe('what was not accepted', () => {
  const io = { style: (_colour: string, text: string) => text } as unknown as Parameters<typeof problemLines>[0]['io'];
  const lines = (count: number) =>
    problemLines({ io }, { problems: Array.from({ length: count }, (_, at) => ({ message: `no ${at}` })) });
  it('stands apart from warnings about what was', () => {
    const problems = [{ message: 'a' }, { message: 'b', severity: 'warning' }] as const;
    assert.deepEqual(problemLines({ io }, { problems }), ['', 'NOT ACCEPTED', '  a', '', 'WARNINGS', '  b']);
  });

  it('is shown in twenty lines, and how many more there are', () => {
    assert.deepEqual(lines(2), ['', 'NOT ACCEPTED', '  no 0', '  no 1']);
    assert.equal(lines(20).length, 22);
    assert.equal(lines(300).length, 23);
    assert.equal(lines(300).at(-1), '  and 280 more: `supercargo status --json` has all');
  });
});
