import { type Key, KINDS, type Kind, type Resource } from '../../crds/model/kinds.js';
import { type Entry, type EntryOf, keyOfEntry } from './entry.js';

type Lists = { [K in Kind]: readonly Resource<K>[] | undefined };
type ByKind = { readonly [K in Kind]: Map<string, EntryOf<K>> };

/** All documents in memory, by key and by kind, in order of creation. Knows nothing of disk or watchers. */
export class Documents {
  readonly #byKey = new Map<Key, Entry>();
  readonly #byKind = Object.fromEntries(KINDS.map((kind) => [kind, new Map()])) as ByKind;

  /** The list of each kind as it was last asked for; gone when a document of it has changed. */
  readonly #lists = Object.fromEntries(KINDS.map((kind) => [kind, undefined])) as Lists;

  get entries(): ReadonlyMap<Key, Entry> {
    return this.#byKey;
  }

  get<K extends Kind>(kind: K, name: string): Resource<K> | undefined {
    return this.#byKind[kind].get(name)?.resource;
  }

  list<K extends Kind>(kind: K): readonly Resource<K>[] {
    const known: readonly Resource<K>[] | undefined = this.#lists[kind];
    if (known) return known;
    const list: readonly Resource<K>[] = Array.from(this.#byKind[kind].values(), ({ resource }) => resource);
    (this.#lists as Record<K, typeof list>)[kind] = list;
    return list;
  }

  /** Searches the kind: a device has hundreds of documents, and an index would have to be kept right as well. */
  owned<K extends Kind>(owner: Key, kind: K): readonly Resource<K>[] {
    return this.list(kind).filter(({ metadata }) => metadata.owner === owner);
  }

  /** Adds or replaces an entry. New ones go last, others keep their place. */
  set(entry: Entry): void {
    this.#byKey.set(keyOfEntry(entry), entry);
    this.#setOfKind(entry.resource.kind, entry);
  }

  remove(entry: Entry): void {
    this.#lists[entry.resource.kind] = undefined;
    this.#byKey.delete(keyOfEntry(entry));
    this.#byKind[entry.resource.kind].delete(entry.resource.metadata.name);
  }

  #setOfKind<K extends Kind>(kind: K, entry: EntryOf<K>): void {
    this.#lists[kind] = undefined;
    this.#byKind[kind].set(entry.resource.metadata.name, entry);
  }
}
