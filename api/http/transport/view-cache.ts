import type { Scope } from '../../device-state/keys.js';
import type { Reader } from '../../store/store.js';

/** Number of details that are kept: callers choose them. */
const MOST = 1_000;

/** Keeps what was made of the documents for each scope and detail, until anything in the store changes. */
export class ViewCache<T> {
  readonly #made = new Map<string, { readonly value: T }>();
  #version: string | undefined;

  constructor(
    private readonly store: Pick<Reader, 'resourceVersion'>,
    private readonly make: (scope: Scope, detail: string) => T,
  ) {}

  get(scope: Scope, detail = ''): T {
    const version = this.store.resourceVersion;
    if (version !== this.#version || this.#made.size >= MOST) {
      this.#made.clear();
      this.#version = version;
    }
    const slot = `${scope.type === 'global' ? 'global' : scope.appId} ${detail}`;
    const kept = this.#made.get(slot);
    if (kept) return kept.value;
    const value = this.make(scope, detail);
    this.#made.set(slot, { value });
    return value;
  }
}
