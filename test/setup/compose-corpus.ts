import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { type Converted, convertProject } from '../../api/sources/compose/convert.js';
import { parseDocument } from '../../crds/schema/parse.js';

/** Files of real projects, beside the repository: they have licences of their own, so they are not in it. */
export const CORPUS = new URL('../../../shared/corpus/compose/', import.meta.url).pathname;

/** A Compose file of the corpus. */
export interface CorpusFile {
  /** Its path in the corpus. */
  readonly file: string;
  /** What Docker Compose's loader said: it `loads`, perhaps with missing files of variables made. */
  readonly composeGo: string;
}

/** A file of the corpus, converted as somebody does who has made what it wants. */
export interface ConvertedFile extends Converted {
  /** Files that had to be made, by path: `.env` from the example beside it, files of variables without a line. */
  readonly made: ReadonlyMap<string, string>;
  /** Variables without which the file is refused. */
  readonly variables: ReadonlyMap<string, string>;
}

export const hasCorpus = (): boolean => existsSync(join(CORPUS, 'manifest.json'));

export const allFiles = (): readonly CorpusFile[] =>
  JSON.parse(readFileSync(join(CORPUS, 'manifest.json'), 'utf8')) as readonly CorpusFile[];

/** Returns the files that Docker Compose's loader loads. */
export const loadedFiles = (): readonly CorpusFile[] =>
  allFiles().filter(({ composeGo }) => composeGo.startsWith('loads'));

const EXAMPLES = ['.env.example', 'example.env', 'env.example', '.env.sample', '.env.dist', '.env.template'];

/** Converts a file of the corpus, or of a copy of it in another folder. Variables that it must have are `1`. */
export async function convertFile(
  { file }: Pick<CorpusFile, 'file'>,
  root = CORPUS,
  variables: ReadonlyMap<string, string> = new Map(),
): Promise<ConvertedFile> {
  const folder = join(root, dirname(file));
  const made = new Map<string, string>();
  const textOf = (path: string): string | undefined =>
    existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
  const example = EXAMPLES.map((name) => textOf(join(folder, name))).find((text) => text !== undefined);
  const make = (path: string): string | undefined => {
    if (/\.ya?ml$/.test(path) || EXAMPLES.includes(basename(path))) return undefined;
    const text = path === join(folder, '.env') ? (example ?? '') : '';
    made.set(relative(root, path), text);
    return text;
  };
  const options = { folder, files: [basename(file)], variables, home: '/root' };
  const readFile = async (path: string) => ({ text: textOf(path) ?? make(path) });
  const converted = await convertProject({ ...options, readFile }, parseDocument);
  const required = converted.problems.flatMap(({ message }) =>
    [...message.matchAll(/(\w+) is not set/g)].map(([, name = '']) => name),
  );
  if (required.length === 0 || variables.size > 0) return { ...converted, made, variables };
  return convertFile({ file }, root, new Map(required.map((name) => [name, '1'])));
}
