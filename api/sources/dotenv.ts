/** The contents of a file of variables. */
export interface Dotenv {
  /** By name; the last value of a name that occurs twice. */
  readonly variables: ReadonlyMap<string, string>;
  /**
   * Lines that could not be read, from 1. The messages show nothing of the text: what looks like a name may be part of
   * a value, behind a dollar sign in a password or on the second line of a key.
   */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

const LINE = /^[ \t]*(?:export[ \t]+)?([A-Za-z0-9_][\w.-]*)[ \t]*[=:](.*)$/;
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ $: '$', '"': '"', '\\': '\\' },
};
/** Deepest nesting of references in defaults of references. */
const LIMIT_DEPTH = 20;
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
export function parseDotenv(text: string, outer: (name: string) => string | undefined = () => undefined): Dotenv {
  const variables = new Map<string, string>();
  const problems: { line: number; message: string }[] = [];
  let filledIn = 0;
  let line = 0;
  let first = 0;
  const warn = (message: string): void => {
    problems.push({ line: first, message });
    if (problems.length >= LIMIT_PROBLEMS) throw new Enough();
  };
  const lookUp = (name: string): string | undefined => {
    const value = variables.get(name) ?? outer(name);
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
  return { variables, problems };

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
      if (name === undefined) {
        warn('expected NAME=value; a value that goes over several lines is put into quotes');
        continue;
      }
      const [opening = '', quote] = /^[ \t]*(["'])/.exec(written) ?? [];
      let value: string;
      if (quote === undefined) {
        const comment = written.search(/\s#/);
        value = expand((comment < 0 ? written : written.slice(0, comment)).trim(), lookUp, warn);
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
        value = quote === "'" ? inner : expand(inner, lookUp, warn, { escapes: true });
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

type LookUp = (name: string) => string | undefined;
type Warn = (message: string) => void;

/** Returns the text with references replaced; replacements are not expanded again. Pure but for `warn`. */
function expand(text: string, lookUp: LookUp, warn: Warn, { escapes = false, depth = 0 } = {}): string {
  let result = '';
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at] ?? '';
    const next = text[at + 1] ?? '';
    if (escapes && one === '\\' && ESCAPES[next] !== undefined) {
      result += ESCAPES[next];
      at += 1;
    } else if (one !== '$') {
      result += one;
    } else if (next === '$') {
      result += '$';
      at += 1;
    } else if (next === '{') {
      const end = closing(text, at + 2);
      if (end === undefined || depth === LIMIT_DEPTH) {
        warn('a reference ${… has no end; write $$ for a dollar sign, or use single quotes');
        return result;
      }
      result += reference(text.slice(at + 2, end), lookUp, warn, { escapes, depth });
      at = end;
    } else {
      const name = /^[A-Za-z_]\w*/.exec(text.slice(at + 1, at + 257))?.[0];
      result += name === undefined ? '$' : reference(name, lookUp, warn, { escapes, depth });
      at += name?.length ?? 0;
    }
  }
  return result;
}

/** Returns the brace that closes the one before `from`. */
function closing(text: string, from: number): number | undefined {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '{' && text[at - 1] === '$') open += 1;
    if (text[at] === '}') open -= 1;
    if (open === 0) return at;
  }
  return undefined;
}

/**
 * Resolves what is between the braces: `NAME`, or a name and what to do when it is not set (`-`, `?`, `+`) or also when
 * it is empty (`:-`, …).
 */
function reference(
  inner: string,
  lookUp: LookUp,
  warn: Warn,
  { escapes, depth }: { readonly escapes: boolean; readonly depth: number },
): string {
  const [, name, operator, word = ''] = /^([A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(inner) ?? [];
  if (name === undefined) {
    warn('a reference ${…} names no variable; write $$ for a dollar sign, or use single quotes');
    return '';
  }
  const value = lookUp(name);
  const isThere = value !== undefined && !(operator?.startsWith(':') && value === '');
  const alternative = (): string => expand(word, lookUp, warn, { escapes, depth: depth + 1 });
  if (operator?.endsWith('+')) return isThere ? alternative() : '';
  if (isThere) return value;
  if (operator?.endsWith('-')) return alternative();
  warn('a reference to a variable that is not set before this line; write $$ for a dollar sign, or use single quotes');
  return '';
}
