import assert from 'node:assert/strict';
import { isStaticBinary } from '../../../../controllers/engine/local/busybox.js';

const PT_LOAD = 1;
const PT_INTERP = 3;

/** An ELF header with program headers of these types. */
function elf({ wide, little, types }: { wide: boolean; little: boolean; types: readonly number[] }): Buffer {
  const [start, entryBytes] = wide ? [64, 56] : [52, 32];
  const bytes = Buffer.alloc(start + entryBytes * types.length + 64);
  bytes.write('\u007fELF', 'latin1');
  bytes[4] = wide ? 2 : 1;
  bytes[5] = little ? 1 : 2;
  const half = (value: number, at: number) =>
    little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const word = (value: number, at: number) =>
    little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  if (wide) word(start, little ? 32 : 36);
  else word(start, 28);
  half(entryBytes, wide ? 54 : 42);
  half(types.length, wide ? 56 : 44);
  types.forEach((type, index) => {
    word(type, start + index * entryBytes);
  });
  return bytes;
}

describe('isStaticBinary', () => {
  for (const wide of [true, false]) {
    for (const little of [true, false]) {
      const kind = `${wide ? 64 : 32} bit, ${little ? 'little' : 'big'} endian`;
      it(`tells static from dynamic programs (${kind})`, () => {
        assert.equal(isStaticBinary(elf({ wide, little, types: [PT_LOAD, PT_LOAD] })), true);
        assert.equal(isStaticBinary(elf({ wide, little, types: [PT_LOAD, PT_INTERP] })), false);
      });
    }
  }

  it('takes a script, a stub and a cut-off program for none', () => {
    assert.equal(isStaticBinary(Buffer.from('#!/bin/sh\n'.repeat(20))), false);
    assert.equal(isStaticBinary(Buffer.alloc(0)), false);
    assert.equal(isStaticBinary(elf({ wide: true, little: true, types: [PT_LOAD] }).subarray(0, 70)), false);
  });
});
