/** A mistake at one place of a document. */
export interface Issue {
  /** As `spec.services.web.ports[0]`; empty for the document as a whole. */
  readonly path: string;
  /** One sentence: what is wrong and what would be right. No secrets. */
  readonly message: string;
}

/** Number of issues above which the rest is only counted. */
const LIMIT_ISSUES = 50;

const UNTOLD: Issue = { path: '', message: '' };

/**
 * Returns an issue for each item. Beyond the first LIMIT_ISSUES they only count, see `capped`: describing one, with a
 * suggestion and its place, costs a thousand times as much as finding it. Pure.
 */
export const issuesOf = <T>(items: readonly T[], explain: (item: T) => Issue): readonly Issue[] =>
  items.map((item, index) => (index < LIMIT_ISSUES ? explain(item) : UNTOLD));

/** Returns the first issues, and how many more there are. Pure. */
export function capped(issues: readonly Issue[]): readonly Issue[] {
  const more = issues.length - LIMIT_ISSUES;
  return more > 0 ? [...issues.slice(0, LIMIT_ISSUES), { path: '', message: `and ${more} more` }] : issues;
}

/** Names and list positions that lead to a value. */
export type Path = readonly (string | number)[];

/** Returns a path as text: `spec.ports[0]` for `['spec', 'ports', 0]`; a name with other characters is put in brackets and quotes. Pure. */
export function pathText(path: Path): string {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(shorten(step, 80))}]`;
  });
  return steps.join('').replace(/^\./, '');
}

/** Returns the text, cut when it is long. Pure. */
export const shorten = (text: string, limit = 40): string => (text.length > limit ? `${text.slice(0, limit)}…` : text);

/** Joins with commas and a last word: `a, b or c`. Pure. */
export const listed = (words: readonly string[], last = 'or'): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
