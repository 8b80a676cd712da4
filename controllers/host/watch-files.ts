import { basename, dirname, relative } from 'node:path';
import { watch } from 'chokidar';
import { type Cancel, type Clock, systemClock } from '../../api/platform/clock.js';

/** Files that the agent reads or writes on a host, and folders of which every file counts. */
const WATCHED = [
  ...['mnt/boot/config.json', 'mnt/boot/config.txt', 'mnt/boot/extra_uEnv.txt', 'mnt/boot/configfs.json'],
  ...['mnt/boot/extlinux/extlinux.conf', 'mnt/boot/system-proxy', 'mnt/boot/splash', 'etc/hostname'],
];
const FOLDERS = ['', 'mnt', 'mnt/boot', 'mnt/boot/extlinux', 'etc'];
/** How long changes are collected, ms: one edit may write several times. */
const SETTLE_MS = 50;

export interface WatchOptions {
  readonly hostRoot: string;
  readonly log: { readonly warn: (details: object, message: string) => void };
  /** The machine's own when not said. */
  readonly clock?: Pick<Clock, 'after'>;
}

/**
 * Calls back soon after a file of the host with settings was changed, created or removed, and once when watching
 * begins. Returns how to stop.
 */
export function watchHostFiles({
  hostRoot,
  log,
  clock = systemClock,
}: WatchOptions): (changed: () => void) => () => void {
  return (changed) => {
    let cancel: Cancel = () => undefined;
    // From the root on: a folder that is replaced or created later is seen as well.
    const watcher = watch(hostRoot, {
      ignoreInitial: true,
      depth: 3,
      ignored: (path) => !isWatched(relative(hostRoot, path)),
    });
    const soon = (): void => {
      cancel();
      cancel = clock.after(SETTLE_MS, changed);
    };
    watcher.on('all', soon);
    watcher.on('ready', soon); // for changes between the first look and now
    watcher.on('error', (error) =>
      log.warn({ err: error }, 'Could not watch the files of the host; they are looked at now and then'),
    );
    return () => {
      cancel();
      void watcher.close();
    };
  };
}

/** Tells whether a path below the host's root is watched, or leads to a watched one. Our own temporary files are not. Pure. */
export function isWatched(path: string): boolean {
  if (FOLDERS.includes(path)) return true;
  if (basename(path).startsWith('.')) return false;
  return WATCHED.includes(path) || WATCHED.includes(dirname(path));
}
