import { basename, dirname, join, resolve } from 'node:path';
import type { Source } from '../../../crds/model/kinds.js';
import { parseDotenv } from '../dotenv.js';
import { COMPOSE_FILES, OVERRIDE_FILES } from './compose-files.js';
import { interpolate, type Variables } from './interpolate.js';
import { mergeNodes, withoutResets } from './merge.js';
import { child, type Entry, Findings, isNull, type Mapping, mapOf, type Node, type Place, shownNode } from './node.js';
import { parseCompose } from './parse.js';
import { FOREIGN, isForeign } from './policy.js';

/** What came of reading a file. */
export type FileAnswer =
  | { readonly text: string }
  /** Undefined: there is no such file. */
  | { readonly text: undefined; readonly why?: string };

/** What is known of the contents of a secret or a config. */
export type ContentAnswer =
  /** Changes with the contents; undefined: nobody looks after this file. */
  | { readonly isThere: true; readonly digest: string | undefined }
  /** Nothing can be mounted; `why`: another reason than that there is no such file. */
  | { readonly isThere: false; readonly why?: string };

/** What a service mounts. */
export interface Wanted {
  /** The project's name. */
  readonly project: string;
  /** It is written relative to the file that names it. */
  readonly isRelative: boolean;
  /** The service may write there. */
  readonly isWritable: boolean;
  /** It must be there: nothing is made in its place. */
  readonly mustExist: boolean;
}

/** Where something is that a service mounts. */
export type Placed =
  | {
      readonly isThere: true;
      /** Its path on the device. */
      readonly source: string;
      /** Changes with what is there; undefined: only services write it, and the engine makes it. */
      readonly digest?: string;
      readonly warning?: string;
    }
  | { readonly isThere: false; readonly why: string };

export interface ComposeOptions {
  /** The project's folder, absolute: relative paths start there. */
  readonly folder: string;
  /** Reads a file, given its absolute path; links are the reader's to follow or to refuse. */
  readonly readFile: (path: string) => Promise<FileAnswer>;
  /**
   * Tells about the contents of a secret or a config, given its absolute path: one that is missing is a problem then, and
   * other contents are another App. Left out where the files of the device cannot be seen.
   */
  readonly lookAt?: (path: string) => Promise<ContentAnswer>;
  /** The Compose files, relative to the folder, instead of those that Compose would choose. */
  readonly files?: readonly string[];
  /** Variables that go before those of `.env`. Never the environment of a process. */
  readonly variables?: ReadonlyMap<string, string>;
  /** Variables that count where `.env` has none. Secrets are only for the environment of services, and not seen by `.env`. */
  readonly fallback?: { readonly plain: ReadonlyMap<string, string>; readonly secret: ReadonlyMap<string, string> };
  /**
   * Says where something below the folder is that a service mounts, when it is not on the disk where it is written.
   * Undefined: it is. Left out: everything is.
   */
  readonly place?: (path: string, wanted: Wanted) => Placed | undefined;
  /** What `~` and HOME stand for. */
  readonly home?: string;
  /** The project's name unless `.env` or the file says another; the folder's when left out. */
  readonly name?: string;
  /** Returns a path as people are to see it. */
  readonly shown?: (path: string) => string;
}

/** A project as its files say it together, before fields are read. */
export interface Loaded {
  readonly name: string | undefined;
  readonly root: Mapping | undefined;
  readonly variables: Variables;
  readonly findings: Findings;
  /** The Compose files themselves, absolute: those that are named or chosen. */
  readonly composeFiles: readonly string[];
  /** All that were read as Compose files, also because another one includes or extends them, absolute. */
  readonly parsedFiles: ReadonlySet<string>;
  /** Every file that was read or looked for, absolute: a change of one may change the project. */
  readonly files: ReadonlySet<string>;
}

/** The variables of a file, and of those that include it. */
interface Scope extends Variables {
  /** Returns a variable of the files and of the project itself. */
  declared(name: string): string | undefined;
}

/** Files that are never read for values, and only named in a hint. */
const EXAMPLES = [
  '.env.example',
  'example.env',
  'env.example',
  '.env.sample',
  '.env.dist',
  '.env.template',
  '.env-example',
];
/** Largest number of files in one project: `include` and `extends` may name each other without end. */
const LIMIT_FILES = 200;
/** Largest number of services that extend each other in a row. */
const LIMIT_DEPTH = 100;
/** Largest number of characters of one file. */
const LIMIT_LENGTH = 1024 * 1024;
const SECTIONS = ['services', 'networks', 'volumes', 'secrets', 'configs', 'models'];

