/** Lines of a byte stream, cut at line feeds wherever the chunks end; empty ones are left out. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) if (piece.trim() !== '') yield piece;
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield rest;
}
