import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import type { KnownImage } from '../cache/image-cache.js';
import { EngineError, type PullOptions, type SeenImage } from '../engine.js';
import type { MemoryEvents } from './memory-events.js';

/** An image as a registry has it, and how its pull goes. */
export interface ServedImage {
  /** Images of equal content have equal ids; serve a reference again with other content to move a tag. */
  readonly content: string;
  readonly config: SeenImage['config'];
  readonly platform: SeenImage['platform'];
  /** Percent told while pulling. */
  readonly progress: readonly number[];
  /** Breaks off after the progress, in Docker's words. */
  readonly failure: { readonly message: string; readonly statusCode: number } | undefined;
  /** Wanted credentials. */
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  /** Waits after the progress until `release`. */
  readonly held: boolean;
  /** What `start` of its containers fails with, 400, as with a command that the image lacks. */
  readonly startError: string | undefined;
}

/** What a registry offers that knows every reference. */
export type Registry = (
  reference: string,
  options: PullOptions,
) => Promise<Partial<Pick<SeenImage, 'id' | 'config' | 'platform'>>>;

interface LocalImage {
  readonly id: string;
  readonly references: Set<string>;
  readonly config: SeenImage['config'];
  readonly platform: SeenImage['platform'];
  readonly startError: string | undefined;
}

/** Images on the engine and in the registries it can reach. */
export class MemoryImages {
  readonly #served = new Map<string, ServedImage>();
  readonly #local = new Map<string, LocalImage>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Asked for what is not served here. */
  registry: Registry | undefined;

  constructor(readonly events: MemoryEvents) {}

  /** Has what another engine has, as that shows it. Nothing is announced. */
  adopt(images: readonly KnownImage[]): void {
    for (const { id, tags, digests, config = {}, platform } of images) {
      const references = new Set([...tags, ...digests].map(familiarReference));
      this.#local.set(id, { id, references, config, platform, startError: undefined });
    }
  }

  /** Makes a reference (tag) pullable, also by its digest. Returns `name@sha256:…`. */
  serve(reference: string, image: Partial<ServedImage> = {}): string {
    const familiar = familiarReference(reference);
    const served = completeImage(familiar, image);
    const byDigest = `${repositoryOf(familiar)}@${digestOf(served)}`;
    this.#served.set(familiar, served);
    this.#served.set(byDigest, served);
    return byDigest;
  }

  /** Takes an image out of the registry: what the reference stands for cannot be had by its digest either. */
  withdraw(reference: string): void {
    const familiar = familiarReference(reference);
    const served = this.#served.get(familiar);
    this.#served.delete(familiar);
    if (served) this.#served.delete(`${repositoryOf(familiar)}@${digestOf(served)}`);
  }

  /** What a pull of the reference would bring; undefined when it is not served. */
  offered(reference: string): Pick<SeenImage, 'id' | 'config' | 'platform'> | undefined {
    const served = this.#served.get(familiarReference(reference));
    return served && { id: idOf(served), config: served.config, platform: served.platform };
  }

