import { isSecretName, withoutLogins } from './secret-names.js';

/** Stands for a secret. */
export const MASK = '***';

/** What is shown of a secret. */
type Show = (secret: string) => string;

/** A value in quotes, which are escaped where the text is itself in quotes. */
const QUOTED = `"(?:[^"\\\\]|\\\\.)*"|'[^']*'|\\\\"[^"\\\\]*\\\\"`;
/** `--name=value`, `--name value`, `-name value`; an option that is followed by another one has no value. */
const OPTION = new RegExp(`(^|[\\s"'])(--?[a-z][\\w.-]*)(=|\\s+(?!--?[a-z]))((?:${QUOTED}|\\S)+)`, 'gi');
/** `NAME=value`, as a variable or in a list such as `addr=a,password=b`. */
const ASSIGNED = new RegExp(`(^|[\\s,;&?"'])([\\w.-]+)(=)((?:${QUOTED}|[^\\s,;&])*)`, 'gi');
/** `'Name: value'`, a header in quotes; one of HTTP needs no space. */
const HEADER = /(["'])([\w.-]+)(:\s+)([^"'\n]+)/g;
const HTTP_HEADER = /(^|[\s"'])(x-[\w-]+|authorization|proxy-authorization|cookie)(:)([^\s"'][^"'\n]*)/gi;
/** `Name: value`, `"name":"value"`, a member of YAML or JSON, but no `image:tag`; an unquoted value ends with its line, quote or brace. */
const MEMBER = new RegExp(
  `(^|[\\s,{"'])([\\w.-]+)(\\\\?["']\\s*:\\s*|:\\s+)(${QUOTED}|["']?[^\\s"'},][^"'},\\n]*)`,
  'gi',
);
const RULES = [OPTION, ASSIGNED, HEADER, HTTP_HEADER, MEMBER];
const DEEPEST = 5;
/** Characters of one text that are searched; nobody reads what follows, and a search of a megabyte takes seconds. */
const SEARCHED = 16_384;
const BEARER = /\b(Bearer\s+)([\w.~+/=-]+)/g;

/** Options of programs that take `name:password`. */
const LOGINS = ['-u', '--user', '--proxy-user'];
const LOGIN = /^([^\s:]+:)(.+)$/s;

/**
 * A text without the secrets that show by the word before them: options, variables, headers and members of JSON with such
 * names, `Bearer …`, and the logins of URLs. A text of more than 16,384 characters is cut there, with the mask. Pure.
 */
export const maskedText = (text: string): string => withoutLogins(shownText(text, () => MASK));

/** A list of texts like arguments: the value of an option may be the next of them. Pure. */
export const maskedTexts = (texts: readonly string[]): readonly string[] =>
  shownTexts(texts, () => MASK).map(withoutLogins);

/** The secrets that would be masked in arguments, logins of URLs aside. Pure. */
export function secretsIn(texts: readonly string[]): readonly string[] {
  const found: string[] = [];
  shownTexts(texts, (secret) => {
    found.push(secret);
    return secret;
  });
  return found;
}

const shownTexts = (texts: readonly string[], show: Show): readonly string[] =>
  texts.map((text, index) => valueAfter(texts[index - 1], text, show) ?? shownText(text, show));

/** What is shown of an argument that is the value of the option before it; undefined when it is not, or no secret. Pure. */
function valueAfter(option: string | undefined, value: string, show: Show): string | undefined {
  if (option === undefined || !/^--?[a-z][\w.-]*$/i.test(option) || /^--[a-z]/i.test(value)) return undefined;
  if (LOGINS.includes(option)) return shownLogin(value, show);
  return isSecretName(option) ? show(value) : undefined;
}

function shownText(text: string, show: Show): string {
  if (text.length > SEARCHED) return shownText(text.slice(0, SEARCHED), show) + show(text.slice(SEARCHED));
  // The whole of it is one variable, option or header, whatever characters the value has.
  const [, name, between, value] = /^(-{0,2}[\w.-]+)(=|:\s+)(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined && isSecretName(name)) return name + between + shownValue(value, show);
  return RULES.reduce((left, rule) => byRule(left, rule, show), text).replaceAll(
    BEARER,
    (all, word: string, found: string) => (found === MASK ? all : word + show(found)),
  );
}

/** `depth`: of quotes in quotes. What is deeper than anybody writes is masked as a whole. */
function byRule(text: string, rule: RegExp, show: Show, depth = 0): string {
  if (depth > DEEPEST) return show(text);
  return text.replaceAll(rule, (all, before: string, word: string, between: string, found: string) => {
    if (found === MASK) return all;
    const lead = before + word + between;
    if (isSecretName(word)) return lead + shownValue(found, show);
    if (LOGINS.includes(word)) return lead + shownLogin(found, show);
    // What is quoted may be a whole command.
    const [opening, inner, closing] = partsOf(found) ?? [found.slice(0, 1), found.slice(1), ''];
    return lead + opening + byRule(inner, rule, show, depth + 1) + closing;
  });
}

const shownLogin = (text: string, show: Show): string =>
  text.replace(LOGIN, (_, name: string, secret: string) => name + show(secret));

/** A value in quotes stays in them. */
function shownValue(value: string, show: Show): string {
  const [opening, inner, closing] = partsOf(value) ?? ['', value, ''];
  return opening + show(inner) + closing;
}

/** A quote, what it holds, and the quote again. Pure. */
function partsOf(value: string): readonly [string, string, string] | undefined {
  const [, quote, inner] = /^(\\?["'])(.*)\1$/s.exec(value) ?? [];
  return quote === undefined || inner === undefined ? undefined : [quote, inner, quote];
}
