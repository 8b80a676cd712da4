import { dirname } from 'node:path';
import { type Key, keyOf, type Problem, type Resource } from '../../crds/model/kinds.js';
import type { Proposed } from '../store/store.js';
import type { Documents } from './documents.js';

export interface SetInput {
  /** The contents of each file. */
  readonly read: readonly Documents[];
  /** Directories that could be listed. */
  readonly listed: readonly string[];
  /** Directories of which nothing is known. */
  readonly failures: readonly Problem[];
  /** Documents that this origin declared before, as the store has them. */
  readonly stored: readonly Pick<Resource, 'kind' | 'metadata'>[];
}

export interface WholeSet {
  readonly documents: readonly Proposed[];
  /** Declarations that cannot be taken. */
  readonly problems: readonly Problem[];
  /** Keep what was declared in places that cannot be read now. */
  readonly kept: readonly Problem[];
}

/**
 * Returns everything that the files declare. A document that occurs twice is taken from neither place and stays as it
 * was; what was declared where nothing can be read now is kept. Pure.
 */
export function planWholeSet({ read, listed, failures, stored }: SetInput): WholeSet {
  const byKey = new Map<Key, Proposed[]>();
  for (const proposed of read.flatMap(({ documents }) => documents)) {
    const key = keyOf(proposed.document.kind, proposed.document.metadata.name);
    const known = byKey.get(key);
    if (known) known.push(proposed);
    else byKey.set(key, [proposed]);
  }
  const documents: Proposed[] = [];
  const problems: Problem[] = read.flatMap((one) => one.problems);
  for (const [first, ...others] of byKey.values()) {
    if (first && others.length === 0) documents.push(first);
    else if (first) problems.push(...duplicateProblems([first, ...others]));
  }
  return { documents, problems, kept: failures.length === 0 ? [] : planKept(documents, listed, failures, stored) };
}

const placeOf = ({ source }: Proposed): string =>
  source ? [source.file, source.line].filter((part) => part !== undefined).join(':') : 'an unknown place';

/** How many of a document's other places are named. */
const NAMED_PLACES = 3;

function duplicateProblems(copies: readonly Proposed[]): Problem[] {
  return copies.map((copy) => {
    const { kind, metadata } = copy.document;
    const named = copies
      .slice(0, NAMED_PLACES + 1)
      .filter((other) => other !== copy)
      .slice(0, NAMED_PLACES);
    const more = copies.length - 1 - named.length;
    const places = [...named.map(placeOf), ...(more > 0 ? [`${more} more places`] : [])].join(' and ');
    return {
      message: `${kind} ${metadata.name} is also declared in ${places}; keep one of them. Until then neither is taken`,
      kind,
      name: metadata.name,
      ...(copy.source ? { source: copy.source } : {}),
    };
  });
}

function planKept(
  documents: readonly Proposed[],
  listed: readonly string[],
  failures: readonly Problem[],
  stored: readonly Pick<Resource, 'kind' | 'metadata'>[],
): Problem[] {
  const present = new Set(documents.map(({ document }) => keyOf(document.kind, document.metadata.name)));
  const readable = new Set(listed);
  const where = failures.map(({ source }) => source?.file).join(', ');
  return stored.flatMap(({ kind, metadata: { name, source } }) => {
    const isKnown = present.has(keyOf(kind, name)) || (source !== undefined && readable.has(dirname(source.file)));
    if (isKnown) return [];
    return [{ message: `Kept as it was, because ${where} cannot be read`, kind, name, ...(source ? { source } : {}) }];
  });
}
