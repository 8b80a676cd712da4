import { parseJsonWithin, TooMuchJson } from '../../../api/platform/json-text.js';
import { type LayoutImage, layoutImages } from './oci-layout.js';
import { ArchiveError, bytesOf, eachEntry, type Reading } from './tar-file.js';

/** The content of an archive of images, as `docker save` or a tool for OCI layouts writes it. */
export type ArchiveContent = { readonly references: readonly string[] } & (
  | { readonly is: 'docker' }
  | { readonly is: 'oci'; readonly images: readonly LayoutImage[] }
);

/** Largest text that may be a manifest, bytes: a layer is no JSON, and a manifest is small. */
const LARGEST_TEXT_BYTES = 1024 * 1024;
/** Largest size of all of them together, bytes: an archive of a hundred images has a few hundred, of some kB each. */
const LARGEST_SUM_BYTES = 8 * 1024 * 1024;

/**
 * Reads an archive (tar, perhaps gzipped) from its beginning to its end without unpacking it, which shows whether it is
 * complete. `architecture`: of the engine, where an index offers several. Throws `ArchiveError`.
 */
export async function readArchive(path: string, architecture: string, reading: Reading): Promise<ArchiveContent> {
  const names = new Set<string>();
  const texts = new Map<string, string>();
  let sum = 0;
  await eachEntry(path, reading, async (name, size, body) => {
    names.add(name);
    if (!/(\.json|^blobs\/.*|^oci-layout)$/.test(name) || size > LARGEST_TEXT_BYTES || sum + size > LARGEST_SUM_BYTES)
      return;
    const bytes = await bytesOf(body);
    if (bytes[0] !== 0x7b && bytes[0] !== 0x5b) return; // { and [
    sum += size;
    texts.set(name, bytes.toString());
  });
  if (names.has('manifest.json')) return dockerContent(texts.get('manifest.json'), names);
  if (!names.has('index.json')) {
    throw new ArchiveError('it holds neither manifest.json (docker save) nor index.json (an OCI layout)');
  }
  const images = layoutImages(texts, names, architecture);
  return { is: 'oci', images, references: images.flatMap(({ references }) => references) };
}

function dockerContent(text: string | undefined, names: ReadonlySet<string>): ArchiveContent {
  const value = parse(text);
  if (!Array.isArray(value) || value.length === 0) throw new ArchiveError('its manifest.json lists no image');
  const references: string[] = [];
  for (const entry of value as readonly unknown[]) {
    const { Config, RepoTags, Layers } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    const needed = [Config, ...(Array.isArray(Layers) ? Layers : [])];
    const missing = needed.find((name) => typeof name !== 'string' || !names.has(name));
    if (missing !== undefined) throw new ArchiveError(`it is not whole: ${String(missing)} is missing`);
    if (Array.isArray(RepoTags)) references.push(...RepoTags.filter((tag) => typeof tag === 'string'));
  }
  return { is: 'docker', references };
}

function parse(text: string | undefined): unknown {
  try {
    return parseJsonWithin(text ?? '');
  } catch (error) {
    throw new ArchiveError(error instanceof TooMuchJson ? error.message : 'its manifest.json is not JSON');
  }
}
