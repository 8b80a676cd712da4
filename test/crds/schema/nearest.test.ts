import assert from 'node:assert/strict';
import { nearest } from '../../../crds/schema/nearest.js';
import type { Schema } from '../../../crds/schema/schema.js';
import { SCHEMAS } from '../../../crds/schema/schemas.js';

describe('the word that was meant', () => {
  for (const [word, known, want] of [
    ['prots', ['ports', 'platform'], 'ports'],
    ['networkMode', ['network_mode', 'networks'], 'network_mode'],
    ['interal', ['internal', 'driver'], 'internal'],
    ['intrenal', ['internal', 'driver'], 'internal'],
    ['resumed', ['resume'], 'resume'],
    ['running', ['running'], 'running'],
    ['external', ['internal', 'driver'], undefined],
    ['extrenal', ['internal'], undefined],
    ['disable', ['enable'], undefined],
    ['enable', ['disable'], undefined],
    ['excludes', ['includes'], undefined],
    ['cap_drp', ['cap_add'], undefined],
    ['unhealthy', ['healthy'], undefined],
    ['service_unhealthy', ['service_healthy', 'service_started'], undefined],
    ['service_not_started', ['service_started', 'service_healthy'], undefined],
    ['serviceNotStarted', ['service_started'], undefined],
    ['disallowHostBinds', ['allowHostBinds'], undefined],
    ['dissallowHostBinds', ['allowHostBinds'], undefined],
    ['not_privileged', ['privileged'], undefined],
    ['stdin_no_open', ['stdin_open'], undefined],
    ['copy', ['nocopy'], undefined],
    ['service_heathy', ['service_healthy', 'service_started'], 'service_healthy'],
    ['min_free', ['max_free'], undefined],
    ['env', ['environment', 'init'], 'environment'],
    ['env_vars', ['environment', 'env_file'], 'environment'],
    ['env', ['init'], undefined],
  ] as const) {
    it(`is ${want ?? 'not the contrary'} for ${word}`, () => assert.equal(nearest(word, known), want));
  }

  it('is found for every field with a letter left out or doubled', () => {
    const fields = new Set<string>();
    const collect = ({ properties = {}, items, additionalProperties }: Partial<Schema>): void => {
      for (const [name, field] of Object.entries(properties)) {
        fields.add(name);
        collect(field);
      }
      if (items) collect(items);
      if (typeof additionalProperties === 'object') collect(additionalProperties);
    };
    for (const { spec } of Object.values(SCHEMAS)) collect(spec);
    const known = [...fields];
    assert.ok(known.length > 80);
    for (const field of known.filter(({ length }) => length > 5)) {
      const doubled = `${field.slice(0, 3)}${field.slice(2)}`;
      const cut = `${field.slice(0, -2)}${field.slice(-1)}`;
      for (const word of [doubled, cut]) if (!known.includes(word)) assert.equal(nearest(word, [field]), field, word);
    }
  });
});
