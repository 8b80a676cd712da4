import type { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { toError } from '../../../api/platform/errors.js';
import { type JsonLimits, parseJsonWithin, TooMuchJson } from '../../../api/platform/json-text.js';
import { ArchiveError, eachEntry, type Reading } from './tar-file.js';

/** One image of an OCI layout: names of files in its archive, and its references. */
export interface LayoutImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly references: readonly string[];
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}
interface Manifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** How deep an index may refer to indexes. */
const DEEPEST = 4;
/** Limits of a manifest, which has some hundred values. */
const MANIFEST_LIMITS: JsonLimits = { depth: 20, values: 10_000 };
/** Largest number of images in one archive: each may name the same large manifest once more. */
const MOST_IMAGES = 500;
/** Largest number of layers of one image: file systems stack 128, and some 500. */
const MOST_LAYERS = 500;

/** Returns the images that the index of a layout leads to, one for each of its entries. Throws `ArchiveError`. Pure. */
export function layoutImages(
  texts: ReadonlyMap<string, string>,
  names: ReadonlySet<string>,
  architecture: string,
): readonly LayoutImage[] {
  const known = new Map<string, Manifest>();
  const index = read('index.json');
  const listed = (index.manifests ?? []).filter(isImage);
  if (listed.length > MOST_IMAGES) throw new ArchiveError(`its index.json lists more than ${MOST_IMAGES} images`);
  const images = listed.map((entry) => {
    const { config, layers = [] } = manifestOf(entry, 0);
    if (layers.length > MOST_LAYERS) throw new ArchiveError(`an image in it has more than ${MOST_LAYERS} layers`);
    const files = [config, ...layers].map((one) => blob(one?.digest));
    const missing = files.find((name) => !names.has(name));
    if (missing !== undefined) throw new ArchiveError(`it is not whole: ${missing} is missing`);
    const [first = '', ...rest] = files;
    return { config: first, layers: rest, references: referencesOf(entry) };
  });
  if (images.length === 0) throw new ArchiveError('its index.json lists no image');
  return images;

  /** Parses a manifest once, however many images name it. */
  function read(name: string): Manifest {
    const manifest = known.get(name) ?? parse(texts, name);
    known.set(name, manifest);
    return manifest;
  }

  function manifestOf(entry: Descriptor, depth: number): Manifest {
    const manifest = read(blob(entry.digest));
    if (!manifest.manifests) return manifest;
    const offered = manifest.manifests.filter(isImage);
    const next = offered.find(({ platform }) => platform?.architecture === architecture) ?? offered[0];
    if (!next || depth >= DEEPEST) throw new ArchiveError('an index in it leads to no image');
    return manifestOf(next, depth + 1);
  }
}

/** Tells whether an entry is an image: signatures and attestations are in an index as well. */
const isImage = ({ platform }: Descriptor): boolean => platform?.os !== 'unknown';

/** Returns where a layout keeps the blob of that digest. */
const blob = (digest = ''): string => `blobs/${digest.replace(':', '/')}`;

function parse(texts: ReadonlyMap<string, string>, name: string): Manifest {
  const text = texts.get(name);
  if (text === undefined) throw new ArchiveError(`it is not whole: ${name} is missing`);
  try {
    return parseJsonWithin(text, MANIFEST_LIMITS) as Manifest;
  } catch (error) {
    throw new ArchiveError(
      `${name} in it is not JSON${error instanceof TooMuchJson ? ` that is read: ${error.message}` : ''}`,
    );
  }
}

/**
 * Returns the references of an image. Tools write the whole reference into one of these annotations, or the tag alone
 * into the second, which names nothing. Pure.
 */
function referencesOf({ annotations = {} }: Descriptor): readonly string[] {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
  return name !== undefined && /[/:]/.test(name) ? [name.replace(/^docker\.io\/(library\/)?/, '')] : [];
}

/**
 * Streams the images of a layout as `docker save` would have written them, which engines before 25 need: layers are
 * passed on as they come, never held. Ends the stream with the error of the reading.
 */
export function asDockerArchive(path: string, images: readonly LayoutImage[], reading: Reading): Readable {
  const archive = pack();
  const wanted = new Set(images.flatMap(({ config, layers }) => [config, ...layers]));
  const manifest = images.map(({ config, layers, references }) => ({
    Config: config,
    RepoTags: references,
    Layers: layers,
  }));
  archive.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  eachEntry(path, reading, async (name, size, body) => {
    if (wanted.delete(name)) await add(archive, name, size, body);
  }).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(toError(error)),
  );
  return archive;
}

const add = (archive: Pack, name: string, size: number, body: Readable): Promise<void> =>
  new Promise((resolve, reject) => {
    body.on('error', reject);
    body.pipe(archive.entry({ name, size }, (error) => (error ? reject(error) : resolve())));
  });
