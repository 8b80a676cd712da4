import type { Kind } from '../../crds/model/kinds.js';
import type { Reconcile } from './outcome.js';

/** One kind's part: how a pass goes, and what gives its keys work besides their own documents. */
export interface Controller {
  readonly kind: Kind;
  /** Passes at the same time, over different keys. */
  readonly workers: number;
  readonly reconcile: Reconcile;
  /** Which documents get passes; all of them when absent. The others keep the status that they have: none. */
  concerns?(name: string): boolean;
  /**
   * Subscribes to whatever may give a key work. The runtime itself wakes a key when its document's spec, metadata or
   * requests change, never on its own status. Returns how to stop.
   */
  wakes(wake: (name: string) => void): () => void;
}
