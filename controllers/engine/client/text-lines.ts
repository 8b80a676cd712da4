/** Longest line, characters: events and progress have some hundred. */
const LONGEST_LINE = 1024 * 1024;

/** Lines of a byte stream, cut at line feeds wherever the chunks end; empty ones are left out. Throws at one without an end. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = pieces.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new Error(`A line is longer than ${LONGEST_LINE} characters`);
    for (const piece of pieces) if (piece.trim() !== '') yield piece;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}
