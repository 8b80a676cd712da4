import type { AnyDeclared, Key, Kind, Origin, Resource, Source } from '../../crds/model/kinds.js';
import { keyOf } from '../../crds/model/kinds.js';

/** What an origin said of one document: all that is needed to make it, now or later. */
export interface Declaration {
  readonly document: AnyDeclared;
  readonly origin: Origin;
  readonly owner?: Key;
  readonly source?: Source;
}

/** A document as the store holds it. */
export interface HeldOf<K extends Kind> {
  readonly resource: Resource<K>;
  /** Rank of its creation: lists are in this order, also after a restart. */
  readonly order: number;
  /**
   * Declared while this document was being deleted and in its way: the same name, or an App with the same appId.
   * Made as soon as this one is released; the latest word of their origin counts, and its silence cancels them.
   */
  readonly successors: readonly Declaration[];
}
export type Held = { [K in Kind]: HeldOf<K> }[Kind];

export const keyOfDeclared = ({ kind, metadata }: AnyDeclared): Key => keyOf(kind, metadata.name);
export const keyOfHeld = ({ resource }: Held): Key => keyOf(resource.kind, resource.metadata.name);
export const isTerminating = ({ resource }: Held): boolean => resource.metadata.deletionTimestamp !== undefined;
