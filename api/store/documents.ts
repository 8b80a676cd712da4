import { type Key, KINDS, type Kind, type Resource } from '../../crds/model/kinds.js';
import { type Held, type HeldOf, keyOfHeld } from './held.js';

type ByKind = { readonly [K in Kind]: Map<string, HeldOf<K>> };

/** All documents in memory, by key and by kind, in order of creation. Knows nothing of disk or watchers. */
export class Documents {
  readonly #byKey = new Map<Key, Held>();
  readonly #byKind = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as ByKind;

  get held(): ReadonlyMap<Key, Held> {
    return this.#byKey;
  }

  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined {
    return this.#byKind[kind].get(name)?.resource;
  }

  list<K extends Kind>(kind: K): readonly Resource<K>[] {
    return Array.from(this.#byKind[kind].values(), ({ resource }) => resource);
  }

  /** Looks through the kind: a device has hundreds of documents, and an index would have to be right as well. */
  owned<K extends Kind>(owner: Key, kind: K): readonly Resource<K>[] {
    return this.list(kind).filter(({ metadata }) => metadata.owner === owner);
  }

  /** New ones go last, others keep their place. */
  set(held: Held): void {
    this.#byKey.set(keyOfHeld(held), held);
    this.#setOfKind(held.resource.kind, held);
  }

  remove(held: Held): void {
    this.#byKey.delete(keyOfHeld(held));
    this.#byKind[held.resource.kind].delete(held.resource.metadata.name);
  }

  #setOfKind<K extends Kind>(kind: K, held: HeldOf<K>): void {
    this.#byKind[kind].set(held.resource.metadata.name, held);
  }
}
