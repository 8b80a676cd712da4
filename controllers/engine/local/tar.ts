/** What goes into an archive. Folders end in `/`. */
export interface TarEntry {
  readonly path: string;
  /** Bytes of a file; absent for folders and links. */
  readonly content?: Uint8Array | string;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** Permission bits. */
  readonly mode?: number;
}

const BLOCK_BYTES = 512;

/** A ustar archive, everything owned by root and dated 1970, so that equal entries give equal bytes. Pure. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? '');
    return [header(entry, content.length), content, Buffer.alloc(padding(content.length))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

const padding = (bytes: number): number => (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;

/** One header block (POSIX.1-1988, "ustar interchange format"): fixed fields, numbers in octal text. */
function header({ path, link, mode }: TarEntry, size: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`Path too long for this archive: ${path}`);
  const isFolder = path.endsWith('/');
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, offset: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, '0'), offset);
  };
  block.write(path, 0);
  octal(mode ?? (isFolder ? 0o755 : link === undefined ? 0o644 : 0o777), 100, 8);
  octal(0, 108, 8); // owner
  octal(0, 116, 8); // group
  octal(link === undefined ? size : 0, 124, 12);
  octal(0, 136, 12); // time
  block.write(' '.repeat(8), 148); // the checksum counts its own field as spaces
  block.write(link !== undefined ? '2' : isFolder ? '5' : '0', 156);
  block.write(link ?? '', 157);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
  return block;
}
