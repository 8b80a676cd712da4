import {
  type Entry,
  type Findings,
  isNull,
  type List,
  type Mapping,
  mapOf,
  type Node,
  nullNode,
  type Place,
  shownNode,
  textNode,
} from './node.js';

/** How two values for one field become one; the default for maps is entry by entry, for lists one after the other. */
type Merge = (base: Node, over: Node, path: readonly string[], findings: Told) => Node;
type Told = Pick<Findings, 'problem'>;

const replace: Merge = (_base, over) => over;
const asMaps =
  (toMap: (node: Node) => Node): Merge =>
  (base, over, path, findings) =>
    mergeDeep(toMap(base), toMap(over), path, findings);
const asLists = (base: Node, over: Node): List => ({
  is: 'list',
  at: over.at,
  items: [...itemsOf(base), ...itemsOf(over)],
});

/** Options of another log driver are dropped. */
const logging: Merge = (base, over, path, findings) => {
  if (base.is !== 'map' || over.is !== 'map') return over;
  const [before, after] = [base, over].map(({ entries }) => entries.get('driver')?.node);
  const isSame = isNull(after) || (before?.is === 'scalar' && after?.is === 'scalar' && before.text === after.text);
  return isSame ? mergeDeep(base, over, path, findings) : over;
};

/** Returns the named entries of `NAME=value` items as a map; another node as it is. Pure. */
export function pairsToMap(node: Node): Node {
  if (node.is !== 'list') return node;
  const entries = node.items.map((item): [string, Entry] | undefined => {
    if (item.is !== 'scalar' || item.type !== 'text') return undefined;
    const equals = item.text.indexOf('=');
    if (equals < 0) return [item.text, { at: item.at, node: nullNode(item.at) }];
    const value = { ...textNode(item.at, item.text.slice(equals + 1)), ...(item.unset ? { unset: item.unset } : {}) };
    return [item.text.slice(0, equals), { at: item.at, node: value }];
  });
  return entries.some((one) => one === undefined)
    ? node // the reader of the field says what is wrong with it
    : mapOf(
        node.at,
        entries.filter((one) => one !== undefined),
      );
}

/** Returns the names of a list as a map from each to what `make` returns. Pure. */
const namesToMap =
  (make: (at: Place) => Node) =>
  (node: Node): Node =>
    node.is === 'list' && node.items.every((item) => item.is === 'scalar' && item.type === 'text')
      ? mapOf(
          node.at,
          node.items.map((item) => [item.is === 'scalar' ? item.text : '', { at: item.at, node: make(item.at) }]),
        )
      : node;

const one = (name: string, at: Place, node: Node): Mapping => mapOf(at, [[name, { at, node }]]);
export const dependenciesToMap = namesToMap((at) => one('condition', at, textNode(at, 'service_started')));
export const networksToMap = namesToMap(nullNode);
/** Returns `build: ./folder` as a map. Pure. */
export const buildToMap = (node: Node): Node =>
  node.is === 'scalar' && !isNull(node) ? one('context', node.at, node) : node;

const itemsOf = (node: Node): readonly Node[] => (node.is === 'list' ? node.items : isNull(node) ? [] : [node]);

/** Extra hosts are listed, because a name may have several addresses. */
const extraHosts: Merge = (base, over) => {
  const listed = (node: Node): List => ({
    is: 'list',
    at: node.at,
    items: node.is === 'map' ? hostItems(node) : itemsOf(node),
  });
  return asLists(listed(base), listed(over));
};
const hostItems = ({ entries }: Mapping): readonly Node[] =>
  [...entries].flatMap(([host, { node }]) =>
    itemsOf(node).flatMap((item) => (item.is === 'scalar' ? [textNode(item.at, `${host}=${item.text}`)] : [])),
  );

const ulimit: Merge = (base, over, path, findings) =>
  base.is === 'map' && over.is === 'map' ? mergeDeep(base, over, path, findings) : over;

