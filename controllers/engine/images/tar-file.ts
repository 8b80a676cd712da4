import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { errorCode, errorMessage, toError } from '../../../api/platform/errors.js';

/** A file is no archive of images, or a broken one. The message says what would be right. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/**
 * Largest size between the bodies of two files, bytes: headers, long names, attributes, padding. A header says how long
 * the name behind it is, up to GiBs, and the reader collects all of it before anybody is asked.
 */
const LONGEST_HEADERS_BYTES = 1024 * 1024;
/** Largest number of entries in an archive. One with a hundred images has some thousand. */
const MOST_ENTRIES = 20_000;

/** The limits of reading an archive. */
export interface Reading {
  /** Aborts it at once, even if the disk never answers the present read. */
  readonly signal: AbortSignal;
  /** Bytes of the file that are read; all that there are when absent, also those that arrive meanwhile. */
  readonly size?: number;
  /**
   * Called with the number of bytes that it unpacks to at least, by what was read and by what its headers announce;
   * ends the reading by throwing.
   */
  readonly unpacks?: (bytes: number) => void;
}

/** Calls back for every file in the archive, in order; the unread part of a body is skipped. Throws `ArchiveError`. */
export async function eachEntry(
  path: string,
  reading: Reading,
  take: (name: string, size: number, body: Readable) => Promise<void>,
): Promise<void> {
  const { signal, unpacks } = reading;
  const entries = extract();
  let refusal: unknown;
  const guard = new HeaderGuard((bytes) => {
    try {
      unpacks?.(bytes);
      return undefined;
    } catch (error) {
      refusal = error;
      return toError(error);
    }
  });
  let count = 0;
  entries.on('entry', ({ name, type, size }, body, next) => {
    const refused = guard.announce(size ?? 0);
    if (refused) {
      entries.destroy(refused);
      return;
    }
    let ended = false;
    guard.inBody = true;
    body.on('end', () => {
      ended = true;
      guard.inBody = false;
    });
    count += 1;
    if (count > MOST_ENTRIES) {
      entries.destroy(new ArchiveError(`it holds more than ${MOST_ENTRIES} files`));
      return;
    }
    const taken = type === 'file' ? take(name.replace(/^\.\//, ''), size ?? 0, body) : Promise.resolve();
    taken.then(
      () => {
        if (ended) return next();
        body.on('end', () => next());
        body.resume();
      },
      (error: unknown) => entries.destroy(toError(error)),
    );
  });
  const read = async (): Promise<void> => {
    const unpack = await unpacking(path);
    const file = fileStream(path, reading.size);
    await (unpack ? pipeline(file, unpack, guard, entries, { signal }) : pipeline(file, guard, entries, { signal }));
  };
  try {
    await unlessAborted(read(), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (refusal !== undefined) throw refusal;
    if (error instanceof ArchiveError || /^E[A-Z]+$/.test(errorCode(error) ?? '')) throw error;
    const why = errorMessage(error);
    if (/unexpected end/i.test(why)) throw new ArchiveError('it ends in the middle: was it copied as a whole?');
    throw new ArchiveError(`it is not a tar archive (${why})`);
  }
}

/** Opens the first bytes of a file, as many as it had when somebody looked. */
export const fileStream = (path: string, size?: number): Readable =>
  size === undefined || size === 0 ? createReadStream(path) : createReadStream(path, { end: size - 1 });

/** Waits for the work; rejects as soon as the signal aborts, whether the work ends or not. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Passes the bytes of an archive on; ends it when too many come, or too many that belong to no file. */
class HeaderGuard extends Transform {
  #outside = 0;
  #passed = 0;
  /** Bytes of all bodies so far, by their headers. */
  #announced = 0;

  /** `refuse`: returns why an archive of so many bytes is not read any further. */
  constructor(private readonly refuse: (bytes: number) => Error | undefined) {
    super();
  }

  announce(size: number): Error | undefined {
    this.#announced += size;
    return this.refuse(Math.max(this.#announced, this.#passed));
  }

  set inBody(value: boolean) {
    this.#outside = value ? Number.NEGATIVE_INFINITY : 0;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#outside += chunk.length;
    this.#passed += chunk.length;
    const refused = this.refuse(Math.max(this.#announced, this.#passed));
    if (refused) done(refused);
    else if (this.#outside <= LONGEST_HEADERS_BYTES) done(null, chunk);
    else done(new ArchiveError(`a header in it is larger than ${LONGEST_HEADERS_BYTES / 1024} KiB`));
  }
}

/** Reads an entry completely. (Iterating over it would end the archive with it.) */
export const bytesOf = (body: Readable): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.on('end', () => resolve(Buffer.concat(chunks)));
    body.on('error', reject);
  });

/** Returns the decompression between the file and the tar, by the first bytes. */
async function unpacking(path: string): Promise<ReturnType<typeof createGunzip> | undefined> {
  const file = await open(path);
  try {
    const start = Buffer.alloc(6);
    await file.read(start, 0, start.length, 0);
    const hex = start.toString('hex');
    if (hex.startsWith('1f8b')) return createGunzip();
    const other = Object.entries(OTHER_PACKERS).find(([magic]) => hex.startsWith(magic));
    if (other) throw new ArchiveError(`it is compressed with ${other[1]}: unpack it, or use gzip`);
    return undefined;
  } finally {
    await file.close();
  }
}
const OTHER_PACKERS: Readonly<Record<string, string>> = { fd377a585a00: 'xz', '28b52ffd': 'zstd', '425a68': 'bzip2' };
