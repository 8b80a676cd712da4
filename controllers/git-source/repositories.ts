import type { Accepted } from '../../api/store/store.js';
import type { GitSource } from '../../crds/kinds.js';
import type { GitSourceStatus } from '../../crds/types.js';

/** Why a repository's documents were not taken. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly commit?: string;
  /** Not worth another try before something changes. */
  readonly final: boolean;
}

/** How a sync went, in facts of the status. What is absent is as it was. */
export interface SyncReport extends Pick<GitSourceStatus, 'seen' | 'verified' | 'applied' | 'declares' | 'held'> {
  readonly failure?: Failure;
  /** What the proposal did. */
  readonly accepted?: Accepted;
}

/** What this controller needs of git: the sources know how it is done. */
export interface Repositories {
  /** Takes what the repository has now. Failures are values; what was in force stays in force. */
  sync(source: GitSource, confirmed: ReadonlySet<string>, signal: AbortSignal): Promise<SyncReport>;
  /** What the documents depend on besides the commit; another text means that they may come out differently. */
  inputs(source: GitSource): string;
  /** Pushes the device's status; the new commit, or undefined when nothing has changed. */
  pushStatus(source: GitSource, text: string, signal: AbortSignal): Promise<string | undefined>;
  /** Takes back what a source declared, as its policy says. */
  remove(source: GitSource): Promise<Accepted>;
}
