import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { convertProject } from '../api/sources/compose/convert.js';
import { problemLine } from '../api/sources/documents.js';
import { readDocuments } from '../api/sources/files/read-documents.js';
import { parseDocument } from '../crds/schema/parse.js';
import { codeBlocks } from './setup/code-blocks.js';

const options = { parse: parseDocument, deviceUuid: '0'.repeat(32) };
const filesOf = (folder: string) =>
  readdirSync(folder)
    .filter((name) => /\.(yaml|yml|json)$/.test(name))
    .map((name) => join(folder, name));

/** As kubectl's `apply` sends a document. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutNulls(one)]));
}

describe('documents to copy', () => {
  const files = [...filesOf('manifests'), ...filesOf('examples')];
  const names = new Map<string, string>();

  for (const file of files) {
    it(`${file} is taken without a complaint`, () => {
      const { documents, problems, warnings } = readDocuments(readFileSync(file), file, options);
      assert.deepEqual([...problems, ...warnings].map(problemLine), []);
      assert.ok(documents.length > 0);
      for (const { document } of documents) {
        const key = `${document.kind}/${document.metadata.name}`;
        assert.equal(names.get(key), undefined, `${key} is in ${names.get(key)} too`);
        names.set(key, file);
      }
    });
  }

  for (const file of files) {
    it(`${file} says the same to kubectl, which reads YAML 1.1 and drops what is null`, () => {
      const text = readFileSync(file, 'utf8');
      const parsed = (version: '1.1' | '1.2') => parseAllDocuments(text, { version }).map((one) => one.toJS());
      assert.deepEqual(withoutNulls(parsed('1.1')), parsed('1.2'));
    });
  }

  it('begin with an app that shows an edit', () => {
    const [first] = readDocuments(readFileSync('manifests/hello.yaml'), 'manifests/hello.yaml', options).documents;
    assert.ok(first?.document.kind === 'App');
    const { web } = first.document.spec.services ?? {};
    assert.equal(first.document.spec.appId, undefined);
    assert.equal(web?.image, 'busybox:latest');
    assert.ok(web?.healthcheck);
    assert.deepEqual(web?.ports, ['8080:80']);
    assert.deepEqual(Object.keys(first.document.spec.volumes ?? {}), ['data']);
    assert.match(JSON.stringify(web?.command), /\$GREETING/);
  });

  it('cover the forms that people ask for', () => {
    const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const form of [
      'depends_on',
      'restart: "no"',
      'network_mode: host',
      'ipam',
      'driver_opts',
      '"local"',
      'allowHostBinds',
    ]) {
      assert.ok(text.includes(form), form);
    }
  });
});

describe('examples/compose', () => {
  it('is taken without a complaint', async () => {
    const folder = resolve('examples/compose');
    const readFile = async (path: string) => ({ text: existsSync(path) ? readFileSync(path, 'utf8') : undefined });
    const { document, problems, warnings } = await convertProject({ folder, readFile }, parseDocument);
    assert.deepEqual([...problems, ...warnings].map(problemLine), []);
    const annotations = { 'supercargo.io/compose-files': 'compose.yaml' };
    assert.deepEqual(document?.metadata, { name: 'compose', annotations });
  });
});

describe('examples/install', () => {
  const flagsOf = (file: string) =>
    [...readFileSync(join('examples/install', file), 'utf8').matchAll(/--(engine|data|manifests|listen)\b/g)].map(
      ([, flag]) => flag,
    );

  it('starts the agent with the same flags as a unit and as a container', () => {
    const wanted = ['engine', 'data', 'manifests', 'listen'];
    assert.deepEqual(flagsOf('supercargo.service'), wanted);
    assert.deepEqual(flagsOf('Dockerfile'), wanted);
  });

  it('builds the container from files that exist', () => {
    const [document] = parseAllDocuments(readFileSync('examples/install/compose.yaml', 'utf8'));
    assert.ok(document);
    const { build } = (
      document.toJS() as { services: { supercargo: { build: { context: string; dockerfile: string } } } }
    ).services.supercargo;
    const context = join('examples/install', build.context);
    assert.ok(existsSync(join(context, 'package.json')));
    assert.ok(existsSync(join(context, build.dockerfile)));
  });
});

describe('the Compose file of README.md', () => {
  it('is taken without a complaint, with the .env that it asks for', async () => {
    const block = codeBlocks('README.md').find(
      ({ language, text }) => language === 'yaml' && text.startsWith('services:'),
    );
    assert.ok(block);
    const files: Readonly<Record<string, string>> = {
      '/shop/compose.yaml': block.text,
      '/shop/.env': 'TAG=1\nDB_PASSWORD=secret\n',
    };
    const options = { folder: '/shop', readFile: async (path: string) => ({ text: files[path] }) };
    const { problems, warnings } = await convertProject(options, parseDocument);
    assert.deepEqual([...problems, ...warnings].map(problemLine), []);
  });
});
