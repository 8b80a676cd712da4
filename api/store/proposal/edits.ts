import {
  type AnyDeclared,
  type AnyResource,
  API_VERSION,
  type Key,
  type Metadata,
  type Origin,
  type Problem,
  type RequestName,
  type Requests,
} from '../../../crds/model/kinds.js';
import type { Declaration, Entry } from '../entry.js';
import { finalizersOf } from '../finalizers.js';
import { frozen } from '../frozen.js';
import type { Change } from '../store.js';
import { type Decision, planProposal } from './plan-proposal.js';

/** One document before and after a change, without status and resourceVersion, which are written separately. */
export interface Edit {
  readonly key: Key;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
  readonly parts: Change['parts'];
  /** False when nothing on disk differs. */
  readonly durable: boolean;
}

/** Time and rank that an edit needs, so that the rest is a function of values. */
export interface Fresh {
  readonly nowMs: number;
  readonly uid: () => string;
  /** Returns the rank of a new document; each call returns a higher one. */
  readonly order: () => number;
}

/** Applies the decisions to values; several about one document become one edit. */
export function editsOf(
  decisions: readonly Decision[],
  entries: ReadonlyMap<Key, Entry>,
  fresh: Fresh,
): readonly Edit[] {
  const edits = new Map<Key, Edit>();
  for (const decision of decisions) {
    const { key } = decision;
    const earlier = edits.get(key);
    const before = earlier ? earlier.before : entries.get(key);
    const current = earlier ? earlier.after : before;
    const { after, parts, durable } = carryOut(decision, current, fresh);
    edits.set(key, {
      key,
      before,
      after,
      parts: [...new Set([...(earlier?.parts ?? []), ...parts])],
      durable: durable || (earlier?.durable ?? false),
    });
  }
  return [...edits.values()];
}

function carryOut(decision: Decision, current: Entry | undefined, fresh: Fresh): Omit<Edit, 'key' | 'before'> {
  if (decision.do === 'create') {
    return { after: created(decision.declaration, fresh), parts: ['spec', 'metadata'], durable: true };
  }
  if (!current) throw new Error(`Cannot ${decision.do} ${decision.key}: no such document`);
  switch (decision.do) {
    case 'change':
      return { after: changed(current, decision), parts: decision.parts, durable: true };
    case 'mark':
      return {
        after: withMetadata(current, { deletionTimestamp: timestamp(fresh.nowMs) }),
        parts: ['metadata'],
        durable: true,
      };
    case 'remove':
      return { after: undefined, parts: ['metadata'], durable: true };
    case 'await':
      return {
        after: frozen({ ...current, pendingReplacements: decision.pendingReplacements }),
        parts: ['metadata'],
        durable: true,
      };
    case 'note':
      return { after: withMetadata(current, { problem: decision.problem }), parts: ['metadata'], durable: false };
  }
}

/** Returns the edit that adds requests to a document. Pure. */
export function requestEdit(key: Key, entry: Entry, requests: Requests): Edit {
  const { resource } = entry;
  const after = { ...entry, resource: { ...resource, requests: { ...resource.requests, ...requests } } };
  return { key, before: entry, after: frozen(entryOf(after)), parts: ['requests'], durable: true };
}

/** Returns the edit that removes a request from a document. Pure. */
export function withdrawalEdit(key: Key, entry: Entry, name: RequestName): Edit {
  const { resource } = entry;
  const { [name]: _withdrawn, ...requests } = resource.requests;
  const after = { ...entry, resource: { ...resource, requests } };
  return { key, before: entry, after: frozen(entryOf(after)), parts: ['requests'], durable: true };
}

/**
 * Returns when the latest request was made, ms since the epoch; 0 without any. A clock that is set back must not
 * reverse their order. Pure.
 */
export const lastRequestMs = (all: Iterable<Entry>): number =>
  [...all].reduce(
    (latest, { resource }) => Math.max(latest, ...Object.values(resource.requests).map(({ at }) => Date.parse(at))),
    0,
  );

