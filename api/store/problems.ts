import { existsSync } from 'node:fs';
import { canonical } from '../../crds/model/hash.js';
import { type Key, type Origin, type Problem, splitKey } from '../../crds/model/kinds.js';
import { frozen } from './frozen.js';

export type OriginProblem = Problem & { readonly origin: Origin };

/** Keeps the present problems: rejected declarations by origin, and documents whose file could not be read. */
export class Problems {
  readonly #ofOrigin = new Map<Origin, readonly OriginProblem[]>();
  readonly #ofFiles = new Map<Key, { readonly problem: OriginProblem; readonly asides: readonly string[] }>();

  /** `isThere`: tells whether a file exists. */
  constructor(private readonly isThere: (path: string) => boolean = existsSync) {}

  list(): readonly OriginProblem[] {
    const ofFiles = [...this.#ofFiles.values()]
      .filter(({ asides }) => asides.length === 0 || asides.some(this.isThere))
      .map(({ problem }) => problem);
    return [...ofFiles, ...[...this.#ofOrigin.values()].flat()];
  }

  /** Replaces the problems of an origin. Returns false when they are the same as before. */
  set(origin: Origin, problems: readonly Problem[]): boolean {
    const next = frozen(problems.map((problem) => ({ ...problem, origin })));
    if (canonical(next) === canonical(this.#ofOrigin.get(origin) ?? [])) return false;
    if (next.length > 0) this.#ofOrigin.set(origin, next);
    else this.#ofOrigin.delete(origin);
    return true;
  }

  of(origin: Origin): readonly Problem[] {
    return this.#ofOrigin.get(origin) ?? [];
  }

  /**
   * Adds the problem of a document whose file could not be read. Its origin is unknown, so `agent` stands for it.
   * Removing the set-aside files ends the problem.
   */
  setFile(key: Key, message: string, asides: readonly string[] = []): void {
    this.#ofFiles.set(key, { problem: frozen({ message, ...splitKey(key), origin: 'agent' }), asides });
  }

  /** Removes the problem of a document's file. Returns the files that were set aside. */
  clearFile(key: Key): readonly string[] {
    const asides = this.#ofFiles.get(key)?.asides ?? [];
    this.#ofFiles.delete(key);
    return asides;
  }
}
