import type { SeenContainer, SeenImage, SeenNetwork, SeenVolume } from './engine.js';

/** Which object may look different now. */
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
  /** Reachable or not, after a relist: everybody looks again. */
  | { readonly type: 'all' };

/** What exists on the engine, as a cache that is kept current: list once, follow events, relist. Reads are synchronous. */
export interface EngineCache {
  /** False before the first full list and while the engine cannot be reached: then nothing may be concluded from absence. */
  readonly hasSynced: boolean;
  /** Why it has not synced, for people. */
  readonly syncError: string | undefined;
  /**
   * What the engine leaves unanswered for too long, or fails to tell again and again, in one sentence; undefined while nothing
   * is. `about`: of these objects only, `container/<id or name>`, `network/<id or name>`, `volume/<name>`, `image/<reference>`:
   * then what is shown of them may be out of date. That it has changed is announced as a change of the object.
   */
  unanswered(about?: readonly string[]): string | undefined;
  /** Containers of a service, newest first. */
  containersOf(appId: number, serviceName: string): readonly SeenContainer[];
  containers(): readonly SeenContainer[];
  network(name: string): SeenNetwork | undefined;
  /** Every network of that name: Docker allows duplicates. */
  networks(name: string): readonly SeenNetwork[];
  /** Our containers attached to the network, any state. */
  attachedTo(networkName: string): readonly SeenContainer[];
  volume(name: string): SeenVolume | undefined;
  /** Every volume on the engine, foreign ones too. */
  volumes(): readonly SeenVolume[];
  /**
   * By reference (any spelling) or id. Undefined when it is not local, and also while it is looked up for the first
   * time: the end of that is announced. Who must know which of the two asks `refreshImage`.
   */
  image(reference: string): SeenImage | undefined;
  onChange(listener: (change: EngineChange) => void): () => void;

  /** After acting: looks at that object again and resolves when the cache shows it. */
  refreshContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined>;
  refreshNetwork(name: string, signal: AbortSignal): Promise<SeenNetwork | undefined>;
  refreshVolume(name: string, signal: AbortSignal): Promise<SeenVolume | undefined>;
  refreshImage(reference: string, signal: AbortSignal): Promise<SeenImage | undefined>;
  /**
   * While `action` runs, events about that container cause no inspection: the caller refreshes it, inside the action or
   * right after it. Events that no refresh has answered by then are looked into as always, so forgetting costs a
   * request, not the truth. `container` is an id or, for one that the action creates, its name.
   */
  suppressEvents<T>(container: string, action: () => Promise<T>): Promise<T>;
}

/** What a document says about a pull, beside the reference. */
export interface PullOptions {
  /** Name of the secret for its registry. */
  readonly secret?: string | undefined;
  readonly platform?: string | undefined;
  /** What the tag stood for when it was resolved: this is pulled, and gets the tag. */
  readonly digest?: string | undefined;
}

/** Pulls shared by everybody who wants the same reference; at most three at once, and none counts that waits for a file. */
export interface Pulls {
  /** Starts or joins a pull; returns at once. The first one's wish counts. */
  start(reference: string, wish?: PullOptions): void;
  /**
   * Nothing known, running (percent; 0 while queued; `file`: the file of images that it waits for), or how the last one
   * failed. A success is forgotten: the image is in the cache then.
   */
  state(
    reference: string,
  ): { is: 'none' } | { is: 'running'; percent: number; file?: string } | { is: 'failed'; error: Error };
  /** Forgets a failure, stops a pull that nobody wants any more. */
  forget(reference: string): void;
  onChange(listener: (reference: string) => void): () => void;
}
