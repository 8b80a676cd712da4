import { withDefaults } from '../../../crds/model/defaults.js';
import { canonical } from '../../../crds/model/hash.js';
import type { AnyResource, Key, Problem, Source } from '../../../crds/model/kinds.js';
import { ownIpc } from '../../../crds/schema/check-release.js';
import { type Declaration, type Entry, isTerminating, keyOfDeclared } from '../entry.js';
import { hashOf } from '../frozen.js';
import type { Proposal } from '../store.js';
import { decideOwnership, type OwnershipDecision, placeOf, refusal } from './ownership.js';

/** One change of one document that follows from a proposal. */
export type Decision =
  | { readonly do: 'create'; readonly key: Key; readonly declaration: Declaration }
  | {
      readonly do: 'change';
      readonly key: Key;
      readonly declaration: Declaration;
      readonly parts: readonly ('spec' | 'metadata')[];
    }
  /** Marks it for deletion: its controller cleans up, then releases it. */
  | { readonly do: 'mark'; readonly key: Key }
  /** Removes it at once: there is nothing to clean up. */
  | { readonly do: 'remove'; readonly key: Key }
  /** Replaces the list of declarations that are created when the document `key`, which is being deleted, has gone. */
  | { readonly do: 'await'; readonly key: Key; readonly pendingReplacements: readonly Declaration[] }
  /** Notes what the origin last declared of it that was not accepted; undefined ends the note. In memory only. */
  | { readonly do: 'note'; readonly key: Key; readonly problem: Problem | undefined };

export interface ProposalPlan {
  readonly decisions: readonly Decision[];
  readonly refused: readonly Problem[];
}

/** `replace`: documents of the origin that are not declared are deleted. `upsert`: other documents are left alone. */
export type ProposalMode = 'replace' | 'upsert';

/**
 * Decides what a proposal changes. An unchanged document causes no decision, a document of another origin is not
 * touched, and none that a problem covers is deleted. Pure.
 */
export function planProposal(
  entries: ReadonlyMap<Key, Entry>,
  proposal: Proposal,
  mode: ProposalMode = 'replace',
): ProposalPlan {
  const { origin, problems = [] } = proposal;
  const { declarations, duplicates, contradictory } = declarationsOf(entries, proposal, mode);
  const deleted = new Map<Key, Entry>();
  if (mode === 'replace') {
    for (const [key, one] of entries) {
      const mine = one.resource.metadata.origin === origin && !isTerminating(one);
      if (mine && !declarations.has(key) && !problemOf(problems, one.resource, { isDeclared: false }))
        deleted.set(key, one);
    }
  }

  const keepsWaiting = (replacement: Declaration): boolean => {
    if (replacement.origin !== origin) return true;
    if (declarations.has(keyOfDeclared(replacement.document))) return false; // decided below
    return mode === 'upsert' || covers(problems, replacement) !== undefined;
  };
  const placed = decideOwnership(entries, origin, declarations, deleted, keepsWaiting);
  const refused = [...duplicates, ...contradictory, ...placed.refused];
  const decisions: Decision[] = [];
  for (const [key, { resource }] of deleted) {
    decisions.push({ do: resource.metadata.finalizers.length > 0 ? 'mark' : 'remove', key });
  }
  for (const taken of placed.taken) {
    const key = keyOfDeclared(taken.document);
    const before = entries.get(key);
    const declaration = before ? withCauseOf(before.resource, taken) : taken;
    if (!before) {
      decisions.push({ do: 'create', key, declaration });
      continue;
    }
    const parts = changedParts(before.resource, declaration);
    if (parts.length > 0) decisions.push({ do: 'change', key, declaration, parts });
  }
  decisions.push(...awaits(entries, deleted, keepsWaiting, placed.waiting));
  decisions.push(...notes(entries, proposal, mode, deleted, declarations, placed.taken, refused));
  return { decisions, refused };
}

/**
 * Returns the first declaration of each name with what it leaves out said, and problems: one for each further one, and those of
 * what contradicts itself by that.
 */
function declarationsOf(entries: ReadonlyMap<Key, Entry>, proposal: Proposal, mode: ProposalMode) {
  const declarations = new Map<Key, Declaration>();
  const duplicates: Problem[] = [];
  const contradictory: Problem[] = [];
  for (const { document: written, source, declaredBy } of proposal.documents) {
    const key = keyOfDeclared(written);
    const first = declarations.get(key);
    if (first) {
      const message = `${key} is declared twice: ${placeOf(first.source)} and ${placeOf(source)}. The first one counts.`;
      duplicates.push(refusal({ document: written, ...(source ? { source } : {}) }, message, 'metadata.name'));
      continue;
    }
    const place = { origin: proposal.origin, ...(source ? { source } : {}) };
    const document = withDefaults(written, place, entries.get(key)?.resource);
    if (document !== written && document.kind === 'App') {
      // Nobody could know before what it means.
      const problems = ownIpc(document.spec).map(({ path, message }) =>
        refusal({ document, ...(source ? { source } : {}) }, message, path),
      );
      contradictory.push(...problems);
      if (problems.length > 0) continue;
    }
    const owner = mode === 'replace' ? proposal.owner : (proposal.owner ?? entries.get(key)?.resource.metadata.owner);
    declarations.set(key, {
      document,
      origin: proposal.origin,
      ...(owner ? { owner } : {}),
      ...(source ? { source } : {}),
      ...(declaredBy === undefined ? {} : { declaredBy }),
    });
  }
  return { declarations, duplicates, contradictory };
}

