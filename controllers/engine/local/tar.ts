import { type Headers, pack } from 'tar-stream';

/** One entry of an archive. Folders end in `/`. */
export interface TarEntry {
  readonly path: string;
  /** Bytes of a file; absent for folders and links. */
  readonly content?: Uint8Array | string;
  /** Target of a symbolic link. */
  readonly link?: string;
  /** Permission bits. */
  readonly mode?: number;
}

/** Returns a tar archive, everything owned by root and dated 1970, so that equal entries give equal bytes. Pure. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const archive = pack();
  for (const entry of entries) archive.entry(headerOf(entry), Buffer.from(entry.content ?? ''));
  archive.finalize();
  const chunks: Buffer[] = [];
  for (let chunk = archive.read(); chunk !== null; chunk = archive.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function headerOf({ path: name, link: linkname, mode }: TarEntry): Headers {
  const dated = { name, mtime: new Date(0) };
  if (linkname !== undefined) return { ...dated, type: 'symlink', linkname, mode: mode ?? 0o777 };
  if (name.endsWith('/')) return { ...dated, type: 'directory', mode: mode ?? 0o755 };
  return { ...dated, type: 'file', mode: mode ?? 0o644 };
}