  /** Lets the held pulls of a reference go on. */
  release(reference: string): void {
    const familiar = familiarReference(reference);
    const served = this.#served.get(familiar);
    if (served !== undefined) this.#served.set(familiar, { ...served, held: false });
    for (const go of this.#waiting.get(familiar) ?? []) go();
  }

  /** All pulls that wait for `release`. */
  get held(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Pulls of a reference that wait for `release`. */
  heldPulls(reference: string): number {
    return this.#waiting.get(familiarReference(reference))?.size ?? 0;
  }

  /** `docker load`, `docker build`: an image that is simply here. Returns its id. */
  add(reference: string, image: Partial<ServedImage> = {}): string {
    const familiar = familiarReference(reference);
    const { id } = this.#keep([familiar], completeImage(familiar, image));
    this.events.emit('image', 'tag', id, { name: familiar });
    return id;
  }

  /** `docker load` of what `docker save` wrote. Returns the references, or the ids when there is none. */
  async load(archive: Readable): Promise<readonly string[]> {
    const files = await textsIn(archive);
    const text = files.get('manifest.json');
    if (text === undefined)
      throw new EngineError('open /tmp/docker-import-1/manifest.json: no such file or directory', 500);
    const [found, ids]: [string[], string[]] = [[], []];
    for (const { Config, RepoTags, Layers } of JSON.parse(text) as readonly SavedImage[]) {
      for (const name of [Config, ...Layers]) {
        if (!files.has(name))
          throw new EngineError(`open /tmp/docker-import-1/${name}: no such file or directory`, 500);
      }
      const { architecture, os, config } = JSON.parse(files.get(Config) ?? '') as SavedConfig;
      const platform = { os, architecture, variant: '' };
      const familiar = (RepoTags ?? []).map(familiarReference);
      const { id } = this.#keep(familiar, { ...completeImage(Config, {}), config, platform });
      for (const name of familiar) this.events.emit('image', 'tag', id, { name });
      found.push(...familiar);
      ids.push(id);
    }
    return found.length > 0 ? found : ids;
  }

  /** `docker tag` */
  tag(reference: string, as: string): void {
    const image = this.find(reference);
    if (image === undefined) throw new EngineError(`No such image: ${reference}`, 404);
    const familiar = familiarReference(as);
    for (const other of this.#local.values()) other.references.delete(familiar);
    image.references.add(familiar);
    this.events.emit('image', 'tag', image.id, { name: familiar });
  }

  /** `docker image prune`: removes what has no tag. `users`: containers of that image id, in any state. */
  prune(users: (id: string) => readonly string[]): void {
    for (const image of [...this.#local.values()]) {
      if (tagsOf(image).length > 0 || users(image.id).length > 0) continue;
      for (const one of image.references) this.#untag(image, one);
      this.#drop(image);
    }
  }

  find(reference: string): LocalImage | undefined {
    const byId = [...this.#local.values()].find(
      ({ id }) => id === reference || (/^[0-9a-f]{12,64}$/.test(reference) && id.startsWith(`sha256:${reference}`)),
    );
    if (byId !== undefined) return byId;
    const familiar = familiarReference(reference);
    return [...this.#local.values()].find(({ references }) => references.has(familiar));
  }

  seen(reference: string): SeenImage | undefined {
    const image = this.find(reference);
    if (image === undefined) return undefined;
    const { config, platform } = image;
    return { ...referencesOf(image), ...(platform ? { platform } : {}), config };
  }

  list(): Pick<SeenImage, 'id' | 'tags' | 'digests'>[] {
    return [...this.#local.values()].map(referencesOf);
  }

  /** `pause` is awaited between the steps: whoever calls decides there whether the pull goes on. */
  async pull(
    reference: string,
    options: PullOptions,
    onProgress: (percent: number) => void,
    pause: (released?: Promise<void>) => Promise<void>,
  ): Promise<void> {
    const familiar = familiarReference(reference);
    const served = this.#served.get(familiar);
    const repository = repositoryOf(familiar);
    const { auth } = options;
    if (served === undefined && this.registry) {
      const { id, config, platform } = await this.registry(reference, options);
      await pause();
      const image = completeImage(familiar, { ...(config ? { config } : {}), platform });
      this.#keep([familiar], image, id);
      this.events.emit('image', 'pull', familiar, { name: repository });
      return;
    }
    if (served === undefined) {
      throw new EngineError(`manifest for ${familiar} not found: manifest unknown: manifest unknown`, 404);
    }
    if (
      served.auth !== undefined &&
      !(auth && 'username' in auth && auth.username === served.auth.username && auth.password === served.auth.password)
    ) {
      throw new EngineError(
        `pull access denied for ${repository}, repository does not exist or may require 'docker login'`,
        404,
      );
    }
    for (const percent of served.progress) {
      await pause();
      onProgress(percent);
    }
    if (served.held) await this.#hold(familiar, pause);
    await pause();
    if (served.failure !== undefined) throw new EngineError(served.failure.message, served.failure.statusCode);
    this.#keep([familiar, `${repository}@${digestOf(served)}`], served);
    this.events.emit('image', 'pull', familiar, { name: repository });
    onProgress(100);
  }

  /** `docker rmi` without force. `users`: containers of that image id, in any state. */
  remove(reference: string, users: (id: string) => readonly string[]): void {
    const image = this.find(reference);
    if (image === undefined) throw new EngineError(`No such image: ${reference}`, 404);
    const familiar = familiarReference(reference);
    const [user] = users(image.id);
    if (!image.references.has(familiar)) {
      if (new Set([...image.references].map(repositoryOf)).size > 1 || tagsOf(image).length > 1) {
        const why = 'image is referenced in multiple repositories';
        throw new EngineError(`conflict: unable to delete ${image.id} (must be forced) - ${why}`, 409);
      }
      if (user !== undefined) throw conflict(reference, user);
      for (const one of image.references) this.#untag(image, one);
      this.#drop(image);
      return;
    }
    const repository = repositoryOf(familiar);
    const isSingle =
      image.references.size <= 1 ||
      (image.references.size === 2 &&
        tagsOf(image).length === 1 &&
        [...image.references].every((one) => repositoryOf(one) === repository));
    if (isSingle && user !== undefined) throw conflict(reference, user);
    this.#untag(image, familiar);
    // Digests stay only as long as a tag of the same repository does.
    const left = [...image.references].filter((one) => repositoryOf(one) === repository);
    if (left.every((one) => one.includes('@'))) for (const one of left) this.#untag(image, one);
    if (image.references.size === 0) this.#drop(image);
  }

  #untag(image: LocalImage, reference: string): void {
    image.references.delete(reference);
    this.events.emit('image', 'untag', image.id, { name: image.id });
  }

  #drop(image: LocalImage): void {
    this.#local.delete(image.id);
    this.events.emit('image', 'delete', image.id, { name: image.id });
  }

  #keep(
    references: readonly string[],
    { content, config, platform, startError }: ServedImage,
    id = idOf({ content, config }),
  ): LocalImage {
    const image = this.#local.get(id) ?? { id, references: new Set<string>(), config, platform, startError };
    // A tag that moves leaves the image it was on, which stays, perhaps without any name.
    for (const other of this.#local.values()) for (const one of references) other.references.delete(one);
    for (const one of references) image.references.add(one);
    this.#local.set(id, image);
    return image;
  }

  async #hold(familiar: string, pause: (released: Promise<void>) => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(familiar) ?? new Set();
    this.#waiting.set(familiar, waiting);
    let go = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      go = resolve;
    });
    waiting.add(go);
    try {
      await pause(released);
    } finally {
      waiting.delete(go);
    }
  }
}

/** One image in `manifest.json` of an archive, and what its config says. */
interface SavedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}
interface SavedConfig {
  readonly architecture: string;
  readonly os: string;
  readonly config: SeenImage['config'];
}

