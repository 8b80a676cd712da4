import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Licences, and what has to be handed on with them (Apache-2.0, 4d). */
const TEXTS = /^(?:licen[cs]e|copying|notice)(?:[-.]|$)/i;

/** Folders of the packages that files of a bundle come from, as esbuild names them. Pure. */
export const packageFolders = (inputs: readonly string[]): readonly string[] =>
  [...new Set(inputs.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? []))].sort();

/**
 * Name, version, licence and its text, of every package. Of one that comes without a text the declared licence is said; one that
 * does not even declare any cannot be handed on, so it throws.
 */
export function thirdPartyLicenses(folders: readonly string[]): string {
  const packages = folders.map(describe).sort((a, b) => (a < b ? -1 : 1));
  return [`supercargo contains the following packages.\n`, ...new Set(packages)].join(`\n${'='.repeat(80)}\n\n`);
}

function describe(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => TEXTS.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (typeof license !== 'string' && texts.length === 0) {
    throw new Error(`${name} ${version} has no licence, so it may not be in the bundle (${folder})`);
  }
  const declared = typeof license === 'string' ? license : 'see below';
  const body =
    texts.length > 0 ? texts.join('\n\n') : 'The package has no licence text; the licence above is what it declares.';
  return `${name} ${version}\nLicence: ${declared}\n\n${body}\n`;
}
