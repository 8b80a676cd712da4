import assert from 'node:assert/strict';
import fc from 'fast-check';
import { containerOptions } from '../../../controllers/service/container/container-options.js';
import { readDefinition } from '../../../controllers/service/container/definition.js';
import { specHash } from '../../../controllers/service/container/spec-hash.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { anyFields, respelt, reversedKeys } from './any-fields.js';
import { aServiceSpec, containerContext, identity } from './builders.js';

type Fields = Readonly<Record<string, unknown>>;
const RUNS = { numRuns: 150, seed: 20_261_125 };

/** As a document of files, git or the API comes in. */
function parsed(fields: Fields): Fields {
  const spec = { allowHostBinds: true, services: { web: { image: 'web:1', ...fields } } };
  const result = parseDocument({ apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec });
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.issues));
  assert.ok(result.document.kind === 'App');
  return { ...result.document.spec.services?.web };
}

/** Only whether the network of a sibling is shared depends on others; nothing here does. */
const optionsOf = (fields: Fields) => containerOptions({ ...containerContext, spec: aServiceSpec(fields) });
const hashOf = (fields: Fields): string => {
  const { definition } = readDefinition(aServiceSpec(fields));
  return specHash({ definition, imageId: 'sha256:feed', identity, api: undefined, cloud: undefined });
};
const holds = (property: (fields: Fields) => void): void => fc.assert(fc.property(anyFields, property), RUNS);

describe('any service', () => {
  it('is taken and comes to create options, the same ones each time, without a word left out', () => {
    holds((fields) => {
      const { options, warnings } = optionsOf(parsed(fields));
      assert.deepEqual(warnings, []);
      assert.deepEqual(optionsOf(parsed(fields)).options, options);
    });
  });

  it('is the same document when it is written out and read again', () => {
    holds((fields) => {
      const once = parsed(fields);
      const { image: _, ...again } = JSON.parse(JSON.stringify(once)) as Fields;
      assert.deepEqual(parsed(again), once);
    });
  });

  it('is the same container whatever the order of its keys', () => {
    holds((fields) => {
      const reversed = reversedKeys(parsed(fields)) as Fields;
      assert.deepEqual(Object.keys(reversed).reverse(), Object.keys(parsed(fields)));
      assert.equal(hashOf(reversed), hashOf(parsed(fields)));
    });
  });

  it('is the same container in short and in long words, with its defaults spelt out', () => {
    holds((fields) => assert.equal(hashOf(parsed(respelt(fields))), hashOf(parsed(fields))));
  });

  it('is another container with anything else about it', () => {
    fc.assert(
      fc.property(anyFields, fc.stringMatching(/^[a-z]{9}$/), (fields, extra) => {
        assert.notEqual(hashOf({ ...fields, labels: { ...fields.labels, extra } }), hashOf(fields));
      }),
      RUNS,
    );
  });
});
