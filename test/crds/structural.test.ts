import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { descriptorOf, KINDS, PLURALS } from '../../crds/model/kinds.js';

/** Keywords of apiextensions.k8s.io/v1 JSONSchemaProps that are used here; others are refused by strict decoding. */
const KEYWORDS = [
  ...['type', 'format', 'title', 'description', 'nullable', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum'],
  ...['maximum', 'required', 'properties', 'additionalProperties', 'items', 'x-kubernetes-int-or-string'],
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
];
const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object'];

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object' && !Array.isArray(value);

/** What the API server would refuse in a schema, and fields without description. */
function violations(node: unknown, path: string): string[] {
  if (!isNode(node)) return [`${path}: not a schema`];
  const found: string[] = [];
  const intOrString = node.type === undefined && node['x-kubernetes-int-or-string'] === true;
  const open = node['x-kubernetes-preserve-unknown-fields'] === true;
  for (const keyword of Object.keys(node)) if (!KEYWORDS.includes(keyword)) found.push(`${path}: keyword ${keyword}`);
  if (node.type !== undefined && !TYPES.includes(String(node.type))) found.push(`${path}: type ${node.type}`);
  if (node.type === undefined && !intOrString && !open) found.push(`${path}: no type`);
  if (node['x-kubernetes-int-or-string'] && node.type !== undefined) found.push(`${path}: int-or-string with a type`);
  if (node.properties !== undefined && node.additionalProperties !== undefined) {
    found.push(`${path}: properties beside additionalProperties`);
  }
  if (node['x-kubernetes-list-type'] !== undefined && node.type !== 'array')
    found.push(`${path}: list type of no list`);
  if (node.type === 'array' && node.items === undefined) found.push(`${path}: array without items`);
  if (node['x-kubernetes-preserve-unknown-fields'] === false) found.push(`${path}: preserve-unknown-fields: false`);
  if (typeof node.pattern === 'string') {
    // Kubernetes reads patterns with RE2, which has no look-around and no references back.
    if (/\(\?[=!<]|\\[1-9]/.test(node.pattern)) found.push(`${path}: pattern that RE2 does not know`);
    new RegExp(node.pattern, 'u');
  }
  if (node.items !== undefined) found.push(...violations(node.items, `${path}[]`));
  if (node.additionalProperties !== undefined) found.push(...violations(node.additionalProperties, `${path}.*`));
  for (const [name, field] of Object.entries(isNode(node.properties) ? node.properties : {})) {
    found.push(...violations(field, `${path}.${name}`));
    if (!isNode(field) || typeof field.description !== 'string' || !/\w.*\.$/.test(field.description)) {
      found.push(`${path}.${name}: no description that is a sentence`);
    }
  }
  for (const name of Array.isArray(node.required) ? node.required : []) {
    if (!isNode(node.properties) || !(name in node.properties)) found.push(`${path}: requires the unknown ${name}`);
  }
  return found;
}

const folder = new URL('../../crds/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const definitions = files.map((file) => ({ file, crd: parse(readFileSync(new URL(file, folder), 'utf8')) }));

describe('the CRD files', () => {
  it('cover every kind once', () => {
    assert.deepEqual(definitions.map(({ crd }) => crd.spec.names.kind).sort(), [...KINDS].sort());
    const shortNames = definitions.flatMap(({ crd }) => crd.spec.names.shortNames);
    assert.equal(new Set(shortNames).size, KINDS.length);
  });

  for (const { file, crd } of definitions) {
    describe(file, () => {
      it('is a CustomResourceDefinition of the group', () => {
        const { names, scope, group, versions } = crd.spec;
        const plural = Object.entries(PLURALS).find(([kind]) => kind === names.kind)?.[1];
        assert.equal(crd.apiVersion, 'apiextensions.k8s.io/v1');
        assert.equal(crd.kind, 'CustomResourceDefinition');
        assert.equal(crd.metadata.name, `${plural}.supercargo.io`);
        assert.deepEqual([names.plural, scope, group], [plural, 'Cluster', 'supercargo.io']);
        assert.deepEqual([names.singular, names.listKind], [names.kind.toLowerCase(), `${names.kind}List`]);
        assert.equal(versions.length, 1);
        assert.deepEqual([versions[0].name, versions[0].served, versions[0].storage], ['v1', true, true]);
        assert.deepEqual(versions[0].subresources, { status: {} });
      });

      it('says in annotations only what the program reads, and that of facts that it has', () => {
        const known = ['order', 'requests', 'finalizers', 'names', 'in-memory', 'read-only', 'reasons'].map(
          (name) => `supercargo.io/${name}`,
        );
        const { annotations } = crd.metadata;
        const unknown = Object.entries(annotations).filter(([name, text]) => !known.includes(name) || text === '');
        assert.deepEqual(unknown, []);
        const { properties: facts } = crd.spec.versions[0].schema.openAPIV3Schema.properties.status;
        const kind = KINDS.find((one) => one === crd.spec.names.kind);
        assert.ok(kind);
        const { inMemory, requests } = descriptorOf(kind);
        assert.deepEqual(
          inMemory.filter((fact) => !(fact in facts)),
          [],
        );
        // A request is pending until the status says that it was handled.
        assert.ok(requests.length === 0 || 'handled' in facts);
      });

      it('has a structural schema whose fields are all described', () => {
        const { properties, ...root } = crd.spec.versions[0].schema.openAPIV3Schema;
        const { metadata, ...fields } = properties;
        // Kubernetes describes metadata itself and refuses anything beside the type, even a description.
        assert.deepEqual(metadata, { type: 'object' });
        assert.equal(root.type, 'object');
        assert.deepEqual(violations({ ...root, properties: fields }, ''), []);
      });

      it('has columns for facts that the schema has', () => {
        const [{ additionalPrinterColumns: columns, schema }] = crd.spec.versions;
        for (const { name, type, jsonPath } of columns) {
          assert.ok(['string', 'integer', 'boolean', 'date', 'number'].includes(type), name);
          if (!/^\.(spec|status)\.\w+(\.\w+)*$/.test(jsonPath)) continue;
          let node = schema.openAPIV3Schema;
          for (const step of jsonPath.slice(1).split('.')) node = node?.properties?.[step];
          assert.ok(node, `${name} shows ${jsonPath}, which is no field`);
        }
        assert.ok(columns.some(({ name }: { name: string }) => name === 'Ready'));
      });
    });
  }

  it('would fail the check with a wrong schema', () => {
    const wrong = {
      type: 'object',
      additionalProperties: { type: 'string' },
      properties: { a: { $ref: '#/b' }, c: { type: 'array', description: 'It has (?=x) in it.', pattern: '(?=x)' } },
      required: ['d'],
    };
    assert.deepEqual(violations(wrong, 'x'), [
      'x: properties beside additionalProperties',
      'x.a: keyword $ref',
      'x.a: no type',
      'x.a: no description that is a sentence',
      'x.c: array without items',
      'x.c: pattern that RE2 does not know',
      'x: requires the unknown d',
    ]);
  });
});
