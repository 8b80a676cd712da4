import type { CountedRequest } from '../setup/counting-proxy.js';

/** How many requests of each sort, the most frequent first: "20 POST containers/create, 1 POST networks/create". Pure. */
export function requestNote(requests: readonly CountedRequest[]): string {
  const counts = new Map<string, number>();
  for (const { method, path } of requests) {
    const sort = `${method} ${sortOf(path)}`;
    counts.set(sort, (counts.get(sort) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([sort, count]) => `${count} ${sort}`)
    .join(', ');
}

/** The path without version, query and whatever names one object. Pure. */
const sortOf = (path: string): string => {
  const [bare = ''] = path.replace(/^\/v[\d.]+(?=\/)/, '').split('?');
  const parts = bare.slice(1).split('/');
  const last = parts.length > 2 ? `/${parts.at(-1)}` : '';
  return parts.length < 2 || /^(json|create|prune)$/.test(parts[1] ?? '') ? parts.join('/') : `${parts[0]}/*${last}`;
};
