import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  type Scalar as YamlScalar,
} from 'yaml';
import { parseYaml } from '../../../crds/yaml/yaml-text.js';
import { type ComposeText, type Entry, type Findings, type Node, nullNode, type Place, type Scalar } from './node.js';
import { plainScalar } from './scalar.js';

/** Largest number of values of a file once its aliases are written out. */
const LIMIT_VALUES = 100_000;

/** Largest number of documents of a file. */
const LIMIT_DOCUMENTS = 20;

/**
 * Reads the documents of a Compose file as values with places: anchors and merge keys (`<<`) are resolved, `!reset` and
 * `!override` kept. Plain scalars mean what they mean to Compose: `0777` is 511, `yes` is a text. A document with a
 * mistake in it is left out, and the mistake is a problem. Pure but for `findings`.
 */
export function parseCompose(content: string, text: Omit<ComposeText, 'lines'>, findings: Findings): readonly Node[] {
  const lines = new LineCounter();
  const own: ComposeText = { ...text, lines };
  const parsed = parseYaml(content.replace(/^\uFEFF/, ''), lines);
  if (!parsed.ok) {
    findings.problem({ text: own, offset: parsed.offset }, parsed.message);
    return [];
  }
  const tooMany = parsed.documents[LIMIT_DOCUMENTS];
  if (tooMany) {
    const message = `Expected at most ${LIMIT_DOCUMENTS} documents in a file, found ${parsed.documents.length}: each is laid over those before it`;
    findings.problem({ text: own, offset: tooMany.range?.[0] ?? 0 }, message);
    return [];
  }
  return parsed.documents.flatMap((document) => {
    const node = new Reader(document, own, findings).read();
    return node === undefined ? [] : [node];
  });
}

const TAGS: Readonly<Record<string, Node['tag']>> = { '!reset': 'reset', '!override': 'override' };
const STANDARD = /^tag:yaml\.org,2002:/;

/** Ends reading a document that is not to be taken. */
class Unusable extends Error {
  override readonly name = 'Unusable';
}

class Reader {
  readonly #anchors = new Map<string, { readonly node: Node; readonly size: number }>();
  readonly #open = new Set<string>();
  #values = 0;

  constructor(
    private readonly document: Document,
    private readonly text: ComposeText,
    private readonly findings: Findings,
  ) {}

  read(): Node | undefined {
    const { errors, contents } = this.document;
    for (const { message, pos } of errors.slice(0, 10)) this.findings.problem(this.#at(pos[0]), `Not YAML: ${message}`);
    if (errors.length > 0 || contents === null) return undefined;
    try {
      return this.#node(contents, 0);
    } catch (error) {
      if (error instanceof Unusable) return undefined;
      throw error;
    }
  }

  #at(offset: number): Place {
    return { text: this.text, offset };
  }

  #node(node: unknown, parent: number): Node {
    const offset = offsetOf(node, parent);
    this.#count(1, offset);
    if (isAlias(node)) return this.#alias(node.source, offset);
    const before = this.#values;
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#open.add(anchor);
    const read = this.#tagged(node, this.#plain(node, offset), offset);
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, { node: read, size: this.#values - before });
    }
    return read;
  }

  #plain(node: unknown, offset: number): Node {
    const at = this.#at(offset);
    if (isMap(node)) return { is: 'map', at, entries: this.#entries(node.items, offset) };
    if (isSeq(node)) return { is: 'list', at, items: node.items.map((item) => this.#node(item, offset)) };
    return isScalar(node) ? scalarOf(node, at) : nullNode(at);
  }

  #tagged(node: unknown, read: Node, offset: number): Node {
    const tag = isMap(node) || isSeq(node) || isScalar(node) ? node.tag : undefined;
    if (tag === undefined || STANDARD.test(tag)) return read;
    const known = TAGS[tag];
    if (known !== undefined) return { ...read, tag: known };
    this.findings.problem(this.#at(offset), `The tag ${tag} is not understood; Compose has !reset and !override`);
    return read;
  }

  #alias(name: string, offset: number): Node {
    const known = this.#anchors.get(name);
    if (known === undefined) {
      const why = this.#open.has(name)
        ? `The alias *${name} stands inside the value that it repeats`
        : `There is no anchor &${name} before *${name}`;
      this.findings.problem(this.#at(offset), why);
      throw new Unusable();
    }
    this.#count(known.size, offset);
    return known.node;
  }

  #count(values: number, offset: number): void {
    this.#values += values;
    if (this.#values <= LIMIT_VALUES) return;
    this.findings.problem(this.#at(offset), 'The file is too large once its aliases are written out');
    throw new Unusable();
  }

  #entries(items: readonly Pair[], parent: number): ReadonlyMap<string, Entry> {
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of items) {
      if (!isPair(pair)) continue;
      const offset = offsetOf(pair.key, parent);
      const name = keyText(pair.key);
      if (name === undefined) {
        this.findings.problem(this.#at(offset), 'A key must be a plain text');
        continue;
      }
      const node = this.#node(pair.value, offset);
      if (name === '<<' && isPlain(pair.key)) {
        for (const one of node.is === 'list' ? node.items : [node]) this.#merge(one, merged, offset);
      } else if (own.has(name)) {
        this.findings.problem(this.#at(offset), `The key ${JSON.stringify(name)} is there twice`);
      } else {
        own.set(name, { at: this.#at(offset), node });
      }
    }
    for (const [name, entry] of own) merged.set(name, entry);
    return merged;
  }

  /** Adds the entries that are not there yet: of several, the first wins. */
  #merge(node: Node, merged: Map<string, Entry>, offset: number): void {
    if (node.is !== 'map') {
      this.findings.problem(this.#at(offset), 'The key << takes a map, or a list of maps');
      return;
    }
    for (const [name, entry] of node.entries) if (!merged.has(name)) merged.set(name, entry);
  }
}

function scalarOf(scalar: YamlScalar, at: Place): Scalar {
  const source = scalar.source ?? '';
  const isText = scalar.type !== 'PLAIN' || scalar.tag === 'tag:yaml.org,2002:str';
  if (!isText) return { is: 'scalar', at, ...plainScalar(source) };
  const text = typeof scalar.value === 'string' ? scalar.value : source;
  return { is: 'scalar', at, type: 'text', value: text, text };
}

const offsetOf = (node: unknown, otherwise: number): number =>
  node !== null && typeof node === 'object' && 'range' in node && Array.isArray(node.range)
    ? Number(node.range[0])
    : otherwise;

const isPlain = (key: unknown): boolean => isScalar(key) && key.type === 'PLAIN';

const keyText = (key: unknown): string | undefined =>
  isScalar(key) && key.value !== null && typeof key.value !== 'object' ? (key.source ?? String(key.value)) : undefined;
