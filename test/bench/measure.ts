/** The middle value; between the two middle ones of an even number. Pure. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The value below which `share` of them lie. Pure. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** One line of the report. */
export interface Row {
  readonly figure: string;
  readonly measured: number;
  readonly unit: 'ms' | 'requests' | 'writes' | 'MiB' | 's' | 's/min' | 'requests/s' | 'containers';
  /** The same without an agent, in the same unit and the same run. */
  readonly floor?: number;
  /** What the figure has to reach: at most so many times the floor, at most or at least an amount. None: for information. */
  readonly target?: Target;
  readonly note?: string;
  /** Every single measurement, for the JSON. */
  readonly samples?: Readonly<Record<string, readonly number[]>>;
}

export type Target = { readonly timesFloor: number } | { readonly atMost: number } | { readonly atLeast: number };

/** Whether the target is met; undefined when there is none. Pure. */
export function isMet({ measured, floor, target }: Row): boolean | undefined {
  if (target === undefined) return undefined;
  if ('timesFloor' in target) return floor !== undefined && measured <= target.timesFloor * floor;
  return 'atMost' in target ? measured <= target.atMost : measured >= target.atLeast;
}
