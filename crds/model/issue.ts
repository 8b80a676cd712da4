/** What is wrong at one place of a document. */
export interface Issue {
  /** As `spec.services.web.ports[0]`; empty for the document as a whole. */
  readonly path: string;
  /** One sentence: what is wrong and what would be right. No secrets. */
  readonly message: string;
}

/** Above this many issues the rest is counted only. */
const LIMIT_ISSUES = 50;

const UNTOLD: Issue = { path: '', message: '' };

/**
 * An issue for each item. Beyond the first LIMIT_ISSUES they only count, see `capped`: to find words for one, what was
 * meant and where it stands, costs a thousand times as much as to find that something is wrong. Pure.
 */
export const issuesOf = <T>(items: readonly T[], explain: (item: T) => Issue): readonly Issue[] =>
  items.map((item, index) => (index < LIMIT_ISSUES ? explain(item) : UNTOLD));

/** The first issues, and how many more there are. Pure. */
export function capped(issues: readonly Issue[]): readonly Issue[] {
  const more = issues.length - LIMIT_ISSUES;
  return more > 0 ? [...issues.slice(0, LIMIT_ISSUES), { path: '', message: `and ${more} more` }] : issues;
}

/** Names and list positions that lead to a value. */
export type Path = readonly (string | number)[];

/** `['spec', 'ports', 0]` is `spec.ports[0]`; a name with other characters goes in brackets and quotes. Pure. */
export function pathText(path: Path): string {
  const steps = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return /^[\w-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(shorten(step, 80))}]`;
  });
  return steps.join('').replace(/^\./, '');
}

/** The text, cut when it is long. Pure. */
export const shorten = (text: string, limit = 40): string => (text.length > limit ? `${text.slice(0, limit)}…` : text);

/** Joins with commas and a last word between: `a, b or c`. Pure. */
export const listed = (words: readonly string[], last = 'or'): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
