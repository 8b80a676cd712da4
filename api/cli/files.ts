import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { API_VERSION, KINDS, type Source } from '../../crds/model/kinds.js';
import { isMap } from '../../crds/model/maps.js';
import { NAME, NAME_RULE } from '../../crds/model/names.js';
import { suggestion } from '../../crds/schema/nearest.js';
import { yamlItems } from '../../crds/yaml/yaml-items.js';
import { errorCode, errorMessage } from '../platform/errors.js';
import { COMPOSE_FILES, isComposeText } from '../sources/compose/compose-files.js';
import { ApiError } from './client/client.js';
import type { Session } from './client/session.js';
import { CommandError, usageError } from './failure.js';
import type { Io } from './format/io.js';
import { placeText, problemText } from './format/places.js';
import type { Subject } from './kind-words.js';

/** A document that somebody wrote, not checked yet except for its kind and name. */
export interface Written extends Subject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly locate: (path: string) => Source;
  /** Of a Compose project: where paths are written that only this machine has. */
  readonly relativeBinds?: readonly Source[];
}

const SUFFIX = /\.(?:ya?ml|json)$/;

/**
 * Reads the documents in files, in folders (not below them) and, for `-`, on standard input. A Compose file, and a folder
 * that has one, is a project and comes to one App. Throws with every mistake in them.
 */
export async function readWritten(paths: readonly string[], io: Io): Promise<readonly Written[]> {
  if (paths.length === 0)
    throw usageError('Nothing to read', 'Give a file, a folder, or - for standard input: -f FILE');
  const texts: { file: string; text: string }[] = [];
  const projects: string[] = [];
  for (const path of paths) {
    if (path === '-') texts.push({ file: 'stdin', text: await textOf(io.input) });
    else if (await hasComposeFile(path)) projects.push(path);
    else
      for (const file of await filesAt(path)) {
        const text = await readFile(file, 'utf8').catch((cause: unknown) => unreadable(file, cause));
        if (isComposeText(text)) projects.push(file);
        else texts.push({ file, text });
      }
  }
  const written: Written[] = [];
  const mistakes: string[] = [];
  for (const path of projects) {
    const { readComposeProject } = await import('./compose-project.js'); // with all schemas, which is much
    const { document, name, problems, warnings, locate, relativeBinds } = await readComposeProject([path]);
    io.err(...warnings.map((warning) => `${io.style('yellow', 'warning:')} ${problemText(warning)}`));
    mistakes.push(...problems.map(problemText));
    if (document !== undefined && name !== undefined)
      written.push({ kind: 'App', name, value: document, locate, relativeBinds });
  }
  for (const { file, text } of texts) {
    const { items, problems } = yamlItems(text.replace(/^\ufeff/, ''), file);
    mistakes.push(...problems.map(({ message, source }) => `${placeText(source ?? { file })}: ${message}`));
    for (const { value, locate } of items) {
      if (value === null || value === undefined) continue;
      const named = nameIn(value);
      if ('mistake' in named) mistakes.push(`${placeText(locate(named.path))}: ${named.mistake}`);
      else written.push({ ...named, locate });
    }
  }
  if (mistakes.length > 0) throw mistakesError(mistakes);
  if (written.length === 0)
    throw new CommandError(`There is no document in ${paths.join(', ')}`, {
      hint: 'See examples/ for documents to copy.',
    });
  return written;
}

/** Returns the error with all mistakes, before any document was taken. */
export const mistakesError = (mistakes: readonly string[]): CommandError =>
  new CommandError(mistakes.join('\n'), {
    hint: 'Nothing was changed. `supercargo explain KIND.FIELD` tells what a field means.',
  });

/** Tells whether the path is a folder with a Compose file, which makes the folder a project. */
async function hasComposeFile(path: string): Promise<boolean> {
  const entries: readonly string[] = await readdir(path).catch(() => []);
  return COMPOSE_FILES.some((name) => entries.includes(name));
}

