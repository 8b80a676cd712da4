import type { Logger } from 'pino';
import { Emitter } from '../../../api/platform/emitter.js';
import { toError } from '../../../api/platform/errors.js';
import { Limiter } from '../../../api/platform/turns.js';
import { imageKey, normalizeReference, repositoryOf } from '../../../crds/model/image-reference.js';
import type { Engine } from '../engine.js';
import type { EngineCache, PullOptions, Pulls } from '../engine-cache.js';
import type { Archives } from './archives.js';
import type { DiskSpace } from './disk-space.js';
import type { Credentials } from './registry-credentials.js';

const AT_ONCE = 3;

interface Pull {
  /** As it was first asked for. */
  readonly reference: string;
  readonly pullOptions: PullOptions;
  /** Every spelling that callers used: listeners compare with theirs. */
  readonly spellings: Set<string>;
  readonly stopping: AbortController;
  percent: number;
  /** The file of images that it waits for. */
  file: string | undefined;
  error: Error | undefined;
}

/** Runs `Pulls` on one engine. A finished pull is shown as running until the cache shows its image, so nobody sees a gap. */
export class PullQueue implements Pulls {
  readonly #pulls = new Map<string, Pull>();
  /** Limits talks with registries. */
  readonly #limiter = new Limiter(AT_ONCE);
  readonly #work = new Set<Promise<void>>();
  readonly #changes = new Emitter<string>((error, reference) =>
    this.deps.log.error({ err: error, reference }, 'A listener of the pulls failed'),
  );
  #stopped = false;

  constructor(
    private readonly deps: {
      readonly engine: Engine;
      readonly cache: Pick<EngineCache, 'refreshImage'>;
      /** Returns the credentials for the registry of a reference. */
      readonly credentials?: Credentials;
      /** Asked before any registry. */
      readonly archives?: Pick<Archives, 'bring'>;
      /** Without it pulls may fill the disk. */
      readonly space?: DiskSpace;
      readonly log: Logger;
    },
  ) {}

  start(reference: string, pullOptions: PullOptions = {}): void {
    if (this.#stopped) return;
    const key = imageKey(reference);
    const present = this.#pulls.get(key);
    if (present && !present.error) {
      addSpellings(present, reference);
      return;
    }
    const pull: Pull = {
      reference,
      pullOptions,
      spellings: new Set(present?.spellings),
      stopping: new AbortController(),
      percent: 0,
      file: undefined,
      error: undefined,
    };
    addSpellings(pull, reference);
    this.#pulls.set(key, pull);
    this.#announce(pull);
    const work = this.#perform(key, pull).finally(() => this.#work.delete(work));
    this.#work.add(work);
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
    pull.stopping.abort(new Error('Nobody wants the image any more'));
    this.#announce(pull);
  }

  onChange(listener: (reference: string) => void): () => void {
    return this.#changes.listen(listener);
  }

  /** Stops every pull and takes no more; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { stopping } of this.#pulls.values()) stopping.abort(new Error('The agent is stopping'));
    await Promise.all(this.#work);
    this.#pulls.clear();
  }

  /** Runs a pull to its end; keeps the error of a failed one. */
  async #perform(key: string, pull: Pull): Promise<void> {
    const { archives, cache, log } = this.deps;
    const { reference, stopping } = pull;
    const onWait = (file: string | undefined) => {
      if (file === pull.file || stopping.signal.aborted) return;
      pull.file = file;
      this.#announce(pull);
    };
    try {
      if (!archives || !(await archives.bring(reference, stopping.signal, onWait)))
        await this.#limiter.run(() => this.#fromRegistry(pull));
      const image = await cache.refreshImage(reference, stopping.signal);
      if (!image) throw new Error(`Pulled ${reference}, but the engine does not have an image of that name`);
      if (this.#pulls.get(key) === pull) this.#pulls.delete(key);
      else return;
    } catch (error) {
      // Stopped or forgotten: nobody waits for its end.
      if (stopping.signal.aborted) return;
      pull.error = toError(error);
      log.debug({ err: pull.error, reference }, 'A pull failed');
    }
    this.#announce(pull);
  }

  async #fromRegistry(pull: Pull): Promise<void> {
    const { engine, credentials, space } = this.deps;
    const { reference, pullOptions, stopping } = pull;
    stopping.signal.throwIfAborted(); // it may have waited for its turn
    const onProgress = (percent: number) => this.#progress(pull, percent);
    const auth = await credentials?.(reference, pullOptions.secret);
    stopping.signal.throwIfAborted();
    const options = { auth, platform: pullOptions.platform };
    const exact = pullOptions.digest === undefined ? reference : `${repositoryOf(reference)}@${pullOptions.digest}`;
    const pulled = (signal: AbortSignal) => engine.pullImage(exact, options, onProgress, signal);
    await (space ? space.within(exact, options, stopping.signal, pulled) : pulled(stopping.signal));
    if (exact !== reference) await engine.tagImage(exact, reference, stopping.signal);
  }

  /** Reports whole percent that never go back: layers that appear late would make them. */
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