/** Returns a project's name as Compose writes it: lower case, only a-z, 0-9, _ and -, no _ or - first. Pure. */
export const projectName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');

/**
 * Reads all files of a project and joins them: variables are filled in with those of each file's own folder, then
 * `extends`, later files and `include` are followed. Everything keeps the place where it is written.
 */
export const loadProject = (options: ComposeOptions): Promise<Loaded> => new Loader(options).load();

class Loader {
  readonly #findings = new Findings();
  readonly #files = new Set<string>();
  readonly #parsed = new Set<string>();
  readonly #read = new Map<string, FileAnswer>();
  readonly #options: ComposeOptions;
  /** Names of variables in an example of `.env`, and the example's name. */
  readonly #examples = new Map<string, string>();
  #projectName: string | undefined;
  #includes = 0;
  /** Services with what they extend, by the file that has them. */
  readonly #extended = new WeakMap<Mapping, Map<string, Node>>();
  /** Files that are extended, by the variables that were filled in. */
  readonly #bases = new WeakMap<Variables, Map<string, Mapping | undefined>>();

  constructor(options: ComposeOptions) {
    this.#options = options;
  }

  async load(): Promise<Loaded> {
    const { folder } = this.#options;
    const variables = await this.#variablesOf(folder, [join(folder, '.env')], undefined);
    const composeFiles = await this.#choose(variables);
    await this.#readExamples(folder);
    const base = composeFiles[0] === undefined ? folder : dirname(composeFiles[0]);
    const parsed = await this.#parseAll(composeFiles, base, this.#listedAt(folder));
    this.#projectName = this.#nameOf(parsed, variables);
    const root = await this.#join(parsed, variables, []);
    return {
      ...{ name: this.#projectName, root, variables, findings: this.#findings, composeFiles },
      ...{ parsedFiles: this.#parsed, files: this.#files },
    };
  }

  #shown(path: string): string {
    return this.#options.shown?.(path) ?? path;
  }

  async #answer(path: string): Promise<FileAnswer> {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    this.#files.add(path);
    const tooMany = this.#read.size >= LIMIT_FILES;
    const answer = tooMany
      ? { text: undefined, why: `The project has more than ${LIMIT_FILES} files` }
      : withinLength(await this.#options.readFile(path), this.#shown(path));
    this.#read.set(path, answer);
    return answer;
  }

  /** Returns the variables of a folder's own files, below those that already count. */
  async #variablesOf(
    folder: string,
    envFiles: readonly string[],
    outer: Scope | undefined,
    named?: Place,
  ): Promise<Scope> {
    const own = new Map<string, string>();
    const { fallback } = this.#options;
    const declared = (name: string): string | undefined =>
      this.#options.variables?.get(name) ??
      outer?.declared(name) ??
      own.get(name) ??
      (name === 'COMPOSE_PROJECT_NAME' ? this.#projectName : undefined) ??
      (name === 'HOME' ? this.#options.home : undefined) ??
      (name === 'PWD' ? folder : undefined);
    const get = (name: string): string | undefined => declared(name) ?? fallback?.plain.get(name);
    const secret = (name: string): string | undefined =>
      get(name) === undefined ? fallback?.secret.get(name) : undefined;
    for (const file of envFiles) {
      const answer = await this.#answer(file);
      if (answer.text !== undefined) {
        for (const [name, value] of readDotenv(answer.text, this.#shown(file), get, this.#findings))
          own.set(name, value);
        this.#tellTaken(this.#shown(file), own);
      } else if (named !== undefined || answer.why !== undefined) {
        this.#findings.problem(named ?? { file: this.#shown(file) }, this.#unread(file, answer));
      }
    }
    return {
      get: (name) => get(name) ?? secret(name),
      declared,
      isSecret: (name) => secret(name) !== undefined,
      hint: (name) => this.#hint(name),
    };
  }

  /** Warns of variables that a file has before those of the source, which somebody may have wanted to count. */
  #tellTaken(file: string, own: ReadonlyMap<string, string>): void {
    const { plain, secret } = this.#options.fallback ?? {};
    for (const [name, value] of own) {
      const other = secret?.get(name) ?? plain?.get(name);
      if (other !== undefined && other !== value)
        this.#findings.warn({ file }, `${name} is set here, and that of the source does not count; leave it out here`);
    }
  }

  #unread(path: string, { why }: { readonly why?: string }): string {
    return why ?? `There is no file ${this.#shown(path)}`;
  }

  #hint(name: string): string | undefined {
    const example = this.#examples.get(name);
    return example === undefined ? undefined : `${example} beside has it: copy it to .env`;
  }

  async #readExamples(folder: string): Promise<void> {
    for (const name of EXAMPLES) {
      const { text } = withinLength(await this.#options.readFile(join(folder, name)), name);
      for (const [, variable] of (text ?? '').matchAll(/^[ \t#]*(?:export[ \t]+)?([A-Za-z_]\w*)=/gm)) {
        if (variable !== undefined && !this.#examples.has(variable)) this.#examples.set(variable, name);
      }
    }
  }

  /** Returns the paths of the Compose files: those that were named, of COMPOSE_FILE, or the first with a known name and its override. */
  async #choose(variables: Variables): Promise<readonly string[]> {
    const { folder, files } = this.#options;
    if (files !== undefined) return files.map((file) => resolve(folder, file));
    const listed = variables.get('COMPOSE_FILE');
    if (listed !== undefined && listed !== '') {
      const separator = variables.get('COMPOSE_PATH_SEPARATOR') || ':';
      return listed.split(separator).map((file) => resolve(folder, file));
    }
    const found = await this.#present(COMPOSE_FILES.map((name) => join(folder, name)));
    const [first, ...others] = found;
    if (first === undefined) {
      this.#findings.problem({ file: this.#shown(folder) }, `There is no Compose file: ${COMPOSE_FILES.join(', ')}`);
      return [];
    }
    if (others.length > 0) {
      const left = others.map((one) => basename(one)).join(', ');
      this.#findings.warn({ file: this.#shown(first) }, `Is taken; ${left} beside is left out: one name has to do`);
    }
    const [override, ...more] = await this.#present(OVERRIDE_FILES.map((name) => join(folder, name)));
    if (override !== undefined && more.length > 0) {
      const left = more.map((one) => basename(one)).join(', ');
      this.#findings.warn(
        { file: this.#shown(override) },
        `Is taken; ${left} beside is left out: one override has to do`,
      );
    }
    return override === undefined ? [first] : [first, override];
  }

  /** Returns the line of `.env` that names the Compose files. */
  #listedAt(folder: string): Source | undefined {
    const path = join(folder, '.env');
    const text = this.#read.get(path)?.text;
    if (this.#options.files !== undefined || text === undefined) return undefined;
    const index = text.split('\n').findLastIndex((line) => /^[ \t]*(?:export[ \t]+)?COMPOSE_FILE[ \t]*[=:]/.test(line));
    return index < 0 ? undefined : { file: this.#shown(path), line: index + 1 };
  }

  async #present(paths: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const path of paths) {
      const { text, ...rest } = await this.#answer(path);
      if (text !== undefined || ('why' in rest && rest.why !== undefined)) found.push(path);
    }
    return found;
  }

  /** Parses files that follow each other; a file that says nothing is left out, but for the first. */
  async #parseAll(paths: readonly string[], base: string, named?: Place | Source): Promise<readonly Mapping[]> {
    const parsed: Mapping[] = [];
    for (const [index, path] of paths.entries()) {
      const answer = await this.#answer(path);
      if (answer.text === undefined) {
        this.#findings.problem(named ?? { file: this.#shown(path) }, this.#unread(path, answer));
        continue;
      }
      parsed.push(...this.#parse(answer.text, path, base, index === 0));
    }
    return parsed;
  }

  #parse(content: string, path: string, base: string, needed: boolean): readonly Mapping[] {
    this.#parsed.add(path);
    const before = this.#findings.problems.length;
    const documents = parseCompose(content, { file: this.#shown(path), base }, this.#findings).filter(
      (node) => !isNull(node),
    );
    if (documents.length === 0 && needed && this.#findings.problems.length === before) {
      const message = 'The file is empty; to take back what it declared, delete it';
      this.#findings.problem({ file: this.#shown(path) }, message);
    }
    if (documents[0] !== undefined && isForeign(documents)) {
      this.#findings.problem(documents[0].at, FOREIGN);
      return [];
    }
    return documents.flatMap((node) => {
      if (node.is === 'map') return [node];
      this.#findings.problem(node.at, `Expected a Compose file, a map with services, found ${shownNode(node)}`);
      return [];
    });
  }

  #nameOf(parsed: readonly Mapping[], variables: Variables): string | undefined {
    const { folder, name } = this.#options;
    const written = parsed.map((root) => child(root, 'name')).findLast((node) => !isNull(node));
    const said = written && interpolate(written, variables, this.#findings);
    const chosen =
      (variables.get('COMPOSE_PROJECT_NAME') || undefined) ??
      (said?.is === 'scalar' && said.text !== '' ? said.text : undefined) ??
      name ??
      basename(folder);
    const normal = projectName(chosen);
    if (normal !== '') return normal;
    const what = chosen === '' ? 'nothing says one' : `${JSON.stringify(chosen)} has no letter and no digit`;
    const message = `The project has no name: ${what}; write name: at the top`;
    this.#findings.problem(written?.at ?? parsed[0]?.at ?? { file: this.#shown(folder) }, message);
    return undefined;
  }

  /** Joins files that follow each other, each with what it extends and includes. */
  async #join(parsed: readonly Mapping[], variables: Scope, trail: readonly string[]): Promise<Mapping | undefined> {
    let joined: Mapping | undefined;
    for (const one of parsed) {
      const filled = interpolate(one, variables, this.#findings);
      if (filled.is !== 'map') continue;
      const whole = await this.#include(await this.#extendAll(filled, variables), variables, trail);
      const merged = joined === undefined ? whole : mergeNodes(joined, whole, [], this.#findings);
      if (merged.is === 'map') joined = merged;
    }
    const clean = joined && withoutResets(joined);
    return clean?.is === 'map' ? clean : undefined;
  }

  async #extendAll(root: Mapping, variables: Variables): Promise<Mapping> {
    const services = child(root, 'services');
    if (services?.is !== 'map') return root;
    const extended: [string, Entry][] = [];
    for (const [name, entry] of services.entries) {
      const node = await this.#extend(root, name, entry.node, variables, []);
      extended.push([name, { ...entry, node }]);
    }
    const entries = new Map(root.entries);
    entries.set('services', { at: services.at, node: { ...services, entries: new Map(extended) } });
    return { ...root, entries };
  }

  /** Returns the service merged over the one that it extends; with its `extends` when that cannot be read: then nobody knows what it lacks. */
  async #extend(
    root: Mapping,
    name: string,
    service: Node,
    variables: Variables,
    trail: readonly string[],
  ): Promise<Node> {
    const known = this.#extended.get(root) ?? new Map<string, Node>();
    this.#extended.set(root, known);
    const node = known.get(name) ?? (await this.#extendAgain(root, name, service, variables, trail));
    known.set(name, node);
    return node;
  }

  async #extendAgain(
    root: Mapping,
    name: string,
    service: Node,
    variables: Variables,
    trail: readonly string[],
  ): Promise<Node> {
    const written = child(service, 'extends');
    if (service.is !== 'map' || written === undefined || isNull(written)) return service;
    const own = mapOf(
      service.at,
      [...service.entries].filter(([key]) => key !== 'extends'),
    );
    const from = written.is === 'scalar' ? written : child(written, 'service');
    const file = child(written, 'file');
    if (from?.is !== 'scalar' || from.type !== 'text' || (file !== undefined && file.is !== 'scalar')) {
      this.#findings.problem(written.at, 'Expected the name of a service, or a map with service and file');
      return service;
    }
    const path = file === undefined ? undefined : resolve(written.at.text.base, file.text);
    const step = `${path ?? root.at.text.file}\0${from.text}`;
    if (trail.includes(step) || (path === undefined && from.text === name && trail.length === 0)) {
      this.#findings.problem(written.at, `The service ${from.text} extends itself`);
      return service;
    }
    if (trail.length >= LIMIT_DEPTH) {
      this.#findings.problem(written.at, `Services extend each other more than ${LIMIT_DEPTH} times in a row`);
      return service;
    }
    const other = path === undefined ? root : await this.#extendedFile(path, variables, file?.at ?? written.at);
    if (other === undefined) return service;
    const found = child(child(other, 'services'), from.text);
    if (found === undefined) {
      const where = path === undefined ? 'this file' : this.#shown(path);
      this.#findings.problem(from.at, `There is no service ${from.text} in ${where}`);
      return service;
    }
    const base = await this.#extend(other, from.text, found, variables, [...trail, step]);
    return mergeNodes(base, own, ['services', name], this.#findings);
  }

  async #extendedFile(path: string, variables: Variables, at: Place): Promise<Mapping | undefined> {
    const known = this.#bases.get(variables) ?? new Map<string, Mapping | undefined>();
    this.#bases.set(variables, known);
    const isThere = (await this.#answer(path)).text !== undefined;
    if (!isThere || !known.has(path)) known.set(path, await this.#extendedAgain(path, variables, at));
    return known.get(path);
  }

  /** Returns a file that is extended, its paths relative to its own folder. */
  async #extendedAgain(path: string, variables: Variables, at: Place): Promise<Mapping | undefined> {
    const [first, ...others] = await this.#parseAll([path], dirname(path), at);
    const merged = others.reduce<Node | undefined>(
      (base, over) => base && mergeNodes(base, over, [], this.#findings),
      first,
    );
    const filled = merged && interpolate(merged, variables, this.#findings);
    return filled?.is === 'map' ? filled : undefined;
  }

  /** Returns the file together with those that it includes. */
  async #include(root: Mapping, variables: Scope, trail: readonly string[]): Promise<Mapping> {
    const written = child(root, 'include');
    if (written === undefined || isNull(written)) return root;
    const entries = new Map(root.entries);
    entries.delete('include');
    if (written.is !== 'list') {
      this.#findings.problem(written.at, `Expected a list of files, found ${shownNode(written)}`);
      return { ...root, entries };
    }
    for (const item of written.items) {
      const included = await this.#included(item, variables, trail);
      if (included !== undefined) this.#importInto(entries, included, item);
    }
    return { ...root, entries };
  }

  async #included(item: Node, variables: Scope, trail: readonly string[]): Promise<Mapping | undefined> {
    const { base } = item.at.text;
    const paths = pathsIn(item.is === 'map' ? child(item, 'path') : item).map((path) => resolve(base, path));
    const [first] = paths;
    if (first === undefined) {
      this.#findings.problem(item.at, 'Expected a file, or a map with path');
      return undefined;
    }
    this.#includes += 1;
    if (this.#includes > LIMIT_FILES) {
      if (this.#includes === LIMIT_FILES + 1)
        this.#findings.problem(item.at, `The project includes more than ${LIMIT_FILES} files`);
      return undefined;
    }
    if (trail.includes(first)) {
      this.#findings.problem(item.at, `The file ${this.#shown(first)} includes itself`);
      return undefined;
    }
    const [project] = pathsIn(child(item, 'project_directory'));
    const folder = project === undefined ? dirname(first) : resolve(base, project);
    const envFiles = child(item, 'env_file');
    const named = pathsIn(envFiles).map((path) => resolve(base, path));
    const own =
      envFiles === undefined
        ? await this.#variablesOf(folder, [join(folder, '.env')], variables)
        : await this.#variablesOf(folder, named, variables, envFiles.at);
    return this.#join(await this.#parseAll(paths, folder, item.at), own, [...trail, first]);
  }

  /** Adds what an included file declares; a name that is taken by something else is a problem. */
  #importInto(entries: Map<string, Entry>, included: Mapping, item: Node): void {
    for (const section of SECTIONS) {
      const theirs = child(included, section);
      if (theirs?.is !== 'map') continue;
      const ours = entries.get(section)?.node;
      const joined = new Map(ours?.is === 'map' ? ours.entries : []);
      for (const [name, entry] of theirs.entries) {
        const taken = joined.get(name);
        if (taken !== undefined && signature(taken.node) !== signature(entry.node)) {
          const message = `${section}.${name} is in ${entry.at.text.file} too, which is included; give one another name`;
          this.#findings.problem(taken.at, message);
        } else {
          joined.set(name, entry);
        }
      }
      entries.set(section, { at: item.at, node: { is: 'map', at: ours?.at ?? item.at, entries: joined } });
    }
  }
}

/** Returns the answer, without a text that is too long for a file of a project. Pure. */
export const withinLength = (answer: FileAnswer, shown: string): FileAnswer =>
  answer.text === undefined || answer.text.length <= LIMIT_LENGTH
    ? answer
    : { text: undefined, why: `The file ${shown} is larger than ${LIMIT_LENGTH / 1024 / 1024} MiB` };

/** Returns the paths that are one text or a list of them. Pure. */
function pathsIn(node: Node | undefined): readonly string[] {
  if (node === undefined) return [];
  if (node.is === 'list') return node.items.flatMap(pathsIn);
  return node.is === 'scalar' && node.type === 'text' && node.text !== '' ? [node.text] : [];
}

/** Returns a text that is the same for values that say the same. Pure. */
function signature(node: Node): string {
  if (node.is === 'scalar') return JSON.stringify([node.type, node.text]);
  if (node.is === 'list') return `[${node.items.map(signature).join()}]`;
  return `{${[...node.entries].map(([name, { node: inner }]) => `${JSON.stringify(name)}:${signature(inner)}`).join()}}`;
}

/** Reads a file of variables as Compose does. Pure but for `findings`. */
export function readDotenv(
  text: string,
  file: string,
  outer: (name: string) => string | undefined,
  findings: Findings,
): ReadonlyMap<string, string> {
  const { variables, problems, warnings } = parseDotenv(text, outer, { asCompose: true });
  for (const { line, message } of problems) findings.problem({ file, line }, `Not a file of variables: ${message}`);
  for (const { line, message } of warnings) findings.warn({ file, line }, `There is ${message}; it is taken as empty`);
  return variables;
}
