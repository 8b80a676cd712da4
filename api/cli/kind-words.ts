import { descriptorOf, KINDS, type Kind, PLURALS } from '../../crds/model/kinds.js';
import { NAME, NAME_RULE } from '../../crds/model/names.js';
import { nearest } from '../../crds/schema/nearest.js';
import { usageError } from './failure.js';

/** Returns every word for a kind: `App`, `app`, `apps`, `scapp`. Pure. */
export function wordsOf(kind: Kind): readonly string[] {
  const { singular, plural, shortNames } = descriptorOf(kind);
  return [singular, plural, ...shortNames];
}

/** Returns the kind that a word stands for. Pure; throws with a suggestion. */
export function kindOf(word: string): Kind {
  const lower = word.toLowerCase();
  const kind = KINDS.find((one) => wordsOf(one).includes(lower));
  if (kind) return kind;
  const meant = nearest(lower, KINDS.flatMap(wordsOf));
  throw usageError(
    `There is no kind "${word}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    `Kinds are ${KINDS.map((one) => one.toLowerCase()).join(', ')}`,
  );
}

/** Kinds that `all` begins with; then those of its category. */
const FIRST: readonly Kind[] = ['App', 'Service'];
const ALL = [...FIRST, ...KINDS.filter((kind) => !FIRST.includes(kind))].filter((kind) =>
  descriptorOf(kind).categories.includes('all'),
);

/** Reads `apps`, `apps,services`, `all`. Pure. */
export const kindsOf = (words: string): readonly Kind[] => (words === 'all' ? ALL : words.split(',').map(kindOf));

export interface Subject {
  readonly kind: Kind;
  readonly name: string;
}

/**
 * Returns a document by its kind and name. Pure; throws for a name that no document can have. Such a name never gets
 * into an address, where `..` has a meaning.
 */
export function subject(kind: Kind, name: string): Subject {
  if (!NAME.test(name)) throw usageError(`${JSON.stringify(name)} is not a name`, `In names, ${NAME_RULE}`);
  return { kind, name };
}

/** Reads `app/hello`. Pure; a word without a slash is a name of the given kind. */
export function subjectOf(text: string, otherwise?: Kind): Subject {
  const slash = text.indexOf('/');
  if (slash > 0 && slash < text.length - 1) return subject(kindOf(text.slice(0, slash)), text.slice(slash + 1));
  if (slash < 0 && otherwise !== undefined) return subject(otherwise, text);
  throw usageError(`"${text}" names nothing`, 'Expected KIND/NAME, such as app/hello');
}

/** Returns `app/hello`. Pure. */
export const subjectText = ({ kind, name }: Subject): string => `${kind.toLowerCase()}/${name}`;

/** Path of the resource API. */
export const GROUP_PATH = '/apis/supercargo.io/v1';
export const collectionPath = (kind: Kind): string => `${GROUP_PATH}/${PLURALS[kind]}`;
/** Returns the path of a document. Throws for a name that no document can have. Pure. */
export const objectPath = ({ kind, name }: Subject): string => `${collectionPath(kind)}/${subject(kind, name).name}`;

/** Reads `APP` or `APP/SERVICE`. Pure. */
export function partOf(word: string): { readonly app: string; readonly service?: string } {
  const [app = '', service, ...more] = word.split('/');
  if (app === '' || service === '' || more.length > 0)
    throw usageError(`"${word}" names nothing`, 'Expected APP or APP/SERVICE');
  const odd = [app, service ?? app].find((name) => !NAME.test(name));
  if (odd !== undefined) throw usageError(`${JSON.stringify(odd)} is not a name`, `In names, ${NAME_RULE}`);
  return { app, ...(service === undefined ? {} : { service }) };
}

/** Where the agent says what it would do. */
export const PLAN_PATH = '/apis/supercargo.io/v1/plan';
