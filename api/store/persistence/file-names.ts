import { createHash } from 'node:crypto';

/** Longest name, in characters, that is kept whole; file systems allow 255 bytes with suffixes. */
const WHOLE = 180;

/**
 * Returns the file name for a document of that name. Different names get different files on every file system: all but
 * lower-case letters, digits, `-`, `_` and inner dots become `%hex`, and long names end in a hash. Never hidden, never
 * `..`. Pure.
 */
export function fileNameOf(name: string): string {
  const safe = [...Buffer.from(name)]
    .map((byte, at) => {
      const letter = String.fromCharCode(byte);
      return /[a-z0-9_-]/.test(letter) || (letter === '.' && at > 0)
        ? letter
        : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
  if (safe.length <= WHOLE) return `${safe || '%'}.json`;
  return `${safe.slice(0, WHOLE - 33)}~${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`;
}

/** Returns the document's name as well as the file name tells it, for messages about an unreadable file. Pure. */
export function guessName(fileName: string): string {
  const encoded = fileName.replace(/\.json$/, '');
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // not one of ours: returned as it is
  }
}
