import { isNull, shownNode } from './node.js';
import { list, type Read, text } from './read.js';

/** Operators of a shell, at which Compose stops reading a command that is one text. */
const OPERATORS = new Set([';', '&', '|', '<', '>']);

/**
 * Splits a command as Compose does: at white space, with quotes and backslashes; an operator of a shell ends it, because
 * there is no shell. Undefined: a quote has no end. Pure. (mattn/go-shellwords.)
 */
function splitWords(line: string): { readonly words: readonly string[]; readonly dropped?: string } | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const one = line[at] ?? '';
    if (one === '\\' && quote !== "'" && at + 1 < line.length) {
      at += 1;
      word = (word ?? '') + line[at];
    } else if (quote !== '') {
      if (one === quote) quote = '';
      else word += one;
    } else if (one === '"' || one === "'") {
      quote = one;
      word ??= '';
    } else if (/\s/.test(one)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (OPERATORS.has(one)) {
      if (word !== undefined) words.push(word);
      return { words, dropped: line.slice(at) };
    } else {
      word = (word ?? '') + one;
    }
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return { words };
}

/** A command: a list of words, or one text that is split. */
export const words: Read<readonly string[]> = (node, at) => {
  if (isNull(node)) return undefined;
  if (node.is === 'list') return list(text)(node, at);
  if (node.is !== 'scalar' || node.type !== 'text') {
    return at.problem(
      node,
      `Expected a text or a list of texts, found ${shownNode(node)}${node.is === 'scalar' ? '; put it in quotes' : ''}`,
    );
  }
  const split = splitWords(node.text);
  if (split === undefined) return at.problem(node, 'A quote in the command has no end');
  if (split.dropped !== undefined) {
    at.warn(
      node,
      `There is no shell: the command ends before ${JSON.stringify(split.dropped.slice(0, 1))}; write [sh, -c, "…"] for one`,
    );
  }
  return split.words;
};
