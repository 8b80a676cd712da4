import { accessSync, constants, mkdirSync } from 'node:fs';
import type { Kind } from '../../../crds/model/kinds.js';
import { storageError } from '../../platform/disk.js';
import { folderOf, type Tree } from './document-files.js';

/**
 * Creates missing folders of these kinds and checks that files can be written. Never creates the data folder itself,
 * which has the lock that keeps other agents out. Returns the folders that were missing, whose files are gone with
 * them. Throws `StorageError` where nothing can be written.
 */
export function openFolders(root: string, tree: Tree, kinds: readonly Kind[]): readonly string[] {
  const writable = constants.W_OK | constants.X_OK;
  return kinds
    .map((kind) => folderOf(root, tree, kind))
    .filter((folder) => {
      try {
        accessSync(root, writable);
        const isMissing = mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
        accessSync(folder, writable);
        return isMissing;
      } catch (error) {
        throw storageError('write', folder, error);
      }
    });
}
