import { canonical } from '../../../crds/model/hash.js';
import type { AnyResource, Key, Problem, Source } from '../../../crds/model/kinds.js';
import { hashOf } from '../frozen.js';
import { type Declaration, type Held, isTerminating, keyOfDeclared } from '../held.js';
import type { Proposal } from '../store.js';
import { type Placed, place, placeOf, refusal } from './placement.js';

/** One thing to do to one document because of what an origin said. */
export type Decision =
  | { readonly do: 'create'; readonly key: Key; readonly declaration: Declaration }
  | {
      readonly do: 'change';
      readonly key: Key;
      readonly declaration: Declaration;
      readonly parts: readonly ('spec' | 'metadata')[];
    }
  /** Its controller cleans up, then lets go. */
  | { readonly do: 'mark'; readonly key: Key }
  /** Nothing to clean up: gone at once. */
  | { readonly do: 'remove'; readonly key: Key }
  /** Made when the document `key`, which is being deleted, has gone. The whole new list. */
  | { readonly do: 'await'; readonly key: Key; readonly successors: readonly Declaration[] }
  /** What the origin last said of it that was not accepted, or no longer anything. In memory only. */
  | { readonly do: 'note'; readonly key: Key; readonly problem: Problem | undefined };

export interface ProposalPlan {
  readonly decisions: readonly Decision[];
  readonly refused: readonly Problem[];
}

/** `whole`: what is not declared is deleted. `one`: says nothing of other documents. */
export type Extent = 'whole' | 'one';

/**
 * What an origin's word means for what is held: unchanged documents cause no decision, nothing of another origin is
 * touched, nothing that a problem covers is deleted. Pure.
 */
export function planProposal(held: ReadonlyMap<Key, Held>, proposal: Proposal, extent: Extent = 'whole'): ProposalPlan {
  const { origin, problems = [] } = proposal;
  const { declarations, duplicates } = declarationsOf(held, proposal, extent);
  const leaving = new Set<Key>();
  if (extent === 'whole') {
    for (const [key, one] of held) {
      const mine = one.resource.metadata.origin === origin && !isTerminating(one);
      if (mine && !declarations.has(key) && !problemOf(problems, one.resource, 'absent')) leaving.add(key);
    }
  }

  const goesOnWaiting = (successor: Declaration): boolean => {
    if (successor.origin !== origin) return true;
    if (declarations.has(keyOfDeclared(successor.document))) return false; // decided anew
    return extent === 'one' || covers(problems, successor) !== undefined;
  };
  const placed = place(held, origin, declarations, leaving, goesOnWaiting);
  const refused = [...duplicates, ...placed.refused];
  const decisions: Decision[] = [];
  for (const key of leaving) {
    const finalizers = held.get(key)?.resource.metadata.finalizers ?? [];
    decisions.push({ do: finalizers.length > 0 ? 'mark' : 'remove', key });
  }
  for (const declaration of placed.taken) {
    const key = keyOfDeclared(declaration.document);
    const before = held.get(key);
    const parts = before ? changedParts(before.resource, declaration) : [];
    if (!before) decisions.push({ do: 'create', key, declaration });
    else if (parts.length > 0) decisions.push({ do: 'change', key, declaration, parts });
  }
  decisions.push(...awaits(held, leaving, goesOnWaiting, placed.waiting));
  decisions.push(...notes(held, proposal, extent, leaving, declarations, placed.taken, refused));
  return { decisions, refused };
}

/** First declaration of each name, and a problem for each further one. */
function declarationsOf(held: ReadonlyMap<Key, Held>, proposal: Proposal, extent: Extent) {
  const declarations = new Map<Key, Declaration>();
  const duplicates: Problem[] = [];
  for (const { document, source } of proposal.documents) {
    const key = keyOfDeclared(document);
    const first = declarations.get(key);
    if (first) {
      const message = `${key} is declared twice: ${placeOf(first.source)} and ${placeOf(source)}. The first one counts.`;
      duplicates.push(refusal({ document, ...(source ? { source } : {}) }, message));
      continue;
    }
    const owner = extent === 'whole' ? proposal.owner : (proposal.owner ?? held.get(key)?.resource.metadata.owner);
    declarations.set(key, {
      document,
      origin: proposal.origin,
      ...(owner ? { owner } : {}),
      ...(source ? { source } : {}),
    });
  }
  return { declarations, duplicates };
}

/** New successor lists of documents that are being deleted, where they differ from the present ones. */
function awaits(
  held: ReadonlyMap<Key, Held>,
  leaving: ReadonlySet<Key>,
  goesOnWaiting: (successor: Declaration) => boolean,
  waiting: Placed['waiting'],
): Decision[] {
  const decisions: Decision[] = [];
  for (const [key, one] of held) {
    if (!isTerminating(one) && !leaving.has(key)) continue;
    const kept = one.successors.filter(goesOnWaiting);
    const added = waiting.filter(({ behind }) => behind === key).map(({ declaration }) => declaration);
    const successors = [...kept, ...added];
    if (canonical(successors) !== canonical(one.successors)) decisions.push({ do: 'await', key, successors });
  }
  return decisions;
}

/** Problems to put on documents of this origin, or to take off. */
function notes(
  held: ReadonlyMap<Key, Held>,
  { origin, problems = [] }: Proposal,
  extent: Extent,
  leaving: ReadonlySet<Key>,
  declarations: ReadonlyMap<Key, Declaration>,
  taken: readonly Declaration[],
  refused: readonly Problem[],
): Decision[] {
  const decisions: Decision[] = [];
  const all = [...problems, ...refused];
  const note = (key: Key, before: Problem | undefined, problem: Problem | undefined): void => {
    if (canonical(before ?? null) !== canonical(problem ?? null)) decisions.push({ do: 'note', key, problem });
  };
  for (const [key, { resource }] of held) {
    if (resource.metadata.origin !== origin || leaving.has(key)) continue;
    // What a single `put` could not do is told to its caller; it says nothing of what was accepted before.
    if (extent === 'one' && !(declarations.has(key) && refused.length === 0)) continue;
    note(key, resource.metadata.problem, problemOf(all, resource, declarations.has(key) ? 'declared' : 'absent'));
  }
  for (const { document } of taken) {
    const key = keyOfDeclared(document);
    if (!held.has(key)) note(key, undefined, problemOf(all, document, 'declared'));
  }
  return decisions;
}

/** Spec by its hash; labels, annotations, owner and source by their text. Pure. */
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

/** The first problem that speaks of the document. One that names no document speaks only of those not declared. */
function problemOf(problems: readonly Problem[], document: Named, is: 'declared' | 'absent'): Problem | undefined {
  return problems.find(({ kind, name, source }) => {
    if (kind !== undefined && name !== undefined) return kind === document.kind && name === document.metadata.name;
    if (is === 'declared') return false;
    // Neither a document nor a file: it may be about any of them, so all are kept.
    return source === undefined || source.file === document.metadata.source?.file;
  });
}

const covers = (problems: readonly Problem[], { document, source }: Declaration): Problem | undefined =>
  problemOf(
    problems,
    { kind: document.kind, metadata: { name: document.metadata.name, ...(source ? { source } : {}) } },
    'absent',
  );
