import { isUtf8 } from 'node:buffer';
import { pathText } from '../../../crds/model/issue.js';
import type { AnyDeclared, Problem, Source } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { LIMIT_PROBLEMS, yamlItems } from '../../../crds/yaml/yaml-items.js';
import type { Documents, Parse } from '../documents.js';
import { deviceDocument, isTargetState, parseTargetState } from '../target-state/target-state.js';

/** Larger texts are refused without parsing, bytes: 1 MiB of YAML costs a small device a second and 150 MB. */
export const LIMIT_BYTES = 1024 * 1024;

/** Number of problems of one text after which each further refused document has one only. */
const LIMIT_REPORTED = 100;

export interface ReadOptions {
  readonly parse: Parse;
  /** This device's uuid in a Supervisor target state. */
  readonly deviceUuid: string;
}

/**
 * Reads the documents of one file: YAML 1.2 (several documents, a `List`, an array) or JSON, ours or a Supervisor's
 * target state. Every problem names file, line and column; one without a document is about the whole file. Pure.
 */
export function readDocuments(content: Uint8Array, file: string, options: ReadOptions): Documents {
  const decoded = decode(content, file);
  if (typeof decoded !== 'string') return { documents: [], problems: [decoded], warnings: [] };
  if (decoded.trim() === '') {
    const message = 'The file is empty; to take back what it declared, delete it or leave a comment in it';
    return { documents: [], problems: [{ message, source: { file } }], warnings: [] };
  }
  const { items, problems } = yamlItems(decoded, file);
  let reported = 0;
  const read = items.map(({ value, locate }) => {
    const limit = reported < LIMIT_REPORTED ? LIMIT_PROBLEMS : 1;
    const documents = readItem(value, locate, options, limit);
    reported += documents.problems.length;
    // A target state was written by a program, which has replaced its variables.
    const warnings = isTargetState(value) ? [] : literalReferences(value, locate);
    return { ...documents, warnings: [...documents.warnings, ...warnings] };
  });
  return {
    documents: read.flatMap(({ documents }) => documents),
    problems: [...problems, ...read.flatMap((one) => one.problems)],
    warnings: read.flatMap(({ warnings }) => warnings),
  };
}

export function readItem(
  item: unknown,
  locate: (path: string) => Source,
  { parse, deviceUuid }: ReadOptions,
  limitProblems = LIMIT_PROBLEMS,
): Documents {
  const source = locate('');
  if (item === null || item === undefined) return { documents: [], problems: [], warnings: [] };
  if (isTargetState(item)) {
    const read = parseTargetState(item, { deviceUuid, parse });
    if (!read.ok) {
      return { documents: [], problems: [{ message: read.message.replaceAll('\n', '; '), source }], warnings: [] };
    }
    const apps: readonly AnyDeclared[] = read.apps ?? [];
    const device = deviceDocument(read.name, read.config);
    const documents = device ? [...apps, device] : apps;
    return {
      documents: documents.map((document) => ({ document, source: { ...source, isTargetState: true } })),
      problems: [],
      warnings: read.warnings.map((message) => ({ message, source })),
    };
  }
  if (!isMap(item)) {
    return {
      documents: [],
      problems: [{ message: 'Expected a document, a map with apiVersion and kind', source }],
      warnings: [],
    };
  }
  if (item.kind === undefined && item.services !== undefined) {
    const message =
      'This looks like a Compose file: `supercargo compose convert` prints the document that it comes to, and `supercargo apply` takes it as it is';
    return { documents: [], problems: [{ message, source }], warnings: [] };
  }
  const result = parse(item);
  if (result.ok) return { documents: [{ document: result.document, source }], problems: [], warnings: [] };
  const who = result.kind && result.name ? { kind: result.kind, name: result.name } : {};
  const problems = result.issues.slice(0, limitProblems).map(({ path, message }) => ({
    message,
    ...(path === '' ? {} : { path }),
    source: locate(path),
    ...who,
  }));
  return { documents: [], problems, warnings: [] };
}

/**
 * Returns warnings for text that looks like a variable: a file of the device is taken as it is written. One warning for
 * each kind, at the first place. Pure.
 */
function literalReferences(value: unknown, locate: (path: string) => Source): readonly Problem[] {
  const found = new Map<string, Problem>();
  const look = (inner: unknown, path: readonly (string | number)[]): void => {
    if (typeof inner === 'object' && inner !== null) {
      for (const [name, one] of Object.entries(inner)) look(one, [...path, Array.isArray(inner) ? Number(name) : name]);
    }
    if (typeof inner !== 'string') return;
    for (const [pattern, message] of LITERALS) {
      const text = pattern.exec(inner)?.[0];
      if (text === undefined || found.has(message)) continue;
      const at = pathText(path);
      found.set(message, { message: `${text} ${message}`, path: at, source: locate(at) });
    }
  };
  look(value, []);
  return [...found.values()];
}

const LITERALS: readonly (readonly [RegExp, string])[] = [
  [/\$\{[A-Za-z_][^}]{0,60}\}?/, 'stays as it is: variables are filled in for documents of a GitSource only'],
  [/\$\$/, 'stays two dollar signs: only documents of a GitSource need to write a dollar sign twice'],
];

/** Returns the problem of a file that is too large to be read. Pure. */
export const tooLarge = (sizeBytes: number, file: string): Problem => ({
  message: `The file is too large: ${(sizeBytes / 1024 / 1024).toFixed(1)} MiB, at most ${LIMIT_BYTES / 1024 / 1024} MiB`,
  source: { file },
});

/** Returns the text, without a byte order mark; or the problem when it is not UTF-8. */
export function decode(content: Uint8Array, file: string): string | Problem {
  if (content.byteLength > LIMIT_BYTES) return tooLarge(content.byteLength, file);
  const text = new TextDecoder().decode(content);
  const bad = firstUnprintable(text, isUtf8(content));
  if (bad === undefined) return text;
  const before = text.slice(0, bad).split('\n');
  const source = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const code = text.charCodeAt(bad);
  return {
    message:
      code === 0xfffd
        ? 'The file is not UTF-8 text'
        : `The file is not text: it contains the byte 0x${code.toString(16).padStart(2, '0')}`,
    source,
  };
}

function firstUnprintable(text: string, isUtf8: boolean): number | undefined {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const control = code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d;
    if (control || code === 0x7f || (code === 0xfffd && !isUtf8)) return index;
  }
  return undefined;
}
