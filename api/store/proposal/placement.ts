import type { AnyDeclared, Key, Origin, Problem, Source } from '../../../crds/model/kinds.js';
import { type Declaration, type Held, isTerminating, keyOfDeclared } from '../held.js';
import type { Proposed } from '../store.js';
import { derivedNames, NameHolders } from './derived-names.js';
import { identityChange } from './identity-change.js';

export interface Placed {
  readonly taken: readonly Declaration[];
  /** In the way of each: a document that is being deleted. */
  readonly waiting: readonly { readonly behind: Key; readonly declaration: Declaration }[];
  readonly refused: readonly Problem[];
}

/**
 * Which declarations can be taken, which must wait for a deletion, and which belong to somebody else. `leaving`: what
 * this proposal deletes; `goesOnWaiting`: of what waits already, what it leaves waiting. Pure.
 */
export function place(
  held: ReadonlyMap<Key, Held>,
  origin: Origin,
  declarations: ReadonlyMap<Key, Declaration>,
  leaving: ReadonlySet<Key>,
  goesOnWaiting: (successor: Declaration) => boolean,
): Placed {
  const active = new NameHolders();
  const dying = new NameHolders();
  const promised = new Map<Key, Origin>();
  for (const [key, one] of held) {
    const goes = isTerminating(one) || leaving.has(key);
    const names = derivedNames(one.resource, one.resource.metadata.owner);
    // The name of a container that is on its way out is free in a moment: nobody waits for a whole App because of it.
    if (goes)
      dying.add(
        names.filter(({ name }) => !name.startsWith('container ')),
        key,
      );
    else active.add(names, key);
    for (const successor of one.successors.filter(goesOnWaiting)) {
      promised.set(keyOfDeclared(successor.document), successor.origin);
      active.add(derivedNames(successor.document, successor.owner), keyOfDeclared(successor.document));
    }
  }

  const taken: Declaration[] = [];
  const waiting: { behind: Key; declaration: Declaration }[] = [];
  const refused: Problem[] = [];
  for (const [key, declaration] of declarations) {
    const found = held.get(key);
    const current = found && !isTerminating(found) ? found : undefined;
    const owner = current ? current.resource.metadata.origin : promised.get(key);
    if (owner !== undefined && owner !== origin) {
      refused.push(refusal(declaration, `${key} belongs to ${owner}; ${origin} cannot declare it as well.`));
      continue;
    }
    const becomesOther = current && identityChange(current.resource, declaration.document);
    if (becomesOther) {
      refused.push(refusal(declaration, `${key}: ${becomesOther}`));
      continue;
    }
    const names = derivedNames(declaration.document, declaration.owner);
    const other = active.otherHolder(names, key);
    if (other) {
      const { holder, taken: name } = other;
      const where = held.get(holder)?.resource.metadata.source ?? declarations.get(holder)?.source;
      const from = where ? ` (${placeOf(where)})` : '';
      refused.push(
        refusal(
          declaration,
          `${key}: ${name.name} belongs to ${holder}${from}. Give this ${declaration.document.kind} another ${name.field}.`,
        ),
      );
      continue;
    }
    active.add(names, key);
    const behind = found && !current ? key : dying.otherHolder(names, key)?.holder;
    if (behind) waiting.push({ behind, declaration });
    else taken.push(declaration);
  }
  return { taken, waiting, refused };
}

/** A problem with one declaration. Pure. */
export const refusal = ({ document, source }: Proposed & { document: AnyDeclared }, message: string): Problem => ({
  message,
  ...(source ? { source } : {}),
  kind: document.kind,
  name: document.metadata.name,
});

/** `a.yaml:3`. Pure. */
export const placeOf = (source: Source | undefined): string =>
  source ? `${source.file}${source.line === undefined ? '' : `:${source.line}`}` : 'without a file';
