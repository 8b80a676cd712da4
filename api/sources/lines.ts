import { shorten } from '../../crds/model/issue.js';

/** How many lines are kept, and the longest length of each. */
const LIMITS = { lines: 50, characters: 1000 } as const;

/** Collects sentences about a text of somebody else. The first ones are kept, the others counted: a MB can hold 90,000 mistakes. */
export class Lines {
  readonly #kept: string[] = [];
  #count = 0;

  /** Adds a line; `word` is only called when the line is kept. */
  add(word: () => string): void {
    this.#count += 1;
    if (this.#kept.length < LIMITS.lines) this.#kept.push(shorten(word(), LIMITS.characters));
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Returns the lines that were kept, and how many more there were. */
  get texts(): readonly string[] {
    const more = this.#count - this.#kept.length;
    return more > 0 ? [...this.#kept, `and ${more} more`] : this.#kept;
  }
}

/** Longest JSON of a value in a sentence. */
const SHOWN = 200;

/** Returns a value as JSON, shortened when it is long; reads no more of it than it shows. Pure. */
export function shown(value: unknown): string {
  return shorten(JSON.stringify(beginningOf(value, { left: SHOWN })) ?? 'undefined', SHOWN);
}

/** Returns as much of a value as fits into that many characters of JSON, and a little more: each part takes one at least. */
function beginningOf(value: unknown, room: { left: number }): unknown {
  room.left -= 1;
  if (typeof value === 'string') return value.slice(0, SHOWN + 1);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const kept: unknown[] = [];
    for (let at = 0; at < value.length && room.left >= 0; at += 1) kept.push(beginningOf(value[at], room));
    return kept;
  }
  const kept: [string, unknown][] = [];
  for (const name in value) {
    if (room.left < 0) break;
    const inner: unknown = Reflect.get(value, name);
    if (inner !== undefined) kept.push([name.slice(0, SHOWN + 1), beginningOf(inner, room)]);
  }
  return Object.fromEntries(kept);
}
