import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import type { Service } from '../../../../crds/model/kinds.js';

/** What watchers are told from now on, a line a change: its type, its key and the parts that changed. */
export function watchedKeys(store: Store): string[] {
  const seen: string[] = [];
  store.watch(({ type, key, parts }) => seen.push(`${type} ${key} ${parts.join('+')}`.trimEnd()));
  return seen;
}

export function serviceOf(store: Store, name = 'web'): Service {
  const found = store.get('Service', name);
  assert.ok(found);
  return found;
}
