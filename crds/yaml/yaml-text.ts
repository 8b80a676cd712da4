import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type LineCounter,
  type Pair,
  Parser,
  type Scalar,
  visit,
} from 'yaml';

/** How often one file may repeat an anchor, and how large its values may be once every alias is expanded. */
const LIMITS = { aliases: 1000, values: 200_000, characters: 4 * 1024 * 1024 } as const;
/** Deepest nesting of maps, lists and entries. The composer is recursive, and Node dies, uncatchably, when its stack is used up there. */
const LIMIT_DEPTH = 200;
/** Largest number of tokens in one text, about eight a line. Real documents have a few thousand; each costs 3 µs and 400 bytes. */
const LIMIT_TOKENS = 30_000;
/** Largest number of lines in one text: those of a block are one token together, and cost as much. */
const LIMIT_LINES = 20_000;
/** Longest value, characters: the parser joins those in quotes one by one, 32 bytes each. No variable may be so long. */
const LIMIT_TOKEN_LENGTH = 256 * 1024;
export const LIMIT_DOCUMENTS = 1000;
/** Number of errors after which a text counts as junk. */
const ENOUGH_ERRORS = 100;

/** Maps of text, whose values are kept as written, so that `VERSION: 1.10` does not become 1.1. */
const TEXT_MAPS = new Set(['environment', 'labels', 'config', 'annotations']);

/** Something in a text that our documents cannot contain. `offset` counts characters from the start of the file. */
export interface Finding {
  readonly message: string;
  readonly offset: number;
}

/** Parses the documents of a text, in YAML 1.2; each has its own errors. Refuses only what is too deep or too long. Pure. */
export function parseYaml(
  text: string,
  lines: LineCounter,
): { ok: true; documents: readonly Document[] } | { ok: false; message: string; offset: number } {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false, // `prepare` checks it, in linear time
    logLevel: 'silent',
  });
  const documents: Document[] = [];
  lines.addNewLine(0);
  const tooLong = (offset: number) =>
    ({ ok: false, message: 'The text is too long for a device to read; split it', offset }) as const;
  if (hasMoreLines(text, LIMIT_LINES)) return tooLong(0);
  let tokens = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens += 1;
    if (lexeme.length > LIMIT_TOKEN_LENGTH) {
      const message = `One value is longer than ${LIMIT_TOKEN_LENGTH / 1024} KiB; put it into a file in a volume`;
      return { ok: false, message, offset: parser.offset };
    }
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error' || token.type === 'directive') errors += 1; // nobody writes many directives
      documents.push(...composer.next(token));
    }
    if (parser.stack.length > LIMIT_DEPTH) {
      return { ok: false, message: 'The text is nested too deeply', offset: parser.offset };
    }
    if (tokens > LIMIT_TOKENS) return tooLong(parser.offset);
    if (errors > ENOUGH_ERRORS || documents.length > LIMIT_DOCUMENTS) break; // it cannot get worse
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end());
  return { ok: true, documents };
}

function hasMoreLines(text: string, limit: number): boolean {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0 && lines <= limit; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines > limit;
}

const keyText = (key: unknown): string | undefined =>
  isScalar(key) && key.value !== null && typeof key.value !== 'object' ? (key.source ?? String(key.value)) : undefined;

const offsetOf = (node: unknown, otherwise = 0): number =>
  node !== null && typeof node === 'object' && 'range' in node && Array.isArray(node.range)
    ? Number(node.range[0])
    : otherwise;

/** Tells whether a number or boolean would lose its text by being read as one. */
const keepText = (scalar: Scalar, inTextMap: boolean): boolean =>
  scalar.type === 'PLAIN' &&
  scalar.source !== undefined &&
  (typeof scalar.value === 'number' || typeof scalar.value === 'boolean') &&
  (inTextMap || /^[-+]?0\d+$/.test(scalar.source));

/**
 * Finds what YAML allows and our documents do not: tags, duplicate keys, keys that are not text, unknown anchors.
 * Numbers that would lose something (`0123`; anything in a map of text) become the text that was written.
 */
export function prepare(document: Document): Finding[] {
  const found: Finding[] = document.warnings.map(({ message, pos }) => ({
    message: message.startsWith('Unresolved tag')
      ? `Tags are not understood here (${message.split(': ').at(-1)}); write the plain value`
      : message,
    offset: pos[0],
  }));
  const anchors = new Set<string>();
  let aliases = 0;

  visit(document, {
    Alias(_key, alias) {
      aliases += 1;
      if (aliases === LIMITS.aliases + 1) {
        found.push({ message: `More than ${LIMITS.aliases} aliases in one document`, offset: offsetOf(alias) });
        return visit.BREAK;
      }
      if (!anchors.has(alias.source)) {
        found.push({ message: `There is no anchor &${alias.source} before *${alias.source}`, offset: offsetOf(alias) });
      }
      return undefined;
    },
    Seq(_key, { anchor }) {
      if (anchor) anchors.add(anchor);
    },
    Map(_key, map) {
      if (map.anchor) anchors.add(map.anchor);
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const text = keyText(key);
        const offset = offsetOf(key, offsetOf(map));
        if (text === undefined || text === '__proto__') {
          found.push({ message: 'A key must be a plain text', offset });
        } else if (text === '<<') {
          found.push({ message: 'Merge keys (<<) are not part of YAML 1.2; write the fields out', offset });
        } else if (seen.has(text)) {
          found.push({ message: `The key ${JSON.stringify(text)} is there twice`, offset });
        }
        if (text !== undefined) seen.add(text);
        if (isScalar(key) && text !== undefined) key.value = text;
      }
    },
    Scalar(role, scalar, path) {
      if (scalar.anchor) anchors.add(scalar.anchor);
      if (role === 'key' || !keepText(scalar, inTextMap(path))) return;
      scalar.value = scalar.source;
    },
  });
  return found;
}

