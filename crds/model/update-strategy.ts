/** The order in which a container is replaced by its successor. (docs/reference/composition.md §5.3; `rolling` is our own.) */
export type UpdateStrategy =
  | 'download-then-kill'
  | 'kill-then-download'
  | 'delete-then-download'
  | 'hand-over'
  | 'rolling';

export const UPDATE_STRATEGIES: readonly UpdateStrategy[] = [
  'download-then-kill',
  'kill-then-download',
  'delete-then-download',
  'hand-over',
  'rolling',
];
export const DEFAULT_STRATEGY: UpdateStrategy = 'download-then-kill';

/** The Supervisor's label counts first; ours is for strategies that the Supervisor does not know. */
const LABELS = ['io.balena.update.strategy', 'io.supercargo.update.strategy'] as const;

/** Milliseconds after which a hand-over counts as complete. */
export const HANDOVER_TIMEOUT = 'io.balena.update.handover-timeout';

type Labels = Readonly<Record<string, string>>;

/** The requested strategy, or the word that names none. */
export type AskedStrategy =
  | { readonly is: 'known'; readonly strategy: UpdateStrategy }
  | { readonly is: 'unknown'; readonly word: string };

/**
 * Returns the strategy that a service requests: the field, then labels of the document, then those of the image. Labels
 * under their current names. Pure.
 */
export function askedStrategy(field: UpdateStrategy | null | undefined, ...labels: readonly Labels[]): AskedStrategy {
  const word = field ?? labels.flatMap((one) => LABELS.flatMap((name) => one[name] ?? []))[0] ?? DEFAULT_STRATEGY;
  const strategy = UPDATE_STRATEGIES.find((one) => one === word);
  return strategy ? { is: 'known', strategy } : { is: 'unknown', word };
}

/** Tells whether the old container goes before the new image comes. Pure. */
export const killsFirst = (strategy: UpdateStrategy): boolean =>
  strategy === 'kill-then-download' || strategy === 'delete-then-download';

/** Tells whether the new container starts before the old one goes. Pure. */
export const overlaps = (strategy: UpdateStrategy): boolean => strategy === 'hand-over' || strategy === 'rolling';
