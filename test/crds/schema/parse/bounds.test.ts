import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { LIMITS } from '../../../../crds/schema/plain.js';
import type { Schema } from '../../../../crds/schema/schema.js';
import { SCHEMAS } from '../../../../crds/schema/schemas.js';
import { cpuStopwatch } from '../../../setup/cpu-time.js';
import { app, fieldSchemas, issuesOf, service } from './a-document.js';

describe('parseDocument', () => {
  describe('takes bounded time for', () => {
    const deep = (levels: number): unknown => {
      let value: unknown = 'bottom';
      for (let level = 0; level < levels; level++) value = { a: value };
      return value;
    };
    const bomb = (): unknown => {
      let value: unknown = ['lol'];
      for (let level = 0; level < 30; level++) value = Array(10).fill(value);
      return value;
    };
    const loop = (): unknown => {
      const value: Record<string, unknown> = {};
      value.self = value;
      return value;
    };
    const tooDeep = `: The document is nested too deeply: at most ${LIMITS.depth} levels`;
    const tooMany = `: The document is too large: at most ${LIMITS.values} values`;
    const tooLong = ': The document is too large: at most 1024 KiB of text';
    const cases: [name: string, value: () => unknown, want: string][] = [
      ['a value of 100 000 levels', () => app({ services: deep(100_000) }), tooDeep],
      ['a deep contract, where anything may stand', () => service({ contract: deep(100) }), tooDeep],
      ['an alias bomb', () => app({ services: bomb() }), tooMany],
      ['a value that holds itself', () => app({ services: loop() }), tooDeep],
      ['10 MB of text', () => service({ command: 'x'.repeat(10_000_000) }), tooLong],
      ['10 MB of names', () => service({ ['x'.repeat(10_000_000)]: 1 }), tooLong],
      [
        'thousands of services, networks and volumes',
        () =>
          app({
            services: Object.fromEntries(Array.from({ length: 1_999 }, (_, at) => [`s${at}`, { image: 'x' }])),
            networks: { n: {} },
            volumes: { v: {} },
          }),
        'spec: Too many: 2001 services, networks and volumes, at most 2000; make several Apps of it',
      ],
      ['a million items', () => service({ command: Array(1_000_000).fill('x') }), tooMany],
    ];
    for (const [name, value, want] of cases) {
      it(name, () => assert.deepEqual(issuesOf(value()), [want]));
    }

    it('thousands of issues, of which it lists fifty', () => {
      const parsed = parseDocument(service({ ports: Array(5000).fill(true) }));
      assert.ok(!parsed.ok);
      assert.equal(parsed.issues.length, 51);
      assert.deepEqual(parsed.issues.at(-1), { path: '', message: 'and 4950 more' });
    });

    it('texts that make patterns go back and forth', () => {
      const patterns = new Set<string>();
      const collect = (schema: Schema | false | undefined): void => {
        if (!schema) return;
        if (schema.pattern !== undefined) patterns.add(schema.pattern);
        collect(schema.items);
        collect(schema.additionalProperties);
        for (const field of Object.values(schema.properties ?? {})) collect(field);
      };
      for (const { spec } of Object.values(SCHEMAS)) collect(spec);
      assert.ok(patterns.size > 10);
      for (const pattern of patterns) {
        const expression = new RegExp(pattern, 'u');
        for (const unit of [' ', '1', 'a', ':', '/', '1:', 'a/', '1s ', '1s', '.', '1.', '-', '1-', '=']) {
          // Quadratic time would be 100 ms and more, each time; a busy machine is slow now and then.
          const isQuick = [1, 2, 3].some(() => {
            const usedMs = cpuStopwatch();
            expression.test(`${unit.repeat(20_000)}!`);
            return usedMs() < 50;
          });
          assert.ok(isQuick, `${pattern} is slow on ${JSON.stringify(unit)}`);
        }
      }
    });
  });

  it('answers any value without throwing, and only with issues that have a message', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true });
    const near = fc.record({
      apiVersion: fc.constant('supercargo.io/v1'),
      kind: fc.constantFrom(...Object.keys(SCHEMAS)),
      metadata: fc.constant({ name: 'device' }),
      spec: anything,
    });
    const field = fc.tuple(fc.constantFrom(...Object.keys(fieldSchemas())), anything);
    const services = field.map(([name, value]) => service({ [name]: value }));
    fc.assert(
      fc.property(fc.oneof(anything, near, services), (value) => {
        const parsed = parseDocument(value);
        if (!parsed.ok) assert.ok(parsed.issues.length > 0 && parsed.issues.every(({ message }) => message !== ''));
        else assert.deepEqual(parseDocument(parsed.document), parsed);
      }),
      { numRuns: 2000 },
    );
  });
});
