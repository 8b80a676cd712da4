import type { Problem } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import type { YamlItem } from '../../../crds/yaml/yaml-items.js';
import { type DeviceScope, type Folder, matchWhen } from './device-scope.js';

/** A value of a file, and the devices that the file is for. */
export interface ScopedItem extends YamlItem {
  readonly folder: Exclude<Folder, 'another device'>;
}

const FOLDERS: readonly ScopedItem['folder'][] = ['all', 'name', 'uuid'];

interface Layer extends YamlItem {
  /** A higher one is merged over a lower one. */
  readonly rank: number;
}

/**
 * Returns one value for each document of this device. Documents of the same kind and name are merged, from the general
 * to the special: without `when`; with `when`, by the number of facts; from `devices/<name>/`; from `devices/<uuid>/`.
 * Maps are merged, lists and plain values replaced, null removes a field (RFC 7386). Two of the same rank are a
 * problem. Pure.
 */
export function layOver(
  items: readonly ScopedItem[],
  device: DeviceScope,
): { readonly items: readonly YamlItem[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const layers = new Map<string, Layer[]>();
  const others: YamlItem[] = [];
  for (const item of items) {
    if (!isMap(item.value) || item.value.kind === undefined) {
      if (item.folder === 'all') others.push(item);
      else if (item.value !== null) problems.push({ message: ONLY_DOCUMENTS, source: item.locate('') });
      continue;
    }
    const { when, ...value } = item.value;
    const match = matchWhen(when, device);
    if ('wrong' in match) problems.push({ message: match.wrong, path: 'when', source: item.locate('when') });
    if (!('ok' in match) || !match.ok) continue;
    const key = `${String(value.kind)}/${isMap(value.metadata) ? String(value.metadata.name) : ''}`;
    const layer = { ...item, value, rank: FOLDERS.indexOf(item.folder) * 100 + match.facts };
    const known = layers.get(key);
    if (known) known.push(layer);
    else layers.set(key, [layer]);
  }
  const merged = [...layers.values()].map((all) => {
    problems.push(...sameRank(all));
    return mergeLayers(all);
  });
  return { items: [...others, ...merged], problems };
}

const ONLY_DOCUMENTS = 'In a folder of one device only documents with a kind are laid over others';

function sameRank(layers: readonly Layer[]): Problem[] {
  const first = new Map<number, Layer>();
  return layers.flatMap((layer) => {
    const twin = first.get(layer.rank);
    if (!twin) {
      first.set(layer.rank, layer);
      return [];
    }
    const { file, line } = twin.locate('');
    const message = `The same document is in ${file}${line === undefined ? '' : `:${line}`}, and neither is more special for this device; keep one of them`;
    return [{ message, source: layer.locate('') }];
  });
}

function mergeLayers(layers: readonly Layer[]): YamlItem {
  const sorted = [...layers].sort((a, b) => a.rank - b.rank);
  const [base, ...over] = sorted;
  if (base && over.length === 0) return base;
  const value = over.reduce<unknown>((below, { value: above }) => mergePatch(below, above), base?.value);
  const fromTop = [...sorted].reverse();
  const layerOf = (path: string): Layer | undefined => fromTop.find((layer) => has(layer.value, path)) ?? fromTop[0];
  return {
    value,
    locate: (path) => layerOf(path)?.locate(path) ?? { file: '' },
    isQuoted: (path) => layerOf(path)?.isQuoted(path) ?? false,
  };
}

/** Merges by RFC 7386; the values are not shared with anybody. Pure. */
export function mergePatch(below: unknown, above: unknown): unknown {
  if (!isMap(above)) return above;
  const merged: Record<string, unknown> = isMap(below) ? { ...below } : {};
  for (const [name, value] of Object.entries(above)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** Tells whether a path such as `spec.services["a.b"].ports[0]` exists. Pure. */
function has(value: unknown, path: string): boolean {
  let here: unknown = value;
  for (const [, quoted, index, name] of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)) {
    const step = quoted ?? name;
    if (index !== undefined && Array.isArray(here)) here = here[Number(index)];
    else if (step !== undefined && isMap(here) && Object.hasOwn(here, step)) here = here[step];
    else return false;
  }
  return here !== undefined;
}