/** Returns new lists of replacements for documents that are being deleted, where they differ from the present ones. */
function awaits(
  entries: ReadonlyMap<Key, Entry>,
  deleted: ReadonlyMap<Key, Entry>,
  keepsWaiting: (replacement: Declaration) => boolean,
  waiting: OwnershipDecision['waiting'],
): Decision[] {
  const decisions: Decision[] = [];
  for (const [key, one] of entries) {
    if (!isTerminating(one) && !deleted.has(key)) continue;
    const kept = one.pendingReplacements.filter(keepsWaiting);
    const added = waiting.filter(({ behind }) => behind === key).map(({ declaration }) => declaration);
    const pendingReplacements = [...kept, ...added];
    if (canonical(pendingReplacements) !== canonical(one.pendingReplacements))
      decisions.push({ do: 'await', key, pendingReplacements });
  }
  return decisions;
}

/** Returns the problems to set on documents of this origin, or to clear. */
function notes(
  entries: ReadonlyMap<Key, Entry>,
  { origin, problems = [] }: Proposal,
  mode: ProposalMode,
  deleted: ReadonlyMap<Key, Entry>,
  declarations: ReadonlyMap<Key, Declaration>,
  taken: readonly Declaration[],
  refused: readonly Problem[],
): Decision[] {
  const decisions: Decision[] = [];
  const all = [...problems, ...refused];
  const note = (key: Key, before: Problem | undefined, problem: Problem | undefined): void => {
    if (canonical(before ?? null) !== canonical(problem ?? null)) decisions.push({ do: 'note', key, problem });
  };
  for (const [key, { resource }] of entries) {
    if (resource.metadata.origin !== origin || deleted.has(key)) continue;
    // A single `put` returns its refusal to its caller; earlier notes stay.
    if (mode === 'upsert' && !(declarations.has(key) && refused.length === 0)) continue;
    note(key, resource.metadata.problem, problemOf(all, resource, { isDeclared: declarations.has(key) }));
  }
  for (const { document } of taken) {
    const key = keyOfDeclared(document);
    if (!entries.has(key)) note(key, undefined, problemOf(all, document, { isDeclared: true }));
  }
  return decisions;
}

/** Whoever declares the same spec again did not bring it: the document goes on naming the commit or the caller that did. Pure. */
function withCauseOf(before: AnyResource, declaration: Declaration): Declaration {
  if (hashOf(before.spec) !== hashOf(declaration.document.spec)) return declaration;
  const { source, declaredBy: _again, ...rest } = declaration;
  const { source: earlier, declaredBy } = before.metadata;
  return {
    ...rest,
    ...(source ? { source: withCommit(source, source.commit && earlier?.commit) } : {}),
    ...(declaredBy === undefined ? {} : { declaredBy }),
  };
}

const withCommit = ({ commit: _later, ...place }: Source, commit: Source['commit']): Source =>
  commit ? { ...place, commit } : place;

/** Returns what differs: the spec by its hash; labels, annotations, owner and source by their text. Pure. */
function changedParts(before: AnyResource, declaration: Declaration): ('spec' | 'metadata')[] {
  const { document, owner, source } = declaration;
  const parts: ('spec' | 'metadata')[] = [];
  if (hashOf(before.spec) !== hashOf(document.spec)) parts.push('spec');
  const { labels, annotations } = document.metadata;
  const now = before.metadata;
  const was = { labels: now.labels, annotations: now.annotations, owner: now.owner, source: now.source };
  if (canonical(was) !== canonical({ labels, annotations, owner, source })) parts.push('metadata');
  return parts;
}

interface Named {
  readonly kind: AnyResource['kind'];
  readonly metadata: { readonly name: string; readonly source?: Source };
}

/** Returns the first problem that is about the document. One that names no document is only about those that are not declared. */
function problemOf(
  problems: readonly Problem[],
  document: Named,
  { isDeclared }: { readonly isDeclared: boolean },
): Problem | undefined {
  return problems.find(({ kind, name, source }) => {
    if (kind !== undefined && name !== undefined) return kind === document.kind && name === document.metadata.name;
    if (isDeclared) return false;
    // Neither a document nor a file: it may be about any of them, so all are kept.
    return source === undefined || isAt(source.file, document.metadata.source?.file);
  });
}

/** Tells whether a file is in a place: a file, or a folder (or a link to one) with everything in it. */
const isAt = (place: string, file: string | undefined): boolean =>
  file !== undefined && (file === place || file.startsWith(place.endsWith('/') ? place : `${place}/`));

const covers = (problems: readonly Problem[], { document, source }: Declaration): Problem | undefined =>
  problemOf(
    problems,
    { kind: document.kind, metadata: { name: document.metadata.name, ...(source ? { source } : {}) } },
    { isDeclared: false },
  );
