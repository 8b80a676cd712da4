import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Key, KINDS, keyOf } from '../../../crds/model/kinds.js';
import { isSetAside, withoutSetAside } from '../../platform/quarantine.js';
import { folderOf } from './document-files.js';
import { guessName } from './file-names.js';

/** A document that is missing because its file was unusable, now or at an earlier start. */
export interface LostDocument {
  readonly key: Key;
  /** Path of its file. */
  readonly path: string;
  /** New paths of its file, the latest first when it happened more than once. */
  readonly asides: readonly string[];
}

/** Returns the documents whose files were set aside. `present`: files of documents that exist (again), which do not count. */
export function lostDocuments(root: string, present: ReadonlySet<string>): readonly LostDocument[] {
  return KINDS.flatMap((kind) => {
    const folder = folderOf(root, 'documents', kind);
    const byFile = new Map<string, string[]>();
    for (const name of readdirSync(folder).filter(isSetAside)) {
      const fileName = withoutSetAside(name);
      if (fileName.endsWith('.json')) byFile.set(fileName, [...(byFile.get(fileName) ?? []), join(folder, name)]);
    }
    return [...byFile].flatMap(([fileName, found]): readonly LostDocument[] => {
      const path = join(folder, fileName);
      // Newest first: the numbers behind the same name are ms since the epoch.
      const asides = found.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
      if (!present.has(path)) return [{ key: keyOf(kind, guessName(fileName)), path, asides }];
      supersede(asides);
      return [];
    });
  });
}

/** Renames set-aside files whose document was declared again: they are kept for people, and no longer a problem at later starts. */
export function supersede(asides: readonly string[]): void {
  for (const aside of asides) {
    try {
      renameSync(aside, `${aside}.superseded`);
    } catch {
      // Removed meanwhile, or on a disk that cannot be written: the next start tries again.
    }
  }
}
