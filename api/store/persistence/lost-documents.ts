import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Key, KINDS, keyOf } from '../../../crds/model/kinds.js';
import { isSetAside, withoutSetAside } from '../../platform/quarantine.js';
import { folderOf } from './document-files.js';
import { guessName } from './file-names.js';

/** A document that is missing, because its file could not be used, now or at an earlier start. */
export interface LostDocument {
  readonly key: Key;
  /** Where its file was. */
  readonly path: string;
  /** Where it is now; the latest first, when that has happened more than once. */
  readonly asides: readonly string[];
}

/** The documents whose files were set aside; `present` are the files of those that are there (again): theirs count no more. */
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

/** Renames set-aside files whose document was declared again: kept to be looked at, they are no problem of a later start. */
export function supersede(asides: readonly string[]): void {
  for (const aside of asides) {
    try {
      renameSync(aside, `${aside}.superseded`);
    } catch {
      // Removed meanwhile, or on a disk that cannot be written: the next start tries again while the document is there.
    }
  }
}
