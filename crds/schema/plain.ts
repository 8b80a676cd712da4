import { type Issue, type Path, pathText } from '../model/issue.js';

/** Limits of a document. Kubernetes refuses above about the same size. */
export const LIMITS = { depth: 64, values: 20_000, characters: 1024 * 1024, text: 256 * 1024 } as const;

/** Number of services, networks and volumes of one App: each is a document and a thing on the engine, and is checked against the others. */
export const MOST_MEMBERS = 2_000;

interface Node {
  readonly value: unknown;
  readonly depth: number;
  readonly parent?: Node;
  readonly step?: string | number;
}

function pathOf(node: Node): Path {
  const steps: (string | number)[] = [];
  for (let at: Node | undefined = node; at?.step !== undefined; at = at.parent) steps.unshift(at.step);
  return steps;
}

function isPlainMap(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Returns why a single value does not fit into JSON; undefined when it does. */
function unfit(value: unknown): string | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `${value} is not a number that can be kept`;
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean')
    return undefined;
  if (typeof value !== 'object') return `A ${typeof value} is not data`;
  if (Array.isArray(value) || isPlainMap(value)) return undefined;
  return `Expected text, a number, true or false, a list or a map, found a ${value.constructor?.name ?? 'object'}`;
}

/**
 * Returns the first reason why a value cannot be handled as a document: too large, too deep (an alias bomb is one or
 * the other, and so is a value that contains itself), or not plain data. Takes bounded time and no recursion. Pure.
 */
export function unfitForDocument(root: unknown): Issue | undefined {
  const { depth, values, characters, text: longest } = LIMITS;
  const todo: Node[] = [{ value: root, depth: 0 }];
  let seen = 1;
  let text = 0;
  for (let node = todo.pop(); node; node = todo.pop()) {
    const wrong = unfit(node.value);
    if (wrong !== undefined) return { path: pathText(pathOf(node)), message: wrong };
    if (typeof node.value === 'string') text += node.value.length;
    // Patterns are matched with a text before its length is checked, and some take 64 bytes of memory for each
    // character.
    if (typeof node.value === 'string' && node.value.length > longest && node.value.length <= characters) {
      return { path: pathText(pathOf(node)), message: `Too long: at most ${longest / 1024} KiB of text` };
    }
    if (node.value !== null && typeof node.value === 'object') {
      if (node.depth >= depth)
        return { path: '', message: `The document is nested too deeply: at most ${depth} levels` };
      const { value } = node;
      const entries: readonly [string | number, unknown][] = Array.isArray(value)
        ? [...value.entries()]
        : Object.entries(value);
      seen += entries.length;
      if (seen > values) return { path: '', message: `The document is too large: at most ${values} values` };
      for (const [step, child] of entries) {
        if (typeof step === 'string') text += step.length;
        todo.push({ value: child, depth: node.depth + 1, parent: node, step });
      }
    }
    if (text > characters) {
      return { path: '', message: `The document is too large: at most ${characters / 1024} KiB of text` };
    }
  }
  return undefined;
}
