import type { Logger } from 'pino';
import { Emitter } from '../../../api/platform/emitter.js';
import { toError } from '../../../api/platform/errors.js';
import { normalizeReference } from '../../../crds/model/names.js';
import type { Engine } from '../engine.js';
import { imageKey, repositoryOf } from '../image-reference.js';
import type { Pulls, PullWish, World } from '../world.js';
import type { Archives } from './archives.js';
import type { DiskSpace } from './disk-space.js';
import type { Credentials } from './registry-credentials.js';

const AT_ONCE = 3;

interface Pull {
  /** As it was asked for first. */
  readonly reference: string;
  readonly wish: PullWish;
  /** Every spelling somebody used: listeners compare with theirs. */
  readonly spellings: Set<string>;
  readonly stopping: AbortController;
  percent: number;
  /** The file of images that it waits for. */
  file: string | undefined;
  error: Error | undefined;
}

/** `Pulls` on one engine. A finished pull is shown as running until the world shows its image, so nobody sees a gap. */
export class PullQueue implements Pulls {
  readonly #pulls = new Map<string, Pull>();
  readonly #queue: string[] = [];
  readonly #active = new Set<Promise<void>>();
  /** Those that look for the image in a file, before they need a registry. */
  readonly #looking = new Set<Promise<void>>();
  readonly #changes = new Emitter<string>((error, reference) =>
    this.deps.log.error({ err: error, reference }, 'A listener of the pulls failed'),
  );
  #stopped = false;

  constructor(
    private readonly deps: {
      readonly engine: Engine;
      readonly world: Pick<World, 'refreshImage'>;
      /** For the registry of the reference. */
      readonly credentials?: Credentials;
      /** Asked before any registry. */
      readonly archives?: Pick<Archives, 'bring'>;
      /** Without it pulls may fill the disk. */
      readonly space?: DiskSpace;
      readonly log: Logger;
    },
  ) {}

  start(reference: string, wish: PullWish = {}): void {
    if (this.#stopped) return;
    const key = imageKey(reference);
    const present = this.#pulls.get(key);
    if (present && !present.error) {
      addSpellings(present, reference);
      return;
    }
    const pull: Pull = {
      reference,
      wish,
      spellings: new Set(present?.spellings),
      stopping: new AbortController(),
      percent: 0,
      file: undefined,
      error: undefined,
    };
    addSpellings(pull, reference);
    this.#pulls.set(key, pull);
    this.#announce(pull);
    const { archives } = this.deps;
    if (archives) {
      const looking = this.#fromFile(key, pull, archives).finally(() => this.#looking.delete(looking));
      this.#looking.add(looking);
    } else this.#enqueue(key);
  }

  state(reference: string): ReturnType<Pulls['state']> {
    const pull = this.#pulls.get(imageKey(reference));
    if (!pull) return { is: 'none' };
    if (pull.error) return { is: 'failed', error: pull.error };
    return { is: 'running', percent: pull.percent, ...(pull.file === undefined ? {} : { file: pull.file }) };
  }

  forget(reference: string): void {
    const key = imageKey(reference);
    const pull = this.#pulls.get(key);
    if (!pull) return;
    this.#pulls.delete(key);
    const queued = this.#queue.indexOf(key);
    if (queued >= 0) this.#queue.splice(queued, 1);
    pull.stopping.abort(new Error('Nobody wants the image any more'));
    this.#announce(pull);
  }

  onChange(listener: (reference: string) => void): () => void {
    return this.#changes.listen(listener);
  }

  /** Stops every pull and takes no more; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.length = 0;
    for (const { stopping } of this.#pulls.values()) stopping.abort(new Error('The agent is stopping'));
    await Promise.all([...this.#active, ...this.#looking]);
    this.#pulls.clear();
  }

  #enqueue(key: string): void {
    this.#queue.push(key);
    this.#fill();
  }

  #fill(): void {
    while (!this.#stopped && this.#active.size < AT_ONCE) {
      const key = this.#queue.shift();
      const pull = key === undefined ? undefined : this.#pulls.get(key);
      if (key === undefined || !pull) return;
      const work = this.#fromRegistry(key, pull).finally(() => {
        this.#active.delete(work);
        this.#fill();
      });
      this.#active.add(work);
    }
  }

  /** Takes the image from a file; queues the pull when no file brings it. */
  #fromFile(key: string, pull: Pull, archives: Pick<Archives, 'bring'>): Promise<void> {
    const { reference, stopping } = pull;
    const onWait = (file: string | undefined) => {
      if (file === pull.file || stopping.signal.aborted) return;
      pull.file = file;
      this.#announce(pull);
    };
    return this.#untilHere(key, pull, async () => {
      if (await archives.bring(reference, stopping.signal, onWait)) return true;
      if (this.#pulls.get(key) === pull && !this.#stopped) this.#enqueue(key);
      return false;
    });
  }

  #fromRegistry(key: string, pull: Pull): Promise<void> {
    const { engine, credentials, space } = this.deps;
    const { reference, wish, stopping } = pull;
    return this.#untilHere(key, pull, async () => {
      const onProgress = (percent: number) => this.#progress(pull, percent);
      const auth = await credentials?.(reference, wish.secret);
      stopping.signal.throwIfAborted();
      const options = { auth, platform: wish.platform };
      const exact = wish.digest === undefined ? reference : `${repositoryOf(reference)}@${wish.digest}`;
      const pulled = (signal: AbortSignal) => engine.pullImage(exact, options, onProgress, signal);
      await (space ? space.within(exact, options, stopping.signal, pulled) : pulled(stopping.signal));
      if (exact !== reference) await engine.tagImage(exact, reference, stopping.signal);
      return true;
    });
  }

  /** Ends a pull once `bring` says that the engine has the image; keeps what `bring` throws. */
  async #untilHere(key: string, pull: Pull, bring: () => Promise<boolean>): Promise<void> {
    const { world, log } = this.deps;
    const { reference, stopping } = pull;
    try {
      if (!(await bring())) return;
      const image = await world.refreshImage(reference, stopping.signal);
      if (!image) throw new Error(`Pulled ${reference}, but the engine does not have an image of that name`);
      if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
      else return;
    } catch (error) {
      // Stopped or forgotten: nobody waits for how it ended.
      if (stopping.signal.aborted) return;
      pull.error = toError(error);
      log.debug({ err: pull.error, reference }, 'A pull failed');
    }
    this.#announce(pull);
  }

  /** Whole percent that never goes back: layers that turn up late would make it. */
  #progress(pull: Pull, percent: number): void {
    const whole = Math.min(100, Math.floor(percent));
    if (!(whole > pull.percent) || pull.error || pull.stopping.signal.aborted) return;
    pull.percent = whole;
    this.#announce(pull);
  }

  #announce({ spellings }: Pull): void {
    this.#changes.emit(...spellings);
  }
}

function addSpellings({ spellings }: Pull, reference: string): void {
  spellings.add(reference).add(normalizeReference(reference));
}
