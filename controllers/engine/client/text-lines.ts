import { inTurns } from '../../../api/platform/turns.js';

/** Longest line, characters: events and progress have some hundred. */
const LONGEST_LINE = 1024 * 1024;

/**
 * Yields the lines of a byte stream, cut at line feeds wherever the chunks end; empty ones are left out. Throws at a
 * line without an end. Lets other work run meanwhile.
 */
export const textLines = (chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> => inTurns(linesOf(chunks));

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  /** Parts of the incomplete line: joined once, because each time costs as much as there is. */
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let feed = text.indexOf('\n'); feed >= 0; feed = text.indexOf('\n', from)) {
      parts.push(text.slice(from, feed));
      const line = parts.length === 1 ? (parts[0] ?? '') : parts.join('');
      parts = [];
      length = 0;
      from = feed + 1;
      if (line.trim() !== '') yield line;
    }
    const rest = text.slice(from);
    length += rest.length;
    if (length > LONGEST_LINE) throw new Error(`A line is longer than ${LONGEST_LINE} characters`);
    if (rest !== '') parts.push(rest);
  }
  const last = parts.join('') + decoder.decode();
  if (last.trim() !== '') yield last;
}
