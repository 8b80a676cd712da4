/** What is wrong with a reference, or worth telling about one. */
export type ReferenceIssue =
  | { readonly is: 'unclosed' }
  | { readonly is: 'unnamed' }
  /** The variable is not set, and nothing says what to take instead; an empty text is taken. */
  | { readonly is: 'unset'; readonly name: string }
  /** `${NAME:?message}`, and the variable is not set. */
  | { readonly is: 'required'; readonly name: string; readonly message: string };

type LookUp = (name: string) => string | undefined;
type Report = (issue: ReferenceIssue) => void;

/** Deepest nesting of references in defaults of references. */
const LIMIT_DEPTH = 20;

/** A fact that every device has. */
const DEVICE_FACT = 'device.uuid';

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' },
  ...{ $: '$', '"': '"', '\\': '\\' },
};

/**
 * Returns the text with references replaced as Compose does: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}`,
 * `${NAME:?message}` and the same without a colon; `$$` is a dollar sign. Where facts of the device are known, `${device.name}`
 * is one, too. Replacements are not expanded again. `escapes`: a backslash escapes, as in double quotes of a file of
 * variables. Pure but for `report`.
 */
export function expandReferences(
  text: string,
  lookUp: LookUp,
  report: Report,
  { escapes = false, depth = 0 }: { readonly escapes?: boolean; readonly depth?: number } = {},
): string {
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
        report({ is: 'unclosed' });
        return result;
      }
      result += reference(text.slice(at + 2, end), lookUp, report, { escapes, depth });
      at = end;
    } else {
      const name = /^[A-Za-z_]\w*/.exec(text.slice(at + 1, at + 257))?.[0];
      result += name === undefined ? '$' : reference(name, lookUp, report, { escapes, depth });
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
  report: Report,
  { escapes, depth }: { readonly escapes: boolean; readonly depth: number },
): string {
  const [, name, operator, word = ''] = /^(device(?:\.\w+)+|[A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(inner) ?? [];
  if (name === undefined || (name.includes('.') && lookUp(DEVICE_FACT) === undefined)) {
    report({ is: 'unnamed' });
    return '';
  }
  const value = lookUp(name);
  const isThere = value !== undefined && !(operator?.startsWith(':') && value === '');
  const alternative = (): string => expandReferences(word, lookUp, report, { escapes, depth: depth + 1 });
  if (operator?.endsWith('+')) return isThere ? alternative() : '';
  if (isThere) return value;
  if (operator?.endsWith('-')) return alternative();
  report(operator?.endsWith('?') ? { is: 'required', name, message: alternative() } : { is: 'unset', name });
  return '';
}
