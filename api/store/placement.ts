import type { AnyDeclared, Key, Origin, Problem, Source } from '../../crds/kinds.js';
import { AppIds, appIdOf } from './app-ids.js';
import { type Declaration, type Held, isDying, keyOfDeclared } from './held.js';
import type { Proposed } from './store.js';

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
  const living = new AppIds();
  const dying = new AppIds();
  const promised = new Map<Key, Origin>();
  for (const [key, one] of held) {
    const id = appIdOf(one.resource);
    const goes = isDying(one) || leaving.has(key);
    if (id !== undefined) (goes ? dying : living).add(id, key);
    for (const successor of one.successors.filter(goesOnWaiting)) {
      const awaited = appIdOf(successor.document);
      promised.set(keyOfDeclared(successor.document), successor.origin);
      if (awaited !== undefined) living.add(awaited, keyOfDeclared(successor.document));
    }
  }

  const taken: Declaration[] = [];
  const waiting: { behind: Key; declaration: Declaration }[] = [];
  const refused: Problem[] = [];
  let undecided = [...declarations];
  // An App may take the number that another one gives up in this very proposal: go on while that frees somebody.
  for (let before = Number.POSITIVE_INFINITY; undecided.length < before; ) {
    before = undecided.length;
    undecided = undecided.filter(([key, declaration]) => {
      const current = held.get(key);
      const other = current && !isDying(current) ? current.resource.metadata.origin : promised.get(key);
      if (other !== undefined && other !== origin) {
        refused.push(refusal(declaration, `${key} belongs to ${other}; ${origin} cannot declare it as well.`));
        return false;
      }
      const id = appIdOf(declaration.document);
      if (id !== undefined && living.otherHolder(id, key)) return true;
      const gives = current && !isDying(current) ? appIdOf(current.resource) : undefined;
      const vacating = id === undefined ? undefined : dying.otherHolder(id, key);
      if (vacating && gives !== undefined) {
        refused.push(refusal(declaration, `${key}: appId ${id} belongs to ${vacating} until that is removed.`));
        return false;
      }
      if (gives !== undefined && gives !== id) living.remove(gives, key);
      if (id !== undefined) living.add(id, key);
      const behind = current && isDying(current) ? key : vacating;
      if (behind) waiting.push({ behind, declaration });
      else taken.push(declaration);
      return false;
    });
  }
  for (const [key, declaration] of undecided) {
    const id = appIdOf(declaration.document);
    const holder = id === undefined ? undefined : living.otherHolder(id, key);
    const where = holder && (held.get(holder)?.resource.metadata.source ?? declarations.get(holder)?.source);
    const from = where ? ` (${placeOf(where)})` : '';
    refused.push(refusal(declaration, `${key}: appId ${id} belongs to ${holder}${from}. Give this App another appId.`));
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
