import type { Accepted } from '../../api/store/store.js';
import type { SyncReport } from '../../api/store/sync-report.js';
import type { GitSource } from '../../crds/model/kinds.js';

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
