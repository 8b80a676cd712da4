const SPACE = /\s/;
/** Characters that a backslash escapes inside double quotes; before any other it is itself (POSIX 2.2.3). */
const ESCAPED = /["\\$`\n]/;

/**
 * Splits a command line into arguments: white space separates, quotes group, a backslash escapes. No shell is involved:
 * variables, operators, globs and `#` stay as they are written. Undefined when a quote is not closed. Pure.
 */
export function splitCommandLine(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (SPACE.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const close = line.indexOf("'", at + 1);
      if (close < 0) return undefined;
      word = (word ?? '') + line.slice(at + 1, close);
      at = close;
    } else if (char === '"') {
      const quoted = readDoubleQuoted(line, at + 1);
      if (!quoted) return undefined;
      word = (word ?? '') + quoted.text;
      at = quoted.close;
    } else if (char === '\\') {
      at += 1;
      if (line[at] !== '\n') word = (word ?? '') + (line[at] ?? '\\');
    } else {
      word = (word ?? '') + char;
    }
  }
  return word === undefined ? words : [...words, word];
}

function readDoubleQuoted(line: string, from: number): { text: string; close: number } | undefined {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (char === '"') return { text, close: at };
    const next = line[at + 1] ?? '';
    if (char === '\\' && ESCAPED.test(next)) {
      at += 1;
      if (next !== '\n') text += next;
    } else {
      text += char;
    }
  }
  return undefined;
}
