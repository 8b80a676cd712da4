import { distance } from 'fastest-levenshtein';

const LONGEST = 64;

/** `networkMode`, `network-mode` and `network_mode` are written differently and meant alike. */
const bare = (word: string): string => word.toLowerCase().replaceAll(/[_\-\s]/g, '');

/** Words that are written alike, or in one place, and mean the contrary. */
const OPPOSITES: readonly (readonly [string, string])[] = [
  ['internal', 'external'],
  ['ingress', 'egress'],
  ['include', 'exclude'],
  ['enable', 'disable'],
  ['allow', 'deny'],
  ['add', 'drop'],
  ['start', 'stop'],
  ['suspend', 'resume'],
  ['create', 'delete'],
  ['retain', 'delete'],
  ['min', 'max'],
  ['before', 'after'],
  ['public', 'private'],
  ['read', 'write'],
  ['ro', 'rw'],
  ['up', 'down'],
  ['soft', 'hard'],
  ['on', 'off'],
  ['un', ''],
  ['no', ''],
  ['non', ''],
  ['in', 'out'],
];

/** Empty is a prefix that one has and the other lacks. */
function turned(word: string, from: string, to: string): readonly string[] {
  if (from === '') return [`${to}${word}`];
  const isThere = to === '' ? word.startsWith(from) : word.includes(from);
  return isThere ? [word.replace(from, to)] : [];
}

/** A candidate with one of its words turned into the contrary, in every way. Pure. */
const contraries = (candidate: string): readonly string[] =>
  OPPOSITES.flatMap(([one, other]) =>
    [
      [one, other],
      [other, one],
    ].flatMap(([from = '', to = '']) => turned(candidate, from, to)),
  );

/**
 * The known word that was probably meant; undefined when none is near. Never one whose contrary is nearer: who writes
 * `external` does not mean `internal`. Pure.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const meant = bare(word);
  let best: { readonly word: string; readonly far: number } | undefined;
  for (const candidate of known) {
    const far = distance(meant, bare(candidate));
    if (far >= (best?.far ?? Number.POSITIVE_INFINITY)) continue;
    const isContrary = contraries(bare(candidate)).some((contrary) => distance(meant, contrary) < far);
    if (!isContrary) best = { word: candidate, far };
  }
  return best && best.far <= (meant.length < 4 ? 1 : Math.max(2, Math.floor(meant.length / 3))) ? best.word : undefined;
}

/** `; did you mean "ports"?`, or nothing. Pure. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}