/** Throws where a Compose project binds paths of this machine, and the agent is on another one. */
export async function checkBinds(session: Session, written: readonly Written[]): Promise<void> {
  const places = written.flatMap(({ relativeBinds = [] }) => relativeBinds);
  if (places.length === 0 || (await session.isLocal())) return;
  const why = 'This path is on this machine, and the agent is on another one; write an absolute path of the device';
  throw mistakesError(places.map((place) => `${placeText(place)}: ${why}`));
}

function nameIn(
  value: unknown,
): Pick<Written, 'kind' | 'name' | 'value'> | { readonly mistake: string; readonly path: string } {
  if (!isMap(value)) return { mistake: 'Expected a document, a map with apiVersion and kind', path: '' };
  if (value.kind === undefined && (value.local !== undefined || value.apps !== undefined)) {
    const mistake = 'This looks like a target state of the Supervisor; POST it to /v2/local/target-state';
    return { mistake, path: '' };
  }
  if (value.kind === undefined && value.services !== undefined) {
    const mistake = 'This looks like a Compose file: give its path, because other files and paths are beside it';
    return { mistake, path: '' };
  }
  if (value.apiVersion !== API_VERSION) {
    const mistake =
      value.apiVersion === undefined
        ? `Missing: apiVersion: ${API_VERSION}`
        : `Expected apiVersion ${API_VERSION}, found ${JSON.stringify(value.apiVersion)}`;
    return { mistake, path: 'apiVersion' };
  }
  const kind = KINDS.find((one) => one === value.kind);
  if (!kind) {
    const word = typeof value.kind === 'string' ? value.kind : '';
    const mistake = word === '' ? 'Missing: kind' : `Unknown kind "${word}"${suggestion(word, KINDS)}`;
    return { mistake, path: 'kind' };
  }
  const { metadata } = value;
  const name = isMap(metadata) ? metadata.name : undefined;
  if (typeof name !== 'string' || name === '') return { mistake: 'Missing: metadata.name, a string', path: 'metadata' };
  if (!NAME.test(name)) {
    return { mistake: `${JSON.stringify(name)} is not a name: ${NAME_RULE}`, path: 'metadata.name' };
  }
  return { kind, name, value };
}

/** Returns the agent's issues with a document, with their places in its file; undefined for any other refusal. Pure. */
export function refusedPlaces(error: unknown, { locate }: Written): readonly string[] | undefined {
  if (!(error instanceof ApiError) || (error.code !== 422 && error.code !== 400)) return undefined;
  if (error.causes.length === 0) return [`${placeText(locate(''))}: ${error.message}`];
  return error.causes.map(({ field, message }) => {
    const [, more] = /^Unknown field "(?:[^"\\]|\\.)*"(.*)$/s.exec(message) ?? [];
    const sentence =
      more === undefined ? `${field === '' ? '' : `${field}: `}${message}` : `Unknown field ${field}${more}`;
    return `${placeText(locate(field))}: ${sentence}`;
  });
}

async function filesAt(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch((cause: unknown) => unreadable(path, cause));
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const isDocument = (entry: Dirent): boolean =>
    SUFFIX.test(entry.name) && !entry.name.startsWith('.') && !entry.isDirectory();
  const files = entries
    .filter(isDocument)
    .map(({ name }) => join(path, name))
    .sort();
  if (files.length === 0) throw new CommandError(`The folder ${path} has no .yaml, .yml or .json file`);
  return files;
}

function unreadable(path: string, cause: unknown): never {
  const code = errorCode(cause);
  const why =
    code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it is not for you to read' : errorMessage(cause);
  const isMisnamed = code === 'ENOENT' && path.includes('\ufffd');
  throw new CommandError(`Cannot read ${path}: ${isMisnamed ? 'its name is no UTF-8; rename it' : why}`, { cause });
}

async function textOf(input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString();
}
