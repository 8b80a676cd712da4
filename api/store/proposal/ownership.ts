import type { AnyDeclared, Key, Origin, Problem, Source } from '../../../crds/model/kinds.js';
import { type Declaration, type Entry, isTerminating, keyOfDeclared } from '../entry.js';
import type { Proposed } from '../store.js';
import { derivedNames, NameHolders } from './derived-names.js';
import { immutableFieldChange } from './immutable-fields.js';

export interface OwnershipDecision {
  readonly taken: readonly Declaration[];
  /** Declarations that wait for a document (`behind`) which is being deleted and still has their names. */
  readonly waiting: readonly { readonly behind: Key; readonly declaration: Declaration }[];
  readonly refused: readonly Problem[];
}

/**
 * Decides which declarations are taken, which wait for a deletion, and which are refused because another origin or
 * document owns their names. `deleted`: documents that this proposal deletes. `keepsWaiting`: whether a pending
 * replacement stays. Pure.
 */
export function decideOwnership(
  entries: ReadonlyMap<Key, Entry>,
  origin: Origin,
  declarations: ReadonlyMap<Key, Declaration>,
  deleted: ReadonlyMap<Key, Entry>,
  keepsWaiting: (replacement: Declaration) => boolean,
): OwnershipDecision {
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
    else active.add(names, key);
    for (const replacement of one.pendingReplacements.filter(keepsWaiting)) {
      promised.set(keyOfDeclared(replacement.document), replacement.origin);
      active.add(derivedNames(replacement.document, replacement.owner), keyOfDeclared(replacement.document));
    }
  }

  const taken: Declaration[] = [];
  const waiting: { behind: Key; declaration: Declaration }[] = [];
  const refused: Problem[] = [];
  for (const [key, declaration] of declarations) {
    const found = entries.get(key);
    const current = found && !isTerminating(found) ? found : undefined;
    const owner = current ? current.resource.metadata.origin : promised.get(key);
    if (owner !== undefined && owner !== origin) {
      refused.push(
        refusal(declaration, `${key} belongs to ${owner}; ${origin} cannot declare it as well.`, 'metadata.name'),
      );
      continue;
    }
    const becomesOther = current && immutableFieldChange(current.resource, declaration.document);
    if (becomesOther) {
      refused.push(refusal(declaration, `${key}: ${becomesOther.message}`, `spec.${becomesOther.field}`));
      continue;
    }
    const names = derivedNames(declaration.document, declaration.owner);
    const other = active.otherHolder(names, key);
    if (other) {
      const { holder, taken: name } = other;
      const where = entries.get(holder)?.resource.metadata.source ?? declarations.get(holder)?.source;
      const from = where ? ` (${placeOf(where)})` : '';
      refused.push(
        refusal(
          declaration,
          `${key}: ${name.name} belongs to ${holder}${from}. Give this ${declaration.document.kind} another ${name.field}.`,
          name.path ?? (name.field === 'metadata.name' ? name.field : `spec.${name.field}`),
        ),
      );
      continue;
    }
    active.add(names, key);
    const behind = found && !current ? key : terminating.otherHolder(names, key)?.holder;
    if (behind) waiting.push({ behind, declaration });
    else taken.push(declaration);
  }
  return { taken, waiting, refused };
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