/** What is special, by path; `*` stands for any name. (compose-go, override/merge.go.) */
const SPECIAL: Readonly<Record<string, Merge>> = {
  'networks.*.labels': asMaps(pairsToMap),
  'networks.*.ipam.config': replace,
  'volumes.*.labels': asMaps(pairsToMap),
  'secrets.*.labels': asMaps(pairsToMap),
  'configs.*.labels': asMaps(pairsToMap),
  'services.*.annotations': asMaps(pairsToMap),
  'services.*.build': (base, over, path, findings) => mergeDeep(buildToMap(base), buildToMap(over), path, findings),
  'services.*.build.args': asMaps(pairsToMap),
  'services.*.build.labels': asMaps(pairsToMap),
  'services.*.build.extra_hosts': extraHosts,
  'services.*.command': replace,
  'services.*.entrypoint': replace,
  'services.*.healthcheck.test': replace,
  'services.*.depends_on': asMaps(dependenciesToMap),
  'services.*.deploy.labels': asMaps(pairsToMap),
  'services.*.dns': asLists,
  'services.*.dns_opt': asLists,
  'services.*.dns_search': asLists,
  'services.*.env_file': asLists,
  'services.*.environment': asMaps(pairsToMap),
  'services.*.extra_hosts': extraHosts,
  'services.*.label_file': asLists,
  'services.*.labels': asMaps(pairsToMap),
  'services.*.logging': logging,
  'services.*.networks': asMaps(networksToMap),
  'services.*.sysctls': asMaps(pairsToMap),
  'services.*.tmpfs': asLists,
  'services.*.ulimits.*': ulimit,
};
const PATTERNS = Object.entries(SPECIAL).map(([pattern, merge]) => ({ steps: pattern.split('.'), merge }));

const specialAt = (path: readonly string[]): Merge | undefined =>
  PATTERNS.find(
    ({ steps }) => steps.length === path.length && steps.every((step, at) => step === '*' || step === path[at]),
  )?.merge;

/**
 * Returns a value merged over another: what a later file, or a service that extends, says over what was there. Follows
 * Compose's rules for each field; `!reset` removes and `!override` replaces. Pure but for `findings`.
 */
export function mergeNodes(base: Node, over: Node, path: readonly string[], findings: Told): Node {
  if (over.tag === 'override') return over;
  const special = specialAt(path);
  if (special !== undefined) return special(base, over, path, findings);
  return mergeDeep(base, over, path, findings);
}

function mergeDeep(base: Node, over: Node, path: readonly string[], findings: Told): Node {
  if (isNull(over)) return base;
  if (base.is === 'map' && over.is === 'map') {
    const entries = new Map(base.entries);
    for (const [name, entry] of over.entries) {
      const before = entries.get(name);
      if (entry.node.tag === 'reset') entries.delete(name);
      else if (before === undefined || isNull(before.node)) entries.set(name, entry);
      else entries.set(name, { at: entry.at, node: mergeNodes(before.node, entry.node, [...path, name], findings) });
    }
    return { ...over, entries };
  }
  if (base.is === 'list' && over.is === 'list') return { ...over, items: [...base.items, ...over.items] };
  if (base.is !== 'scalar' && !isNull(base) && base.is !== over.is) {
    findings.problem(
      over.at,
      `Expected ${base.is === 'list' ? 'a list' : 'a map'}, as in the file before, found ${shownNode(over)}`,
    );
  }
  return over;
}

/** Returns the value without what is tagged `!reset`. Pure. */
export function withoutResets(node: Node): Node {
  if (node.is === 'list') return { ...node, items: node.items.filter(({ tag }) => tag !== 'reset').map(withoutResets) };
  if (node.is !== 'map') return node;
  const kept = [...node.entries].filter(([, entry]) => entry.node.tag !== 'reset');
  return {
    ...node,
    entries: new Map(kept.map(([name, entry]) => [name, { ...entry, node: withoutResets(entry.node) }])),
  };
}