/**
 * Returns the edits that remove a deleted document and create those that waited for it. Declarations that cannot be
 * created after all are refused, by origin.
 */
export function releaseEdits(
  key: Key,
  entries: ReadonlyMap<Key, Entry>,
  fresh: Fresh,
): { readonly edits: readonly Edit[]; readonly refused: readonly (Problem & { readonly origin: Origin })[] } {
  const before = entries.get(key);
  const edits: Edit[] = [{ key, before, after: undefined, parts: ['metadata'], durable: true }];
  const refused: (Problem & { origin: Origin })[] = [];
  const rest = new Map(entries);
  rest.delete(key);
  for (const { document, origin, owner, source, declaredBy } of before?.pendingReplacements ?? []) {
    const proposal = {
      origin,
      ...(owner ? { owner } : {}),
      documents: [{ document, ...(source ? { source } : {}), ...(declaredBy === undefined ? {} : { declaredBy }) }],
    };
    const plan = planProposal(rest, proposal, 'upsert');
    refused.push(...plan.refused.map((problem) => ({ ...problem, origin })));
    for (const edit of editsOf(plan.decisions, rest, fresh)) {
      edits.push(edit);
      if (edit.after) rest.set(edit.key, edit.after);
    }
  }
  return { edits, refused };
}

function created(declaration: Declaration, fresh: Fresh): Entry {
  const { document } = declaration;
  const metadata: Metadata = {
    ...declaredMetadata(declaration),
    uid: fresh.uid(),
    generation: 1,
    resourceVersion: '0', // set when it becomes visible
    creationTimestamp: timestamp(fresh.nowMs),
    finalizers: finalizersOf(document.kind, document.metadata.name),
  };
  return frozen(
    entryOf({ resource: resourceOf(document, metadata, {}), order: fresh.order(), pendingReplacements: [] }),
  );
}

function changed(entry: Entry, { declaration, parts }: Decision & { do: 'change' }): Entry {
  const { metadata, requests } = entry.resource;
  const { labels: _l, annotations: _a, owner: _o, source: _s, declaredBy: _d, ...kept } = metadata;
  const specChanged = parts.includes('spec');
  const next: Metadata = {
    ...kept,
    ...declaredMetadata(declaration),
    generation: metadata.generation + (specChanged ? 1 : 0),
  };
  // An equal spec stays the same object, with its hash.
  const document = { ...declaration.document, ...(specChanged ? {} : { spec: entry.resource.spec }) };
  return frozen(entryOf({ ...entry, resource: resourceOf(document, next, requests) }));
}

const declaredMetadata = ({ document, origin, owner, source, declaredBy }: Declaration) => ({
  name: document.metadata.name,
  origin,
  ...(owner ? { owner } : {}),
  ...(source ? { source } : {}),
  ...(declaredBy === undefined ? {} : { declaredBy }),
  ...(document.metadata.labels ? { labels: document.metadata.labels } : {}),
  ...(document.metadata.annotations ? { annotations: document.metadata.annotations } : {}),
});

const withMetadata = (entry: Entry, some: Partial<Metadata>): Entry =>
  frozen(entryOf({ ...entry, resource: { ...entry.resource, metadata: { ...entry.resource.metadata, ...some } } }));

/** Returns RFC 3339 in whole seconds, as Kubernetes writes it. */
const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

type Loose = Omit<AnyResource, 'kind' | 'spec' | 'status'> & Pick<AnyResource, 'kind' | 'spec' | 'status'>;

const resourceOf = (
  { kind, spec }: Pick<AnyDeclared, 'kind'> & { spec: AnyResource['spec'] },
  metadata: Metadata,
  requests: Requests,
): Loose => ({ apiVersion: API_VERSION, kind, metadata, spec, requests });

/** The one cast that TypeScript cannot check: kind, spec and status come from one document, so they fit. */
export const entryOf = (parts: Omit<Entry, 'resource'> & { readonly resource: Loose }): Entry => parts as Entry;
