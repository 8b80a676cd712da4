import type { AnyDeclared, Key, Origin, Problem, Source } from '../../../crds/model/kinds.js';
import { type Declaration, type Entry, isTerminating, keyOfDeclared } from '../entry.js';
import type { Proposed } from '../store.js';
import { type DerivedName, derivedNames, NameHolders } from './derived-names.js';
import { immutableFieldChange } from './immutable-fields.js';

export interface OwnershipDecision {
  readonly taken: readonly Declaration[];
  /** Declarations that wait for a document (`behind`) which is being deleted and still has their names. */
  readonly waiting: readonly { readonly behind: Key; readonly declaration: Declaration }[];
  readonly refused: readonly Problem[];
}

/**
 * Decides which declarations are taken, which wait for a deletion, and which are refused because another origin or
 * document owns their names. Of objects on the engine the names after the proposal count: its documents may swap them.
 * A document that is refused keeps the names that it has, and no other one gets them. `deleted`: documents that this
 * proposal deletes. `keepsWaiting`: whether a pending replacement stays. Pure.
 */
export function decideOwnership(
  entries: ReadonlyMap<Key, Entry>,
  origin: Origin,
  declarations: ReadonlyMap<Key, Declaration>,
  deleted: ReadonlyMap<Key, Entry>,
  keepsWaiting: (replacement: Declaration) => boolean,
): OwnershipDecision {
  const known = { entries, origin, declarations, deleted, keepsWaiting };
  const refused = new Map<Key, Problem>();
  for (;;) {
    const before = refused.size;
    const { holders, promised } = holdersOf(known, refused);
    const { taken, waiting } = place(known, holders, promised, refused);
    if (refused.size === before) return { taken, waiting, refused: [...refused.values()] };
  }
}

interface Known {
  readonly entries: ReadonlyMap<Key, Entry>;
  readonly origin: Origin;
  readonly declarations: ReadonlyMap<Key, Declaration>;
  readonly deleted: ReadonlyMap<Key, Entry>;
  readonly keepsWaiting: (replacement: Declaration) => boolean;
}

interface Holders {
  readonly active: NameHolders;
  readonly terminating: NameHolders;
}

/** The names that documents have before the declarations are placed, and of a declared one those that it goes on to have. */
function holdersOf({ entries, declarations, deleted, keepsWaiting }: Known, refused: ReadonlyMap<Key, Problem>) {
  const active = new NameHolders();
  const terminating = new NameHolders();
  const promised = new Map<Key, Origin>();
  for (const [key, one] of entries) {
    const goes = isTerminating(one) || deleted.has(key);
    const names = derivedNames(one.resource, one.resource.metadata.owner);
    // The name of a container that is being removed is free in a moment: the App need not wait for it.
    if (goes)
      terminating.add(
        names.filter(({ name }) => !name.startsWith('container ')),
        key,
      );
    else active.add(refused.has(key) ? names : keptNames(names, declarations.get(key)), key);
    for (const replacement of one.pendingReplacements.filter(keepsWaiting)) {
      promised.set(keyOfDeclared(replacement.document), replacement.origin);
      active.add(derivedNames(replacement.document, replacement.owner), keyOfDeclared(replacement.document));
    }
  }
  return { holders: { active, terminating }, promised };
}

/** Names of objects on the engine, whose controllers wait for each other. */
const ON_ENGINE = /^(?:container|network|volume) /;

/** Returns the names that a document has after the proposal, unless it is refused; all where it does not declare it. Pure. */
function keptNames(names: readonly DerivedName[], declaration: Declaration | undefined): readonly DerivedName[] {
  if (!declaration) return names;
  const next = derivedNames(declaration.document, declaration.owner);
  if (next === names) return names;
  const kept = new Set(next.map(({ name }) => name));
  return names.filter(({ name }) => kept.has(name) || !ON_ENGINE.test(name));
}

/** Places the declarations that are not refused yet, and adds to `refused`. */
function place(
  { entries, origin, declarations }: Known,
  { active, terminating }: Holders,
  promised: ReadonlyMap<Key, Origin>,
  refused: Map<Key, Problem>,
): Pick<OwnershipDecision, 'taken' | 'waiting'> {
  const taken: Declaration[] = [];
  const waiting: { behind: Key; declaration: Declaration }[] = [];
  for (const [key, declaration] of declarations) {
    if (refused.has(key)) continue;
    const found = entries.get(key);
    const current = found && !isTerminating(found) ? found : undefined;
    const owner = current ? current.resource.metadata.origin : promised.get(key);
    if (owner !== undefined && owner !== origin) {
      const message = `${key} belongs to ${owner}; ${origin} cannot declare it as well.`;
      refused.set(key, refusal(declaration, message, 'metadata.name'));
      continue;
    }
    const becomesOther = current && immutableFieldChange(current.resource, declaration.document);
    if (becomesOther) {
      refused.set(key, refusal(declaration, `${key}: ${becomesOther.message}`, `spec.${becomesOther.field}`));
      continue;
    }
    const names = derivedNames(declaration.document, declaration.owner);
    const other = active.otherHolder(names, key);
    if (other) {
      const { holder, taken: name } = other;
      const where = entries.get(holder)?.resource.metadata.source ?? declarations.get(holder)?.source;
      const from = where ? ` (${placeOf(where)})` : '';
      const message = `${key}: ${name.name} belongs to ${holder}${from}. Give this ${declaration.document.kind} another ${name.field}.`;
      const path = name.path ?? (name.field === 'metadata.name' ? name.field : `spec.${name.field}`);
      refused.set(key, refusal(declaration, message, path));
      continue;
    }
    active.add(names, key);
    const behind = found && !current ? key : terminating.otherHolder(names, key)?.holder;
    if (behind) waiting.push({ behind, declaration });
    else taken.push(declaration);
  }
  return { taken, waiting };
}

/** Returns a problem with one declaration, at that path in it. Pure. */
export const refusal = (
  { document, source }: Proposed & { document: AnyDeclared },
  message: string,
  path: string,
): Problem => ({
  message,
  path,
  ...(source ? { source } : {}),
  kind: document.kind,
  name: document.metadata.name,
});

/** Describes a source, as in `a.yaml:3`. Pure. */
export const placeOf = (source: Source | undefined): string =>
  source ? `${source.file}${source.line === undefined ? '' : `:${source.line}`}` : 'without a file';
