import { distance } from 'fastest-levenshtein';

const LONGEST = 64;

/** Returns a word in lower case without separators: `networkMode`, `network-mode` and `network_mode` mean the same. */
const bare = (word: string): string => word.toLowerCase().replaceAll(/[_\-\s]/g, '');

/** Words that are written alike, or in one place, and mean the opposite. */
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

/** Prefixes that make a word its opposite, before any part of it: `unhealthy`, `service_not_started`, `disallow`. */
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

/** Returns a candidate with one of its words turned into the opposite, in every way, without separators. Pure. */
function contraries(candidate: string): readonly string[] {
  const parts = candidate.split(/[_\-\s]|(?<=[a-z])(?=[A-Z])/).map(bare);
  const whole = parts.join('');
  const opposites = OPPOSITES.flatMap(([one, other]) => [whole.replace(one, other), whole.replace(other, one)]);
  return [...opposites.filter((contrary) => contrary !== whole), ...ofNegations(parts)];
}

/** Words of other tools that are not near to ours, without separators. */
const SYNONYMS: Readonly<Record<string, string>> = { env: 'environment', envs: 'environment', envvars: 'environment' };

/** A known word and its opposites, without separators. */
class Candidate {
  readonly letters: string;
  #contraries: readonly string[] | undefined;

  constructor(private readonly word: string) {
    this.letters = bare(word);
  }

  get contraries(): readonly string[] {
    this.#contraries ??= contraries(this.word);
    return this.#contraries;
  }
}

/** Cached, because known words are few and needed again and again. */
const candidates = new Map<string, Candidate>();
const LIMIT_CANDIDATES = 2_000;

function candidateOf(word: string): Candidate {
  const known = candidates.get(word);
  if (known) return known;
  const made = new Candidate(word);
  if (candidates.size < LIMIT_CANDIDATES) candidates.set(word, made);
  return made;
}

/**
 * Returns the known word that was probably meant; undefined when none is near. Never one whose opposite is nearer:
 * `external` does not mean `internal`. Takes some microseconds, because a text of a MiB asks for thousands of words.
 * Pure.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const meant = bare(word);
  const synonym = Object.hasOwn(SYNONYMS, meant) ? SYNONYMS[meant] : undefined;
  if (synonym !== undefined && known.includes(synonym)) return synonym;
  const farthest = meant.length < 4 ? 1 : Math.max(2, Math.floor(meant.length / 3));
  let best: { readonly word: string; readonly far: number } | undefined;
  for (const one of known) {
    const candidate = candidateOf(one);
    const limit = Math.min(farthest, (best?.far ?? Number.POSITIVE_INFINITY) - 1);
    if (Math.abs(candidate.letters.length - meant.length) > limit) continue; // at least so many letters are missing
    const far = distance(meant, candidate.letters);
    if (far > limit) continue;
    const isContrary = far > 0 && candidate.contraries.some((contrary) => isNearer(meant, contrary, far));
    if (!isContrary) best = { word: one, far };
  }
  return best?.word;
}

const isNearer = (word: string, other: string, far: number): boolean =>
  Math.abs(word.length - other.length) < far && distance(word, other) < far;

/** Returns `; did you mean "ports"?`, or nothing. Pure. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}
