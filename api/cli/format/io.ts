import { styleText } from 'node:util';
import { visible } from '../../platform/visible.js';

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
  /** The text as `out` would write it. */
  shown(text: string): string;
  /** Whether standard output, and standard error, are terminals. */
  readonly isTerminal: boolean;
  readonly hasProgress: boolean;
  readonly columns: number;
  readonly input: NodeJS.ReadStream;
}

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
    shown: (text) => visible(text, isColored),
    isTerminal,
    hasProgress: stderr.isTTY === true && env.TERM !== 'dumb',
    columns: stdout.columns || 80,
    input: stdin,
  };
}
