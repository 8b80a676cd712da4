import { type Key, type RequestName, type Resource, splitKey } from '../../../crds/model/kinds.js';
import { engineFailureOf } from '../../../crds/model/readiness.js';
import { acknowledgementsOf } from '../../../crds/model/requests.js';
import { type Clock, systemClock } from '../../platform/clock.js';
import { StorageError } from '../../platform/disk.js';
import { errorMessage } from '../../platform/errors.js';
import type { Store } from '../../store/store.js';

/** The end of a command. `locked`: the application holds the update lock, and nothing was changed. */
export type Verdict =
  | { readonly is: 'done' }
  | { readonly is: 'locked'; readonly message: string }
  | { readonly is: 'failed'; readonly message: string };

/** Adds a command to a document and resolves with its end. */
export type Command = (key: Key, name: RequestName, options: { readonly force: boolean }) => Promise<Verdict>;

export interface CommandDeps {
  readonly store: Pick<Store, 'get' | 'watch' | 'request' | 'withdraw' | 'flush'>;
  /** Returns why nothing can be carried out at present, whatever documents say; undefined when that is not known. */
  readonly failure?: () => string | undefined;
  /** How long to wait for the end of a command, ms. It is carried out all the same. */
  readonly deadlineMs?: number;
  /** The machine's own when not said. */
  readonly clock?: Pick<Clock, 'after'>;
}

/** Long enough for a grace period, the start of a large app and a slow disk. */
const DEADLINE_MS = 120_000;

/**
 * Carries out commands as requests on documents: on disk first, then awaited in the status. A command that a controller
 * rejected, or that waits for an engine that is down, is withdrawn before its caller gets the answer, because it must
 * not happen later. When another request of the same name replaces ours, that one is awaited: it came later, so its
 * effect is the one that was asked for, too.
 */
export function commander({ store, failure, deadlineMs = DEADLINE_MS, clock = systemClock }: CommandDeps): Command {
  const find = (key: Key): Resource | undefined => {
    const { kind, name } = splitKey(key);
    return store.get(kind, name);
  };

  return async (key, name, { force }) => {
    const down = failure?.() ?? engineFailureOf(find(key));
    if (down !== undefined) return { is: 'failed', message: down };
    try {
      await store.request(key, { [name]: force ? { force } : {} });
      const verdict = await settled(store, () => progressOf(find(key), name), deadlineMs, clock);
      // An answered command is over: a process that starts after a crash does not begin it again.
      if (verdict.is === 'done') await flushed(store);
      const request = find(key)?.requests[name];
      if (verdict.is !== 'done' && verdict.withdraw && request) await store.withdraw(key, name, request.id);
      return verdict;
    } catch (error) {
      if (error instanceof StorageError || !find(key)) return { is: 'failed', message: errorMessage(error) };
      throw error;
    }
  };
}

/** Waits until the status is on disk. A disk that refuses does not undo what was done; the store reports it and tries again. */
async function flushed(store: Pick<Store, 'flush'>): Promise<void> {
  try {
    await store.flush();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
  }
}

type Progress = Exclude<Verdict, { is: 'done' }> & { readonly withdraw: boolean };

/** Returns how far a request is; undefined while it is under way. Pure. */
function progressOf(document: Resource | undefined, name: RequestName): Progress | { is: 'done' } | undefined {
  if (!document) return { is: 'failed', message: 'It was removed meanwhile', withdraw: false };
  const request = document.requests[name];
  if (!request) return { is: 'failed', message: `The request to ${name} was taken back`, withdraw: false };
  const { handled, refused } = acknowledgementsOf(document.status);
  if (handled?.[name] === request.id) {
    const refusal = refused?.[name];
    if (!refusal) return { is: 'done' };
    return { is: refusal.reason === 'Locked' ? 'locked' : 'failed', message: refusal.message, withdraw: true };
  }
  const down = engineFailureOf(document);
  return down === undefined ? undefined : { is: 'failed', message: down, withdraw: true };
}

/** Resolves with the first end that is seen, now or after any change. */
function settled(
  store: Pick<Store, 'watch'>,
  look: () => Progress | { is: 'done' } | undefined,
  deadlineMs: number,
  clock: Pick<Clock, 'after'>,
): Promise<Progress | { is: 'done' }> {
  const now = look();
  if (now) return Promise.resolve(now);
  return new Promise((resolve) => {
    const end = (progress: Progress | { is: 'done' }): void => {
      cancel();
      stop();
      resolve(progress);
    };
    const late = `It is still under way after ${deadlineMs / 1000} s, and will be carried out`;
    const cancel = clock.after(deadlineMs, () => end({ is: 'failed', message: late, withdraw: false }));
    const stop = store.watch(() => {
      const progress = look();
      if (progress) end(progress);
    });
  });
}
