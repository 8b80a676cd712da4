import assert from 'node:assert/strict';
import { problemLine } from '../../../../api/sources/documents.js';
import { LIMIT_BYTES, readDocuments } from '../../../../api/sources/files/read-documents.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

const deviceUuid = '0123456789abcdef0123456789abcdef';
const read = (text: string | Uint8Array, file = 'm/a.yaml') =>
  readDocuments(typeof text === 'string' ? Buffer.from(text) : text, file, { parse: parseDocument, deviceUuid });
const app = (name: string, spec = '{}') =>
  `apiVersion: supercargo.io/v1\nkind: App\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const names = (text: string, file?: string) => {
  const { documents, problems } = read(text, file);
  assert.deepEqual(problems.map(problemLine), []);
  return documents.map(
    ({ document, source }) => `${document.kind}/${document.metadata.name}@${source?.line}:${source?.column}`,
  );
};
const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  .concat(Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`))
  .join('\n');

describe('readDocuments', () => {
  describe('takes', () => {
    const cases: { it: string; text: string; file?: string; want: string[] }[] = [
      { it: 'one document', text: app('hello'), want: ['App/hello@1:1'] },
      {
        it: 'several documents',
        text: `${app('one')}---\n# next\n${app('two')}`,
        want: ['App/one@1:1', 'App/two@7:1'],
      },
      { it: 'empty documents between others', text: `---\n---\n${app('one')}---\n`, want: ['App/one@3:1'] },
      { it: 'comments only as an empty set', text: '# nothing\n\n# here\n', want: [] },
      { it: 'a byte order mark and CRLF', text: `\ufeff${app('one').replaceAll('\n', '\r\n')}`, want: ['App/one@1:1'] },
      {
        it: 'JSON with tabs',
        text: '{\n\t"apiVersion": "supercargo.io/v1",\n\t"kind": "App", "metadata": {"name": "j"},\n\t"spec": {}\n}',
        file: 'm/a.json',
        want: ['App/j@1:1'],
      },
      {
        it: 'a List',
        text: `kind: List\napiVersion: v1\nitems:\n- {apiVersion: supercargo.io/v1, kind: App, metadata: {name: a}, spec: {}}\n- {apiVersion: supercargo.io/v1, kind: App, metadata: {name: b}, spec: {}}\n`,
        want: ['App/a@4:3', 'App/b@5:3'],
      },
      {
        it: 'an array',
        text: '[{"apiVersion":"supercargo.io/v1","kind":"App","metadata":{"name":"a"},"spec":{}}]',
        want: ['App/a@1:2'],
      },
      {
        it: 'a target state v2 with name and config',
        text: '{"local":{"name":"Home","config":{"HOST_CONFIG_gpu_mem":"16"},"apps":{"1":{"name":"a"}}}}',
        want: ['App/app-1@1:1', 'HostConfig/device@1:1'],
      },
      {
        it: 'a target state v3 of this device',
        text: `${deviceUuid}:\n  name: Home\n  config: {}\n  apps: {c0ffee: {id: 7, name: a, releases: {}}}\n`,
        want: ['App/app-7@1:1', 'HostConfig/device@1:1'],
      },
    ];
    for (const { it: title, text, file, want } of cases) it(title, () => assert.deepEqual(names(text, file), want));

    it('anchors, as values of their own', () => {
      const { documents } = read(
        app(
          'a',
          '\n  services:\n    a: &a {image: x, environment: &e {K: v}}\n    b: *a\n    c: {image: y, environment: *e}',
        ),
      );
      const spec = documents[0]?.document.spec as { services: Record<string, { environment: object }> };
      assert.deepEqual(Object.keys(spec.services), ['a', 'b', 'c']);
      assert.deepEqual(spec.services.c?.environment, { K: 'v' });
      assert.notEqual(spec.services.a?.environment, spec.services.c?.environment);
    });

    it('words and numbers as YAML 1.2 and the author mean them', () => {
      const text =
        'services:\n    w:\n      image: x\n      ports: [22:22, 8080]\n      environment: {A: on, B: yes, C: 0123, D: 1.10, E: True, F: 0o17, G: 1e3, H: ~}';
      const { documents, problems } = read(app('a', `\n  ${text}`));
      assert.deepEqual(problems, []);
      const spec = documents[0]?.document.spec as { services: { w: { ports: unknown; environment: object } } };
      assert.deepEqual(spec.services.w.ports, ['22:22', 8080]);
      assert.deepEqual(
        { ...spec.services.w.environment, H: undefined },
        { A: 'on', B: 'yes', C: '0123', D: '1.10', E: 'True', F: '0o17', G: '1e3', H: undefined },
      );
    });
  });

  describe('refuses', () => {
    const cases: { it: string; text: string | Uint8Array; want: RegExp[] }[] = [
      { it: 'an empty file', text: '', want: [/^m\/a\.yaml: The file is empty/] },
      { it: 'white space only', text: ' \n\n', want: [/^m\/a\.yaml: The file is empty/] },
      { it: 'YAML that does not close', text: 'a: [\n', want: [/^m\/a\.yaml:2:1: Not YAML: /] },
      { it: 'tabs as indentation', text: 'a:\n\tb: 1\n', want: [/^m\/a\.yaml:2:1: Not YAML: Tabs/] },
      { it: 'JSON that does not close', text: '{"kind": "App"', want: [/^m\/a\.yaml:1:15: Not YAML: /] },
      {
        it: 'a key twice, at the second',
        text: 'a: 1\nb:\n  c: 1\n  c: 2\n',
        want: [/^m\/a\.yaml:4:3: The key "c" is there twice/],
      },
      { it: 'a tag', text: 'a: 1\nb: !env HOME\n', want: [/^m\/a\.yaml:2:4: Tags are not understood/] },
      { it: 'a binary value', text: 'b: !!binary aGk=\n', want: [/^m\/a\.yaml:1:4: Tags are not understood/] },
      { it: 'merge keys', text: 'a: &a {b: 1}\nc:\n  <<: *a\n', want: [/^m\/a\.yaml:3:3: Merge keys/] },
      { it: 'a key that is a map', text: '? {a: 1}\n: 2\n', want: [/A key must be a plain text/] },
      { it: 'a key that poisons prototypes', text: '__proto__: {kind: App}\n', want: [/A key must be a plain text/] },
      {
        it: 'an alias without an anchor',
        text: 'a:\n- *nowhere\n',
        want: [/^m\/a\.yaml:2:3: There is no anchor &nowhere/],
      },
      { it: 'an alias inside its own value', text: 'a: &a [*a]\n', want: [/An alias stands inside the value/] },
      { it: 'an alias bomb', text: bomb, want: [/aliases/] },
      {
        it: 'a wide alias bomb',
        text: `a: &a "${'x'.repeat(250_000)}"\nb: [${Array(50).fill('*a').join(', ')}]\n`,
        want: [/too large once its aliases/],
      },
      {
        it: 'a value that is longer than any variable may be',
        text: `a: "${'x'.repeat(300_000)}"\n`,
        want: [/One value is longer than 256 KiB/],
      },
      {
        it: 'a block of very many lines',
        text: `a: |\n${'  x\n'.repeat(20_001)}`,
        want: [/too long for a device to read/],
      },
      {
        it: 'more aliases than anybody needs',
        text: `a: &a 1\nb: [${Array(1001).fill('*a').join(', ')}]\n`,
        want: [/More than 1000 aliases/],
      },
      { it: 'deep nesting', text: '['.repeat(200_000), want: [/^m\/a\.yaml:1:\d+: The text is nested too deeply/] },
      { it: 'deep nesting of dashes', text: `${'- '.repeat(100_000)}a`, want: [/The text is nested too deeply/] },
      {
        it: 'more tokens than a device should read',
        text: 'k: v\n'.repeat(100_000),
        want: [/^m\/a\.yaml:\d+:\d+: The text is too long/],
      },
      { it: 'too many documents', text: '---\na\n'.repeat(1001), want: [/More than 1000 documents/] },
      { it: 'too many documents in a list', text: `[${'{},'.repeat(1000)}{}]`, want: [/More than 1000 documents/] },
      {
        it: '10 MB',
        text: new Uint8Array(10 * 1024 * 1024).fill(0x61),
        want: [/^m\/a\.yaml: The file is too large: 10\.0 MiB, at most 1 MiB/],
      },
      { it: 'NUL', text: 'a: 1\nb: \0\n', want: [/^m\/a\.yaml:2:4: The file is not text: it contains the byte 0x00/] },
      {
        it: 'what is not UTF-8',
        text: Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]),
        want: [/^m\/a\.yaml:1:4: The file is not UTF-8/],
      },
      { it: 'a number', text: '42\n', want: [/^m\/a\.yaml:1:1: Expected a document/] },
      {
        it: 'a Compose file, with a hint',
        text: 'services:\n  web: {image: x}\n',
        want: [/looks like a Compose file/],
      },
      { it: 'an unknown kind', text: app('a').replace('App', 'Ap'), want: [/^m\/a\.yaml:2:7 kind: Unknown kind "Ap"/] },
      {
        it: 'every wrong field, where it is written',
        text: app(
          'a',
          '\n  services:\n    web:\n      image: x\n      enviroment: {A: b}\n      ports:\n      - 8080:80\n      - 99999999\n    db: {}',
        ),
        want: [
          /^m\/a\.yaml:8:7 spec\.services\.web\.enviroment: .*environment/,
          /^m\/a\.yaml:11:9 spec\.services\.web\.ports\[1\]: /,
          /^m\/a\.yaml:12:5 spec\.services\.db/,
        ],
      },
      {
        it: 'a target state for another device',
        text: `${'f'.repeat(32)}: {name: x, apps: {}}\n`,
        want: [/Expected target state for local device with uuid/],
      },
      {
        it: 'a target state with something wrong',
        text: '{"local":{"apps":{"abc":{"name":"x"}}}}',
        want: [/Invalid target state\.; Expecting NumericIdentifier/],
      },
    ];
    for (const { it: title, text, want } of cases) {
      it(title, () => {
        const { documents, problems } = read(text);
        assert.deepEqual(documents, []);
        const lines = problems.map(problemLine).sort();
        assert.equal(lines.length, want.length, lines.join('\n'));
        for (const one of want)
          assert.ok(
            lines.some((line) => one.test(line)),
            `${one} is not in:\n${lines.join('\n')}`,
          );
      });
    }

    it('one document and takes the others of the file', () => {
      const { documents, problems } = read(`${app('good')}---\n${app('bad', '{servces: {}}')}`);
      assert.deepEqual(
        documents.map(({ document }) => document.metadata.name),
        ['good'],
      );
      assert.deepEqual(
        problems.map(({ kind, name }) => `${kind}/${name}`),
        ['App/bad'],
      );
    });

    it('a document without a readable name in the name of its whole file', () => {
      const [problem] = read('apiVersion: supercargo.io/v1\nkind: App\nmetadata: {}\nspec: {}\n').problems;
      assert.equal(problem?.name, undefined);
      assert.equal(problem?.source?.file, 'm/a.yaml');
    });
  });

  describe('what reaches into the host', () => {
    const volumes = { d: { driver_opts: { type: 'none', o: 'bind', device: '/etc' } } };

    it('is refused in a document, with file, line, path and what to write', () => {
      const text = [
        'apiVersion: supercargo.io/v1',
        'kind: App',
        'metadata: { name: a }',
        'spec:',
        '  volumes:',
        '    d:',
        '      driver_opts:',
        '        type: none',
        '        o: bind',
        '        device: /etc',
      ].join('\n');
      assert.deepEqual(read(text).problems.map(problemLine), [
        'm/a.yaml:10:17 spec.volumes.d.driver_opts.device: the option device mounts /etc of the host only with spec.allowHostBinds: true; say so, or leave the option out for a volume that the engine keeps',
      ]);
      assert.equal(read(`${text}\n  allowHostBinds: true`).problems.length, 0);
    });

    it('is taken from a target state, which is known for one from then on', () => {
      const app = { name: 'a', commit: 'c', releaseId: 1, services: {}, volumes, networks: {} };
      const { documents, problems } = read(JSON.stringify({ local: { apps: { 1: app } } }));
      assert.deepEqual(problems, []);
      assert.deepEqual(
        documents.map(({ source }) => source),
        [{ file: 'm/a.yaml', line: 1, column: 1, isTargetState: true }],
      );
    });
  });

  it('reads any text up to its limit in a bounded time', function () {
    this.timeout(180_000);
    for (const piece of ['"', "'\n", '&a *a ', '- - x\n', '%YAML 1.1\n---\n', '!a ', '{a: ']) {
      const startedAt = process.cpuUsage();
      read(piece.repeat(Math.floor(LIMIT_BYTES / piece.length)));
      const usedMs = process.cpuUsage(startedAt).user / 1000;
      assert.ok(usedMs < 8000, `${JSON.stringify(piece)} took ${usedMs} ms`);
    }
  });

  it('warns of what looks like a variable, once for each kind, and takes it as it is', () => {
    const text = [
      'apiVersion: supercargo.io/v1',
      'kind: App',
      'metadata: { name: a }',
      'spec:',
      '  services:',
      '    web:',
      '      image: busybox:1',
      '      command: echo $HOME ${NAME:-x} $$',
      '      environment: { OTHER: "${OTHER}" }',
    ].join('\n');
    const { documents, problems, warnings } = read(text);
    assert.deepEqual([documents.length, problems], [1, []]);
    assert.deepEqual(
      warnings.map(({ message, path, source }) => `${source?.line} ${path}: ${message}`),
      [
        '8 spec.services.web.command: ${NAME:-x} stays as it is: variables are filled in for documents of a GitSource only',
        '8 spec.services.web.command: $$ stays two dollar signs: only documents of a GitSource need to write a dollar sign twice',
      ],
    );
  });
});
