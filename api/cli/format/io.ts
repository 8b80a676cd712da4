import { styleText } from 'node:util';
import { visible } from '../../platform/visible.js';

/** A style of text on a terminal. */
export type Style = 'green' | 'yellow' | 'red' | 'cyan' | 'blue' | 'magenta' | 'bold' | 'dim';

/** Where the command prints. Colours and progress are for terminals; a pipe gets plain text. */
export interface Io {
  /** Prints lines on standard output. */
  out(...lines: readonly string[]): void;
  /** Prints one line as it is, with control characters. */
  raw(line: string): void;
  /** Prints lines on standard error. */
  err(...lines: readonly string[]): void;
  style(style: Style, text: string): string;
  /** Returns the text as `out` would print it. */
  shown(text: string): string;
  /** True when standard output, or standard error, is a terminal. */
  readonly isTerminal: boolean;
  readonly hasProgress: boolean;
  readonly columns: number;
  readonly input: NodeJS.ReadStream;
}

/** Returns the process's own streams. Follows `NO_COLOR`, `TERM=dumb` and `--no-color`. */
export function processIo({ color }: { readonly color: boolean }): Io {
  const { stdout, stderr, stdin, env } = process;
  const isTerminal = stdout.isTTY === true;
  const isColored = color && isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    out: (...lines) => void stdout.write(lines.map((line) => `${visible(line, isColored)}\n`).join('')),
    raw: (line) => void stdout.write(`${line}\n`),
    err: (...lines) => void stderr.write(lines.map((line) => `${visible(line, isColored)}\n`).join('')),
    // Node would read the environment once more, and use no colours where `CI` is set.
    style: (style, text) => (isColored ? styleText(style, text, { validateStream: false }) : text),
    shown: (text) => visible(text, isColored),
    isTerminal,
    hasProgress: stderr.isTTY === true && env.TERM !== 'dumb',
    columns: stdout.columns || 80,
    input: stdin,
  };
}
