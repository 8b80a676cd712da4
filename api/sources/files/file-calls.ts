import type { Clock } from '../../platform/clock.js';
import { answerWithin, UnfitFileError } from '../../platform/read-file.js';

/** Number of calls that may hang: each keeps a thread, and Node has four of them for everything. */
const LIMIT_HUNG = 2;

/** A file system does not answer; the message is for people. */
export class SilentError extends Error {
  override readonly name = 'SilentError';
}

export interface FileCallsOptions {
  readonly clock: Clock;
  /** How long a file system may take, ms. */
  readonly answerMs: number;
  /** Called when a call that was given up has ended. */
  readonly onAnswer: () => void;
}

/** Calls to file systems that may never answer: no path is asked for again before the call about it has ended. */
export class FileCalls {
  /** Folders and files whose file system has not answered in time, and the message about them. */
  readonly #hung = new Map<string, string>();

  constructor(private readonly options: FileCallsOptions) {}

  /** Rejects with `SilentError` when there is no answer in time, or when too many are missing; else as the call does. */
  async ask<T>(path: string, call: () => Promise<T>): Promise<T> {
    const silent = this.#silence(path);
    if (silent !== undefined) throw new SilentError(silent);
    const asked = call();
    try {
      return await answerWithin(asked, this.options.answerMs);
    } catch (error) {
      if (!(error instanceof UnfitFileError) || error.code !== 'ETIMEDOUT') throw error;
      throw new SilentError(this.#hang(path, asked), { cause: error });
    }
  }

  /** Waits until the pending call has ended before the path is used again. Returns the message meanwhile. */
  #hang(path: string, asked: Promise<unknown>): string {
    const { clock, answerMs, onAnswer } = this.options;
    const since = new Date(clock.now() - answerMs).toISOString();
    const message = `Has not been looked at since ${since}: its file system does not answer (a network share that is gone?); what it declared stays`;
    this.#hung.set(path, message);
    const ended = (): void => {
      this.#hung.delete(path);
      onAnswer();
    };
    asked.then(ended, ended);
    return message;
  }

  /** Returns why a path cannot be read now; undefined when it can. */
  #silence(path: string): string | undefined {
    const message = this.#hung.get(path);
    if (message !== undefined || this.#hung.size < LIMIT_HUNG) return message;
    return `Is not looked at while the file systems of ${[...this.#hung.keys()].join(' and ')} do not answer`;
  }
}
