import { type Document, LineCounter } from 'yaml';
import type { Problem, Source } from '../model/kinds.js';
import { isMap } from '../model/maps.js';
import { isQuotedAt, itemNodes, LIMIT_DOCUMENTS, offsetAt, parseYaml, plainValue, prepare } from './yaml-text.js';

/** Number of problems of one text: a broken one has one cause and many symptoms. */
export const LIMIT_PROBLEMS = 10;

/** One value of a text, not checked yet, and the places of its parts. */
export interface YamlItem {
  readonly value: unknown;
  /** Returns the place of `spec.services.web.ports[0]`, or of the nearest parent that exists. */
  readonly locate: (path: string) => Source;
  /** Tells whether the value there was written as text: in quotes, as everything in JSON, or as a block. */
  readonly isQuoted: (path: string) => boolean;
}

export interface YamlItems {
  readonly items: readonly YamlItem[];
  /** Mistakes in the text itself, with file, line and column. */
  readonly problems: readonly Problem[];
}

/**
 * Splits a text as every input does: YAML 1.2 or JSON, several documents, a `List`, an array. A document with a mistake
 * in its text gives problems, the others their items. Pure.
 */
export function yamlItems(text: string, file: string): YamlItems {
  const lines = new LineCounter();
  const at = (offset: number): Source => {
    const { line, col } = lines.linePos(offset);
    return line > 0 ? { file, line, column: col } : { file };
  };
  const parsed = parseYaml(text, lines);
  if (!parsed.ok) return { items: [], problems: [{ message: parsed.message, source: at(parsed.offset) }] };
  if (parsed.documents.length > LIMIT_DOCUMENTS) {
    return { items: [], problems: [tooMany(at(0))] };
  }
  const read = parsed.documents.map((document) => readDocument(document, at));
  const items = read.flatMap((one) => one.items);
  if (items.length > LIMIT_DOCUMENTS) return { items: [], problems: [tooMany(at(0))] };
  return { items, problems: read.flatMap(({ problems }) => problems) };
}

const tooMany = (source: Source): Problem => ({
  message: `More than ${LIMIT_DOCUMENTS} documents in one file; split it`,
  source,
});

function readDocument(document: Document, at: (offset: number) => Source): YamlItems {
  const found = document.errors.length
    ? document.errors.map(({ message, pos }) => ({ message: `Not YAML: ${message}`, offset: pos[0] }))
    : prepare(document);
  if (found.length > 0) {
    const shown = found.slice(0, LIMIT_PROBLEMS);
    return { items: [], problems: shown.map(({ message, offset }) => ({ message, source: at(offset) })) };
  }
  const read = readValue(document);
  if (!read.ok) {
    const source = at(offsetAt(document, document.contents, ''));
    return { items: [], problems: [{ message: read.message, source }] };
  }
  const nodes = itemNodes(document);
  const items = itemsOf(read.value).map((value, index) => ({
    value,
    locate: (path: string) => at(offsetAt(document, nodes[index], path)),
    isQuoted: (path: string) => isQuotedAt(document, nodes[index], path),
  }));
  return { items, problems: [] };
}

function readValue(document: Document): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: plainValue(document) };
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, message: error.message };
    if (error instanceof ReferenceError) return { ok: false, message: 'The aliases repeat each other too often' };
    throw error;
  }
}

const itemsOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  if (isMap(value) && value.kind === 'List' && Array.isArray(value.items)) return value.items;
  return [value];
};
