import assert from 'node:assert/strict';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { type Schema, schemaAt } from '../../../../crds/schema/schema.js';
import { SCHEMAS } from '../../../../crds/schema/schemas.js';

export const document = (kind: string, name: string, spec: unknown, more: object = {}) => ({
  apiVersion: 'supercargo.io/v1',
  kind,
  metadata: { name },
  spec,
  ...more,
});
export const app = (spec: unknown, more: object = {}) => document('App', 'hello', spec, more);
export const service = (fields: object) => app({ services: { web: { image: 'busybox:1.36', ...fields } } });

/** Every issue as one line; empty for a good document. */
export function issuesOf(value: unknown): string[] {
  const parsed = parseDocument(value);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`);
}

/** The spec of a document that must be good. */
export function specOf(value: unknown): unknown {
  const parsed = parseDocument(value);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document.spec;
}

/** Schemas of the fields of a service. */
export const fieldSchemas = (): Readonly<Record<string, Schema>> =>
  schemaAt(SCHEMAS.App.spec, ['services', '*'])?.properties ?? {};
