import assert from 'node:assert/strict';
import { logLines } from '../../../../controllers/engine/logs/log-lines.js';

const TIME = '2026-11-22T22:23:33.516755652Z';
const MS = Date.parse('2026-11-22T22:23:33.516Z');

function frame(stream: 1 | 2, text: string | Buffer, time = TIME): Buffer {
  const payload = Buffer.concat([Buffer.from(`${time} `), Buffer.from(text)]);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

const read = (...chunks: Buffer[]) => {
  const lines = logLines();
  return [...chunks.flatMap((chunk) => [...lines.take(chunk)]), ...lines.finish()];
};
const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

describe('logLines', () => {
  it('tells output and errors apart', () => {
    assert.deepEqual(read(Buffer.concat([frame(1, 'one\n'), frame(2, 'two\n')])), [
      { message: 'one', isStdErr: false, timestamp: MS },
      { message: 'two', isStdErr: true, timestamp: MS },
    ]);
  });

  it('reads the same however the bytes are cut', () => {
    const bytes = Buffer.concat([frame(1, 'grüße\n'), frame(2, '\n'), frame(1, 'open')]);
    const want = [
      { message: 'grüße', isStdErr: false, timestamp: MS },
      { message: '', isStdErr: true, timestamp: MS },
      { message: 'open', isStdErr: false, timestamp: MS },
    ];
    assert.deepEqual(read(bytes), want);
    assert.deepEqual(read(...bytewise(bytes)), want);
  });

  it('reads the plain text of a container with a terminal', () => {
    const text = Buffer.from(`${TIME} one\r\n${TIME} two words\r\n`);
    const want = [
      { message: 'one', isStdErr: false, timestamp: MS },
      { message: 'two words', isStdErr: false, timestamp: MS },
    ];
    assert.deepEqual(read(text), want);
    assert.deepEqual(read(...bytewise(text)), want);
  });

  it('puts together a line that Docker has cut, with the time of its beginning', () => {
    const later = '2026-11-22T22:23:34.000000000Z';
    const lines = read(frame(1, 'a'.repeat(16384)), frame(2, 'between\n'), frame(1, 'b\n', later));
    assert.deepEqual(lines, [
      { message: 'between', isStdErr: true, timestamp: MS },
      { message: `${'a'.repeat(16384)}b`, isStdErr: false, timestamp: MS },
    ]);
  });

  const LATER = '2026-11-22T22:23:34.000000000Z';
  const LATER_MS = Date.parse('2026-11-22T22:23:34.000Z');

  it('puts together a line of a terminal that Docker has cut, without the times in it', () => {
    const part = 'a'.repeat(16_384);
    for (const parts of [2, 3, 5, 9]) {
      const stamped = Array.from({ length: parts }, (_, at) => `2026-11-22T22:23:3${at}.000000000Z ${part}`).join('');
      const bytes = Buffer.from(`${stamped}${LATER} b\r\n${LATER} next\r\n`);
      for (const size of [bytes.length, 1000, 4096, 33_333]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        const lines = read(...chunks);
        assert.equal(lines.map(({ message }) => message).join(''), `${part.repeat(parts)}bnext`, `${parts} by ${size}`);
        assert.ok(lines.every(({ message }) => message.length <= 65_536));
        assert.equal(lines[0]?.timestamp, Date.parse('2026-11-22T22:23:30.000Z'));
        assert.deepEqual(lines.at(-1), { message: 'next', isStdErr: false, timestamp: LATER_MS });
      }
    }
  });

  it('ends a line where the next run of the container begins', () => {
    const want = [
      { message: 'abc', isStdErr: false, timestamp: MS },
      { message: 'hello', isStdErr: false, timestamp: LATER_MS },
    ];
    const text = Buffer.from(`${TIME} abc${LATER} hello\r\n`);
    assert.deepEqual(read(text), want);
    assert.deepEqual(read(...bytewise(text)), want);
    assert.deepEqual(read(frame(1, 'abc'), frame(1, 'hello\n', LATER)), want);
  });

  it('leaves times that the container prints itself', () => {
    const printed = `at 2026-11-22T22:23:33.516700000Z up, ${TIME} `;
    assert.deepEqual(read(Buffer.from(`${TIME} ${printed}\r\n`)), [
      { message: printed, isStdErr: false, timestamp: MS },
    ]);
  });

  it('hands over endless lines in pieces of 64 KiB, none of them cut inside a character', () => {
    const text = 'é'.repeat(50_000); // 100 000 bytes
    const framed = read(frame(1, text), frame(1, '\n'));
    assert.deepEqual(
      framed.map(({ message }) => message.length),
      [32_768, 50_000 - 32_768],
    );
    assert.equal(framed.map(({ message }) => message).join(''), text);
    const odd = read(frame(1, `x${text}\n`));
    assert.equal(odd.map(({ message }) => message).join(''), `x${text}`);
    const plain = read(Buffer.from(`${TIME} ${text}`), Buffer.from(text));
    assert.ok(plain.every(({ message }) => Buffer.byteLength(message) <= 64 * 1024));
    assert.equal(plain.map(({ message }) => message).join(''), text + text);
  });

  it('gives up at a frame that no engine sends, before it has come', () => {
    assert.throws(
      () => [...logLines().take(Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]))],
      /says that it has 4294967303 bytes/,
    );
  });
});
