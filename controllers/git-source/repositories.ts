import type { Accepted } from '../../api/store/store.js';
import type { SyncReport } from '../../api/store/sync-report.js';
import type { GitSource } from '../../crds/model/kinds.js';

/** The operations on git that this controller needs; the sources implement them. */
export interface Repositories {
  /** Takes the documents that the repository has now. Failures are returned; what was in force stays in force. */
  sync(source: GitSource, confirmed: ReadonlySet<string>, signal: AbortSignal): Promise<SyncReport>;
  /** Returns what the documents depend on besides the commit: when it changes, they may come out differently. */
  inputs(source: GitSource): string;
  /** Pushes the device's status. Returns the new commit, or undefined when nothing has changed. */
  pushStatus(source: GitSource, text: string, signal: AbortSignal): Promise<string | undefined>;
  /** Removes what a source declared, as its policy says. */
  remove(source: GitSource): Promise<Accepted>;
}
