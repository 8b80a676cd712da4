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
  ['in', 'out'],
];

/** What makes a word its contrary, before any part of it: `unhealthy`, `service_not_started`, `disallow`. */
const NEGATIONS = ['un', 'no', 'non', 'not', 'never', 'without', 'dis', 'de', 'im'];

const ofNegations = (parts: readonly string[]): readonly string[] =>
  parts.flatMap((part, at) =>
    NEGATIONS.flatMap((negation) => {
      const others = (instead: string): string => [...parts.slice(0, at), instead, ...parts.slice(at + 1)].join('');
      return [
        others(`${negation}${part}`),
        ...(part.startsWith(negation) ? [others(part.slice(negation.length))] : []),
      ];
    }),
  );

/** A candidate with one of its words turned into the contrary, in every way, bare. Pure. */
function contraries(candidate: string): readonly string[] {
  const parts = candidate.split(/[_\-\s]|(?<=[a-z])(?=[A-Z])/).map(bare);
  const whole = parts.join('');
  const opposites = OPPOSITES.flatMap(([one, other]) => [whole.replace(one, other), whole.replace(other, one)]);
  return [...opposites.filter((contrary) => contrary !== whole), ...ofNegations(parts)];
}

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
    const isContrary = contraries(candidate).some((contrary) => distance(meant, contrary) < far);
    if (!isContrary) best = { word: candidate, far };
  }
  return best && best.far <= (meant.length < 4 ? 1 : Math.max(2, Math.floor(meant.length / 3))) ? best.word : undefined;
}

/** `; did you mean "ports"?`, or nothing. Pure. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}
