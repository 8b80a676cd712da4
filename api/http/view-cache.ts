import type { Scope } from '../store/keys.js';
import type { Reader } from '../store/store.js';
import { type Rendered, render } from './answer.js';

/** Keeps a rendered view for each scope until anything in the store changes. */
export class ViewCache {
  readonly #rendered = new Map<number | 'global', Rendered>();
  #version: string | undefined;

  constructor(
    private readonly store: Pick<Reader, 'resourceVersion'>,
    private readonly view: (scope: Scope) => unknown,
  ) {}

  get(scope: Scope): Rendered {
    const version = this.store.resourceVersion;
    if (version !== this.#version) {
      this.#rendered.clear();
      this.#version = version;
    }
    const slot = scope.type === 'global' ? 'global' : scope.appId;
    const found = this.#rendered.get(slot) ?? render(this.view(scope));
    this.#rendered.set(slot, found);
    return found;
  }
}
