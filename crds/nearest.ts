import { distance } from 'fastest-levenshtein';

const LONGEST = 64;

/** `networkMode`, `network-mode` and `network_mode` are written differently and meant alike. */
const bare = (word: string): string => word.toLowerCase().replaceAll(/[_\-\s]/g, '');

/** The known word that was probably meant; undefined when none is near. Pure. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > LONGEST) return undefined;
  const meant = bare(word);
  let best: { readonly word: string; readonly far: number } | undefined;
  for (const candidate of known) {
    const far = distance(meant, bare(candidate));
    if (far < (best?.far ?? Number.POSITIVE_INFINITY)) best = { word: candidate, far };
  }
  return best && best.far <= (meant.length < 4 ? 1 : Math.max(2, Math.floor(meant.length / 3))) ? best.word : undefined;
}

/** `; did you mean "ports"?`, or nothing. Pure. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}
