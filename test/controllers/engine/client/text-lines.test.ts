import assert from 'node:assert/strict';
import { textLines } from '../../../../controllers/engine/client/text-lines.js';

async function* stream(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* chunks;
}

async function read(chunks: Iterable<Uint8Array>): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of textLines(stream(chunks))) lines.push(line);
  return lines;
}

describe('lines of a stream', () => {
  it('are the same wherever the chunks end', async () => {
    const bytes = Buffer.from('grüße\n\n  \nzwei\r\noffen');
    const want = ['grüße', 'zwei\r', 'offen'];
    assert.deepEqual(await read([bytes]), want);
    assert.deepEqual(await read([...bytes].map((byte) => Buffer.from([byte]))), want);
  });

  it('may be long, up to a MiB', async () => {
    const long = 'x'.repeat(1024 * 1024);
    assert.deepEqual(await read([Buffer.from(`${long}\na`)]), [long, 'a']);
  });

  it('are given up without waiting for the end of one that has none', async () => {
    let asked = 0;
    function* endless(): Iterable<Uint8Array> {
      for (;;) {
        asked += 1;
        yield Buffer.alloc(64 * 1024, 'x');
      }
    }
    await assert.rejects(read(endless()), /A line is longer than 1048576 characters/);
    assert.equal(asked, 17);
  });
});
