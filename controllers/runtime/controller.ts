import type { Kind } from '../../crds/model/kinds.js';
import type { Reconcile } from './outcome.js';

/** One kind's part: how a pass goes, and what gives its keys work besides their own documents. */
export interface Controller {
  readonly kind: Kind;
  /** Passes at the same time, over different keys. */
  readonly workers: number;
  readonly reconcile: Reconcile;
  /** First and longest wait after failures, ms. Default: 500 ms and 5 min. */
  readonly backoffMs?: { readonly first: number; readonly max: number };
  /**
   * Kinds whose every document is looked at once before this one begins: what their status says was written by an earlier
   * process, and nothing may be concluded from it.
   */
  readonly after?: readonly Kind[];
  /** Begins before an engine is found and the sources are read: it needs neither. */
  readonly beginsFirst?: true;
  /** Which documents get passes; all of them when absent. The others keep the status that they have: none. */
  predicate?(name: string): boolean;
  /**
   * Subscribes to whatever may give a key work. The runtime itself wakes a key when its document's spec, metadata or
   * requests change, never on its own status. Returns how to stop.
   */
  watches(wake: (name: string) => void): () => void;
}
