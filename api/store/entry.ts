import type { AnyDeclared, Key, Kind, Origin, Resource, Source } from '../../crds/model/kinds.js';
import { keyOf } from '../../crds/model/kinds.js';

/** One document of a proposal, with everything that is needed to create it, now or later. */
export interface Declaration {
  readonly document: AnyDeclared;
  readonly origin: Origin;
  readonly owner?: Key;
  readonly source?: Source;
  readonly declaredBy?: string;
}

/** A document as the store holds it. */
export interface EntryOf<K extends Kind> {
  readonly resource: Resource<K>;
  /** Rank of its creation: lists are in this order, also after a restart. */
  readonly order: number;
  /**
   * Declarations of the same name, or of an App with the same appId, made while this document is being deleted. They are
   * created when it is released. The next proposal of their origin replaces or cancels them.
   */
  readonly pendingReplacements: readonly Declaration[];
}
export type Entry = { [K in Kind]: EntryOf<K> }[Kind];

export const keyOfDeclared = ({ kind, metadata }: AnyDeclared): Key => keyOf(kind, metadata.name);
export const keyOfEntry = ({ resource }: Entry): Key => keyOf(resource.kind, resource.metadata.name);
export const isTerminating = ({ resource }: Entry): boolean => resource.metadata.deletionTimestamp !== undefined;
