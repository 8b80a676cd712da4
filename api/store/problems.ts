import { canonical } from '../../crds/model/hash.js';
import { type Key, type Origin, type Problem, splitKey } from '../../crds/model/kinds.js';
import { frozen } from './frozen.js';

export type OriginProblem = Problem & { readonly origin: Origin };

/** What is wrong at present: what each origin last said in vain, and documents whose file could not be used. */
export class Problems {
  readonly #said = new Map<Origin, readonly OriginProblem[]>();
  readonly #lost = new Map<Key, OriginProblem>();

  list(): readonly OriginProblem[] {
    return [...this.#lost.values(), ...[...this.#said.values()].flat()];
  }

  /** Replaces what is known of an origin. False when that is the same as before. */
  say(origin: Origin, problems: readonly Problem[]): boolean {
    const said = frozen(problems.map((problem) => ({ ...problem, origin })));
    if (canonical(said) === canonical(this.#said.get(origin) ?? [])) return false;
    if (said.length > 0) this.#said.set(origin, said);
    else this.#said.delete(origin);
    return true;
  }

  of(origin: Origin): readonly Problem[] {
    return this.#said.get(origin) ?? [];
  }

  /** The document's file could not be used; its origin went with it, so supercargo itself says so. */
  lose(key: Key, message: string): void {
    this.#lost.set(key, frozen({ message, ...splitKey(key), origin: 'agent' }));
  }

  /** The document is there again. */
  found(key: Key): void {
    this.#lost.delete(key);
  }
}