/** Everything in a tar, by name. */
function textsIn(archive: Readable): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  return new Promise((resolve, reject) => {
    const entries = extract();
    entries.on('entry', ({ name }, body, next) => {
      const chunks: Buffer[] = [];
      body.on('data', (chunk: Buffer) => chunks.push(chunk));
      body.on('end', () => {
        files.set(name, Buffer.concat(chunks).toString());
        next();
      });
    });
    const refuse = (error: Error) =>
      reject(new EngineError(`Error processing tar file(exit status 1): ${error.message}`, 500));
    entries.on('error', refuse).on('finish', () => resolve(files));
    archive.on('error', reject).pipe(entries);
  });
}

const completeImage = (reference: string, image: Partial<ServedImage>): ServedImage => ({
  content: reference,
  config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
  platform: undefined,
  progress: [],
  failure: undefined,
  auth: undefined,
  held: false,
  startError: undefined,
  ...image,
});

const tagsOf = ({ references }: LocalImage): string[] => [...references].filter((one) => !one.includes('@'));

const referencesOf = (image: LocalImage): Pick<SeenImage, 'id' | 'tags' | 'digests'> => ({
  id: image.id,
  tags: tagsOf(image),
  digests: [...image.references].filter((one) => one.includes('@')),
});

const conflict = (reference: string, container: string): EngineError =>
  new EngineError(
    `conflict: unable to remove repository reference "${reference}" (must force) - container ${container} is using its referenced image`,
    409,
  );

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const idOf = ({ content, config }: Pick<ServedImage, 'content' | 'config'>): string =>
  `sha256:${sha256(`image ${content} ${JSON.stringify(config)}`)}`;
const digestOf = ({ content, config }: ServedImage): string =>
  `sha256:${sha256(`manifest ${content} ${JSON.stringify(config)}`)}`;

/** As Docker shows references: `docker.io/library/busybox` is `busybox:latest`. */
function familiarReference(reference: string): string {
  const short = reference.replace(/^docker\.io\//, '').replace(/^library\//, '');
  const [name = short, digest] = short.split('@');
  const tagged = name.lastIndexOf(':') > name.lastIndexOf('/');
  if (digest !== undefined) return `${tagged ? name.slice(0, name.lastIndexOf(':')) : name}@${digest}`;
  return tagged ? name : `${name}:latest`;
}

function repositoryOf(familiar: string): string {
  const [name = familiar, digest] = familiar.split('@');
  return digest === undefined ? name.slice(0, name.lastIndexOf(':')) : name;
}
