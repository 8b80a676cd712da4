import { basename, dirname, relative } from 'node:path';
import { watch } from 'chokidar';

/** What we read or write on a host: files, and folders of which every file counts. */
const WATCHED = [
  ...['mnt/boot/config.json', 'mnt/boot/config.txt', 'mnt/boot/extra_uEnv.txt', 'mnt/boot/configfs.json'],
  ...['mnt/boot/extlinux/extlinux.conf', 'mnt/boot/system-proxy', 'mnt/boot/splash', 'etc/hostname'],
];
const FOLDERS = ['', 'mnt', 'mnt/boot', 'mnt/boot/extlinux', 'etc'];
/** Several writes of one edit are one. */
const SETTLE_MS = 50;

export interface WatchOptions {
  readonly hostRoot: string;
  readonly log: { readonly warn: (details: object, message: string) => void };
}

/**
 * Calls back soon after a file of the host that settings stand in was changed, made or removed, and once when it watches.
 * Returns how to stop.
 */
export function watchHostFiles({ hostRoot, log }: WatchOptions): (changed: () => void) => () => void {
  return (changed) => {
    let timer: NodeJS.Timeout | undefined;
    // From the root on: a folder that goes and comes back, or is made later, is seen again.
    const watcher = watch(hostRoot, {
      ignoreInitial: true,
      depth: 3,
      ignored: (path) => !isWatched(relative(hostRoot, path)),
    });
    const soon = (): void => {
      clearTimeout(timer);
      timer = setTimeout(changed, SETTLE_MS);
      timer.unref();
    };
    watcher.on('all', soon);
    watcher.on('ready', soon); // for what changed between the first look and now
    watcher.on('error', (error) =>
      log.warn({ err: error }, 'Could not watch the files of the host; they are looked at now and then'),
    );
    return () => {
      clearTimeout(timer);
      void watcher.close();
    };
  };
}

/** Whether a path below the host's root is one of those, or leads to one. Our own temporary files are not. Pure. */
export function isWatched(path: string): boolean {
  if (FOLDERS.includes(path)) return true;
  if (basename(path).startsWith('.')) return false;
  return WATCHED.includes(path) || WATCHED.includes(dirname(path));
}
