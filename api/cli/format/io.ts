import { styleText } from 'node:util';

/** How a text is set off on a terminal. */
export type Style = 'green' | 'yellow' | 'red' | 'cyan' | 'blue' | 'magenta' | 'bold' | 'dim';

/** Where the command's words go. Colours and progress are for terminals; a pipe gets plain text. */
export interface Io {
  /** Lines to standard output. */
  out(...lines: readonly string[]): void;
  /** One line as it is, control characters too. */
  raw(line: string): void;
  /** Lines to standard error. */
  err(...lines: readonly string[]): void;
  style(style: Style, text: string): string;
  /** Whether standard output, and standard error, are terminals. */
  readonly isTerminal: boolean;
  readonly hasProgress: boolean;
  readonly columns: number;
  readonly input: NodeJS.ReadStream;
}

/** What `style` writes: colours and weights, which do no harm whoever wrote them. */
const ESCAPE = '\u001b';
const STYLES = /^\[(?:1|2|22|3[1-6]|39)m$/;

/**
 * A text whose control characters are shown and not obeyed: names, commit subjects and output come from others, and a
 * terminal does what they say. Line ends and tabs stay; so do our own styles where there are any. Pure.
 */
export const visible = (text: string, hasStyles: boolean): string =>
  text.replace(/\p{Cc}\[[0-9;]*m|(?![\n\t])\p{Cc}/gu, (found) =>
    hasStyles && found.startsWith(ESCAPE) && STYLES.test(found.slice(1))
      ? found
      : found.replace(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`),
  );

/** The process's own streams. `NO_COLOR` and `TERM=dumb` are obeyed, `--no-color` too. */
export function processIo({ color }: { readonly color: boolean }): Io {
  const { stdout, stderr, stdin, env } = process;
  const isTerminal = stdout.isTTY === true;
  const isColored = color && isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    out: (...lines) => void stdout.write(lines.map((line) => `${visible(line, isColored)}\n`).join('')),
    raw: (line) => void stdout.write(`${line}\n`),
    err: (...lines) => void stderr.write(lines.map((line) => `${visible(line, isColored)}\n`).join('')),
    // Node would ask the environment once more, and see no colours where `CI` is set.
    style: (style, text) => (isColored ? styleText(style, text, { validateStream: false }) : text),
    isTerminal,
    hasProgress: stderr.isTTY === true && env.TERM !== 'dumb',
    columns: stdout.columns || 80,
    input: stdin,
  };
}
