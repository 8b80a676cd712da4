import type { Kind } from '../../crds/model/kinds.js';
import type { Reconcile } from './outcome.js';

/** The controller of one kind: its pass, and the watches that give its keys work besides their own documents. */
export interface Controller {
  readonly kind: Kind;
  /** Number of passes at a time, over different keys. */
  readonly workers: number;
  readonly reconcile: Reconcile;
  /** First and longest wait after failures, ms. Default: 500 ms and 5 min. */
  readonly backoffMs?: { readonly first: number; readonly max: number };
  /**
   * Kinds of which every document must have had one pass before this controller begins: their status was written by an
   * earlier process, and nothing may be concluded from it.
   */
  readonly after?: readonly Kind[];
  /** Begins before an engine is found and the sources are read, because it needs neither. */
  readonly beginsFirst?: true;
  /** Tells which documents get passes; all of them when absent. The others get no status. */
  predicate?(name: string): boolean;
  /**
   * Subscribes to everything that may give a key work. The runtime itself wakes a key when its document's spec,
   * metadata or requests change, never on its own status. Returns how to stop.
   */
  watches(wake: (name: string) => void): () => void;
}
