import type { AnyResource, Kind } from '../../crds/kinds.js';
import { frozen } from './frozen.js';

/** Facts that change too fast for a disk and mean nothing after a restart. */
const IN_MEMORY_ONLY: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  Image: ['downloadProgress', 'nextAttemptAt'],
  GitSource: ['checkedAt', 'nextSyncAt'],
};

/** The part of a status that is kept on disk. Pure. */
export function durableStatus({ kind, status }: AnyResource): object | undefined {
  const left = IN_MEMORY_ONLY[kind];
  if (!status || !left?.some((name) => name in status)) return status;
  return frozen(Object.fromEntries(Object.entries(status).filter(([name]) => !left.includes(name))));
}
