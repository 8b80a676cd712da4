import { expandReferences, type ReferenceIssue } from './references.js';

/** The contents of a file of variables. */
export interface Dotenv {
  /** By name; the last value of a name that occurs twice. */
  readonly variables: ReadonlyMap<string, string>;
  /**
   * Lines that could not be read, from 1. The messages show nothing of the text: what looks like a name may be part of
   * a value, behind a dollar sign in a password or on the second line of a key.
   */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
  /** Lines in which something is probably not meant, in the same words. */
  readonly warnings: readonly { readonly line: number; readonly message: string }[];
}

export interface DotenvOptions {
  /**
   * Reads the file as Compose does, also where Compose guesses: `outer` goes before earlier lines, a name without a value
   * has that of `outer` or is left out, and an unknown variable is empty, with a warning.
   */
  readonly asCompose?: boolean;
}

/** A name without a value. */
const ALONE = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*$/;
const LINE = /^[ \t]*(?:export[ \t]+)?([A-Za-z0-9_][\w.-]*)[ \t]*[=:](.*)$/;
/** Number of problems after which a file is not read on: a MiB has room for half a million. */
const LIMIT_PROBLEMS = 50;
/** Largest number of characters that references may insert, all together: values of values grow tenfold with every line. */
const LIMIT_FILLED_IN = 1024 * 1024;

/** Ends reading a file; its problems say why. */
class Enough extends Error {
  override readonly name = 'Enough';
}

/**
 * Reads a file as Compose reads an `env_file`: `NAME=value` or `NAME: value` on each line, `export` before it; `#`
 * after white space begins a comment. In single quotes everything stays as it is; in double quotes there are escapes;
 * both may go over several lines. `$NAME`, `${NAME}`, `${NAME:-default}` and the like stand for a variable of an
 * earlier line, or of `outer`; `$$` is a dollar sign. Where Compose guesses (a line without `=`, an unknown variable,
 * text behind a closing quote), it reports a problem. Pure.
 */
export function parseDotenv(
  text: string,
  outer: (name: string) => string | undefined = () => undefined,
  { asCompose = false }: DotenvOptions = {},
): Dotenv {
  const variables = new Map<string, string>();
  const problems: { line: number; message: string }[] = [];
  const warnings: { line: number; message: string }[] = [];
  let filledIn = 0;
  let line = 0;
  let first = 0;
  const warn = (message: string): void => {
    problems.push({ line: first, message });
    if (problems.length >= LIMIT_PROBLEMS) throw new Enough();
  };
  const report = (issue: ReferenceIssue): void => {
    if (!asCompose || issue.is !== 'unset') warn(MESSAGES[issue.is]);
    else if (warnings.length < LIMIT_PROBLEMS) warnings.push({ line: first, message: MESSAGES[issue.is] });
  };
  const lookUp = (name: string): string | undefined => {
    const value = asCompose ? (outer(name) ?? variables.get(name)) : (variables.get(name) ?? outer(name));
    filledIn += value?.length ?? 0;
    if (filledIn <= LIMIT_FILLED_IN) return value;
    warn(`its references stand for more than ${LIMIT_FILLED_IN / 1024 / 1024} MiB of text`);
    throw new Enough();
  };
  try {
    read();
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return { variables, problems, warnings };

  function read(): void {
    const all = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
    for (let at = 0; at < all.length; ) {
      line += 1;
      first = line;
      const end = endOfLine(all, at);
      const row = all.slice(at, end);
      const begin = at;
      at = end + 1;
      if (/^\s*(?:#|$)/.test(row)) continue;
      const [, name, written = ''] = LINE.exec(row) ?? [];
      const [, alone] = (asCompose && ALONE.exec(row)) || [];
      if (alone !== undefined) {
        const inherited = outer(alone);
        if (inherited !== undefined) variables.set(alone, inherited);
        continue;
      }
      if (name === undefined) {
        warn('expected NAME=value; a value that goes over several lines is put into quotes');
        continue;
      }
      const [opening = '', quote] = /^[ \t]*(["'])/.exec(written) ?? [];
      let value: string;
      if (quote === undefined) {
        const comment = written.search(/\s#/);
        value = expandReferences((comment < 0 ? written : written.slice(0, comment)).trim(), lookUp, report);
      } else {
        const inside = begin + row.length - written.length + opening.length;
        const close = closingQuote(all, inside, quote);
        if (close === undefined) {
          warn('a quoted value has no end');
          break; // the rest may be part of it
        }
        const inner = all.slice(inside, close);
        line += inner.split('\n').length - 1;
        at = endOfLine(all, close) + 1;
        if (!/^\s*(?:$|#)/.test(all.slice(close + 1, at - 1))) warn('there is text behind a closing quote');
        value = quote === "'" ? inner : expandReferences(inner, lookUp, report, { escapes: true });
      }
      if (value.includes('\0')) warn('a value has a zero byte, which no variable can hold');
      else variables.set(name, value);
    }
  }
}

const endOfLine = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
};

/** Returns the quote that ends a text: the first one, in double quotes the first without a backslash. */
function closingQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === quote) return at;
    if (quote === '"' && text[at] === '\\') at += 1;
  }
  return undefined;
}

/** What is wrong with a reference, without its name: that may be a part of a password behind a dollar sign. */
const MESSAGES: Readonly<Record<ReferenceIssue['is'], string>> = {
  unclosed: 'a reference ${… has no end; write $$ for a dollar sign, or use single quotes',
  unnamed: 'a reference ${…} names no variable; write $$ for a dollar sign, or use single quotes',
  unset: 'a reference to a variable that is not set before this line; write $$ for a dollar sign, or use single quotes',
  required:
    'a reference to a variable that is not set before this line; write $$ for a dollar sign, or use single quotes',
};