function inTextMap(path: readonly unknown[]): boolean {
  const owner = path.at(-3); // …, pair of the map, map, pair of the scalar
  return isPairWithText(owner) && TEXT_MAPS.has(keyText(owner.key) ?? '');
}

const isPairWithText = (value: unknown): value is Pair => typeof value === 'object' && value !== null && 'key' in value;

/**
 * Returns the document as plain values that share nothing. Throws a RangeError when it contains itself or when its
 * aliases would make it larger than a device should hold.
 */
export function plainValue(document: Document): unknown {
  const open = new Set<unknown>();
  let values = 0;
  let characters = 0;

  const copy = (value: unknown): unknown => {
    values += 1;
    if (typeof value === 'string') characters += value.length;
    if (values > LIMITS.values || characters > LIMITS.characters) {
      throw new RangeError('The document is too large once its aliases are written out');
    }
    if (value === null || typeof value !== 'object') return value;
    if (open.has(value)) throw new RangeError('An alias stands inside the value that it repeats');
    open.add(value);
    const copied = Array.isArray(value)
      ? value.map(copy)
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
    open.delete(value);
    return copied;
  };
  return copy(document.toJS({ maxAliasCount: LIMITS.aliases }));
}

/** Returns the nodes of a document's items: itself, or the members of a list. Pure. */
export function itemNodes(document: Document): readonly unknown[] {
  const top = document.contents;
  if (isSeq(top)) return top.items;
  if (isMap(top) && top.get('kind') === 'List' && isSeq(top.get('items'))) {
    const items = top.get('items');
    return isSeq(items) ? items.items : [];
  }
  return [top];
}

/**
 * Returns where the value at a path such as `spec.services.web.ports[0]` is written; its nearest parent when it is
 * missing. Keys may contain dots. Pure.
 */
export const offsetAt = (document: Document, root: unknown, path: string): number =>
  follow(document, root, path).offset;

/** Tells whether the value at that path was written as text: in quotes, or as a block. Pure. */
export function isQuotedAt(document: Document, root: unknown, path: string): boolean {
  const { node, rest } = follow(document, root, path);
  const value = isAlias(node) ? node.resolve(document as Document.Parsed) : node;
  return rest === '' && isScalar(value) && value.type !== undefined && value.type !== 'PLAIN';
}

/** Returns the node at the path, or the nearest one above it and the `rest` of the path from there. */
function follow(
  document: Document,
  root: unknown,
  path: string,
): { readonly node: unknown; readonly rest: string; readonly offset: number } {
  let node: unknown = root;
  let offset = offsetOf(root);
  let rest = path;
  while (rest !== '') {
    if (isAlias(node)) node = node.resolve(document as Document.Parsed);
    const step = isMap(node) ? stepIntoMap(node.items, rest) : isSeq(node) ? stepIntoList(node.items, rest) : undefined;
    if (!step) break;
    node = step.value;
    rest = step.rest;
    offset = isScalar(node) && offsetOf(node) > 0 ? offsetOf(node) : offsetOf(step.at, offsetOf(node, offset));
  }
  return { node, rest, offset };
}

interface Step {
  readonly at: unknown;
  readonly value: unknown;
  readonly rest: string;
}

function stepIntoMap(items: readonly Pair[], path: string): Step | undefined {
  let best: Step | undefined;
  for (const { key, value } of items) {
    const text = keyText(key);
    if (text === undefined) continue;
    for (const form of path.startsWith('[') ? bracketed(text) : [text, `.${text}`]) {
      if (!path.startsWith(form)) continue;
      const rest = path.slice(form.length);
      const ends = rest === '' || rest.startsWith('.') || rest.startsWith('[');
      if (ends && (best === undefined || rest.length < best.rest.length)) best = { at: key, value, rest };
    }
  }
  return best;
}

const bracketed = (text: string): readonly string[] => [text, `[${JSON.stringify(text)}]`, `['${text}']`, `[${text}]`];

function stepIntoList(items: readonly unknown[], path: string): Step | undefined {
  const [matched, bracketed, dotted] = /^(?:\[(\d+)\]|\.?(\d+)(?=[.[]|$))/.exec(path) ?? [];
  if (matched === undefined) return undefined;
  const value = items[Number(bracketed ?? dotted)];
  return value === undefined ? undefined : { at: value, value, rest: path.slice(matched.length) };
}
