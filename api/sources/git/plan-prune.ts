import { type Key, keyOf, type Problem, type Resource } from '../../../crds/model/kinds.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';

/** Annotation of a document that says what happens when its repository no longer declares it. */
const PRUNE = 'supercargo.io/prune';
const MAX_PERCENT = 50;

type Present = Pick<Resource, 'kind' | 'metadata'>;

/**
 * Returns the documents that stay although they are no longer declared: all of them when nothing is pruned, otherwise
 * those with the annotation. They are returned as problems, by which a proposal keeps documents. Pure.
 */
export function planKept(
  present: readonly Present[],
  declared: ReadonlySet<Key>,
  { enabled = true }: NonNullable<GitSourceSpec['prune']> = {},
): readonly Problem[] {
  return present
    .filter(({ kind, metadata }) => !declared.has(keyOf(kind, metadata.name)))
    .filter(({ metadata }) => !enabled || metadata.annotations?.[PRUNE] === 'disabled')
    .map(({ kind, metadata: { name } }) => ({
      message: `${kind} ${name} is no longer declared, and kept: ${enabled ? `it says ${PRUNE}: disabled` : 'prune.enabled is false'}`,
      kind,
      name,
    }));
}

/** Returns why a removal waits for a confirmation; undefined when it need not. Pure. */
export function holdReason(
  {
    present,
    removes,
    declared,
    vanished,
    confirmed,
  }: {
    /** How many documents the source has in force. */
    readonly present: number;
    readonly removes: readonly Key[];
    /** How many documents the commit declares. */
    readonly declared: number;
    /** A path of the source that does not exist in the commit. */
    readonly vanished: string | undefined;
    /** The removals that somebody has confirmed. */
    readonly confirmed: ReadonlySet<string>;
  },
  { maxPercent = MAX_PERCENT }: NonNullable<GitSourceSpec['prune']> = {},
): string | undefined {
  if (removes.length === 0 || removes.every((key) => confirmed.has(key))) return undefined;
  if (vanished !== undefined) return `its path ${vanished} has vanished`;
  if (declared === 0) return 'it declares nothing any more';
  const percent = (removes.length / present) * 100;
  if (percent <= maxPercent) return undefined;
  return `that is ${Math.round(percent)} % of what is declared, more than prune.maxPercent (${maxPercent})`;
}
