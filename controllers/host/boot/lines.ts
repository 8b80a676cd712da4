/** A line of a text file. `end` is `\n` or `\r\n`; a last line that is not ended has an empty one, or half of one: `\r`. */
export interface Line {
  readonly text: string;
  readonly end: string;
}

/** Splits a text into lines, which joined again are the text. Pure. */
export const splitLines = (text: string): readonly Line[] =>
  (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((whole) => {
    const end = /\r?\n$|\r$/.exec(whole)?.[0] ?? '';
    return { text: whole.slice(0, whole.length - end.length), end };
  });

const joinLines = (lines: readonly Line[]): string => lines.map(({ text, end }) => text + end).join('');

/** Returns the line end of a text, which new lines get. Pure. */
const lineEnd = (lines: readonly Line[]): string => lines.find(({ end }) => end.endsWith('\n'))?.end ?? '\n';

/**
 * Collects insertions, removals and replacements of lines. All positions are those of the lines before the edit. Lines
 * that are not named stay byte for byte; only a last line that gets a successor is ended.
 */
export class LineEdit {
  readonly #replaced = new Map<number, readonly string[]>();
  readonly #before = new Map<number, string[]>();
  readonly #tail: string[] = [];

  constructor(private readonly lines: readonly Line[]) {}

  replace(at: number, ...texts: readonly string[]): void {
    this.#replaced.set(at, texts);
  }

  insertBefore(at: number, ...texts: readonly string[]): void {
    this.#before.set(at, [...(this.#before.get(at) ?? []), ...texts]);
  }

  append(...texts: readonly string[]): void {
    this.#tail.push(...texts);
  }

  get appends(): boolean {
    return this.#tail.length > 0;
  }

  render(): string {
    const end = lineEnd(this.lines);
    const made = (texts: readonly string[], last = end): readonly Line[] =>
      texts.map((text, index) => ({ text, end: index === texts.length - 1 ? last : end }));
    const edited = this.lines.flatMap((line, at) => {
      const replaced = this.#replaced.get(at);
      return [...made(this.#before.get(at) ?? []), ...(replaced ? made(replaced, line.end) : [line])];
    });
    const last = edited.length - 1;
    const whole = this.#tail.length > 0 ? edited.map((line, at) => (at === last ? ended(line, end) : line)) : edited;
    return joinLines([...whole, ...made(this.#tail)]);
  }
}

const ended = (line: Line, end: string): Line =>
  line.end.endsWith('\n') ? line : { ...line, end: line.end === '\r' ? '\r\n' : end };
