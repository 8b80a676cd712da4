/** A line of a text file. `end` is `\n` or `\r\n`; of a last line that is not ended it is empty, or half of one: `\r`. */
export interface Line {
  readonly text: string;
  readonly end: string;
}

/** The lines of a text; joined again they are the text. Pure. */
export const splitLines = (text: string): readonly Line[] =>
  (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((whole) => {
    const end = /\r?\n$|\r$/.exec(whole)?.[0] ?? '';
    return { text: whole.slice(0, whole.length - end.length), end };
  });

const joinLines = (lines: readonly Line[]): string => lines.map(({ text, end }) => text + end).join('');

/** How the lines of a text end: what new ones get. Pure. */
const lineEnd = (lines: readonly Line[]): string => lines.find(({ end }) => end.endsWith('\n'))?.end ?? '\n';

/**
 * Lines with others put in, removed and replaced, so that an edit is one description and all places are those of the
 * lines before it. Whatever is not named stays as it is, byte for byte; only a last line that gets a successor is ended.
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
