import type { AnyDeclared, AnyResource, Key } from '../../crds/kinds.js';
import { allottedId } from '../../crds/names.js';

/** The number of an App, declared or allotted; undefined for other kinds. Pure. */
export const appIdOf = (document: AnyDeclared | AnyResource): number | undefined =>
  document.kind === 'App' ? (document.spec.appId ?? allottedId(document.metadata.name)) : undefined;

/** Who has which number. Two Apps with one number would share containers and volumes. */
export class AppIds {
  readonly #holders = new Map<number, Key>();

  add(id: number, key: Key): void {
    if (!this.#holders.has(id)) this.#holders.set(id, key);
  }

  /** Another App that has the number. */
  otherHolder(id: number, key: Key): Key | undefined {
    const holder = this.#holders.get(id);
    return holder === key ? undefined : holder;
  }
}
