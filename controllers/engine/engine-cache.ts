import type { KnownImage } from './cache/image-cache.js';
import type { SeenContainer, SeenImage, SeenNetwork, SeenVolume } from './engine.js';

/** The object that may look different now. */
export type EngineChange =
  | {
      readonly type: 'container';
      readonly appId: number | undefined;
      readonly serviceName: string | undefined;
      readonly id: string;
    }
  | { readonly type: 'network'; readonly name: string }
  | { readonly type: 'volume'; readonly name: string }
  /** Some image's tags changed: whoever waits for a reference looks again. */
  | { readonly type: 'image' }
  /** The engine became reachable or not, or was listed again: everybody looks again. */
  | { readonly type: 'all' };

/** Cache of what exists on the engine: listed once, kept current by events, listed again now and then. Reads are synchronous. */
export interface EngineCache {
  /** False before the first full list and while the engine cannot be reached: then absence means nothing. */
  readonly hasSynced: boolean;
  /** Why it has not synced, for people. */
  readonly syncError: string | undefined;
  /**
   * Returns what the engine leaves unanswered for too long, or fails to answer again and again, in one sentence;
   * undefined when there is nothing. `about`: of these objects only, `container/<id or name>`, `network/<id or name>`,
   * `volume/<name>`, `image/<reference>`: then what is shown of them may be out of date. A change of the result is
   * announced as a change of the object.
   */
  unanswered(about?: readonly string[]): string | undefined;
  /** Returns the containers of a service, newest first. */
  containersOf(appId: number, serviceName: string): readonly SeenContainer[];
  containers(): readonly SeenContainer[];
  network(name: string): SeenNetwork | undefined;
  /** Returns every network of that name: Docker allows duplicates. */
  networks(name: string): readonly SeenNetwork[];
  /** Returns our containers that are attached to the network, in any state. */
  attachedTo(networkName: string): readonly SeenContainer[];
  volume(name: string): SeenVolume | undefined;
  /** Returns every volume on the engine, also foreign ones. */
  volumes(): readonly SeenVolume[];
  /**
   * Returns an image by reference (any spelling) or id. Undefined when it is not local, and also while it is inspected
   * for the first time, the end of which is announced. `refreshImage` tells the two apart.
   */
  image(reference: string): SeenImage | undefined;
  /** Returns every image on the engine, with its names; with what it is only where somebody has asked for that. */
  images(): readonly KnownImage[];
  onChange(listener: (change: EngineChange) => void): () => void;

  /** Refreshes that object after an action; resolves when the cache shows it. */
  refreshContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined>;
  /** Forgets a container after the engine has confirmed its removal. */
  dropContainer(id: string): void;
  refreshNetwork(name: string, signal: AbortSignal): Promise<SeenNetwork | undefined>;
  refreshVolume(name: string, signal: AbortSignal): Promise<SeenVolume | undefined>;
  refreshImage(reference: string, signal: AbortSignal): Promise<SeenImage | undefined>;
  /**
   * While `action` runs, events about that container cause no inspection: the caller refreshes it, inside the action or
   * right after it. Events that no refresh has answered by then cause one, so forgetting costs a request, not the
   * truth. `container` is an id or, for one that the action creates, its name.
   */
  suppressEvents<T>(container: string, action: () => Promise<T>): Promise<T>;
}

/** Options of a pull that documents set, beside the reference. */
export interface PullOptions {
  /** Name of the secret with the registry's credentials. */
  readonly secret?: string | undefined;
  readonly platform?: string | undefined;
  /** The digest that the tag was resolved to: this is pulled, and gets the tag. */
  readonly digest?: string | undefined;
}

/** Pulls that everybody who wants the same reference shares; at most three at a time, not counting those that wait for a file. */
export interface Pulls {
  /** Starts or joins a pull; returns at once. The first caller's options count. */
  start(reference: string, options?: PullOptions): void;
  /**
   * Returns the state of a pull: unknown, running (percent; 0 while queued; `file`: the file of images that it waits
   * for), or how the last one failed. A success is forgotten: the image is in the cache then.
   */
  state(
    reference: string,
  ): { is: 'none' } | { is: 'running'; percent: number; file?: string } | { is: 'failed'; error: Error };
  /** Forgets a failure, or stops a pull that nobody wants any more. */
  forget(reference: string): void;
  onChange(listener: (reference: string) => void): () => void;
}
