import type { App } from '../../../crds/model/kinds.js';
import { exportApp } from '../../sources/compose/export.js';
import type { Session } from '../client/session.js';
import { objectPath, subject } from '../kind-words.js';

/**
 * `supercargo export`: prints an App as a Compose file that means the same, and on standard error what Docker Compose would
 * do otherwise with it.
 */
export async function exportCompose({ io, json, client }: Session, name: string): Promise<void> {
  const { metadata, spec } = await (await client()).ask<App>('GET', objectPath(subject('App', name)));
  const { file, text, warnings } = exportApp(metadata.name, spec);
  io.err(...warnings.map((warning) => `${io.style('yellow', 'warning:')} ${warning}`));
  io.out(json ? JSON.stringify(file) : text.trimEnd());
}
