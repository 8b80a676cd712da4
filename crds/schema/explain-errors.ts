import type { ErrorObject } from 'ajv';
import { type Issue, listed, type Path, pathText, shorten } from '../model/issue.js';
import { suggestion } from './nearest.js';
import type { Schema } from './schema.js';

/** What is known about places in a kind's spec beyond its schema. */
export interface Hints {
  /** Tells whether the value at that path must not be shown. */
  isSecret(path: Path): boolean;
  /** Returns what to do instead of a value that is not among those that a field takes. */
  ofValue(path: Path, value: unknown): string | undefined;
  /** Returns where an unknown field at that path belongs instead, or why there is none. */
  ofUnknown(path: Path): string | undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list',
  map: 'a map',
  array: 'a list',
  object: 'a map',
};

/** Describes what a schema takes: `a string (duration such as 1m30s) or a number`. Pure. */
function expectation({ type, title }: Schema): string {
  const types = (typeof type === 'string' ? [type] : type).filter((one) => one !== 'null');
  const parts = title?.match(/\w+(?: \([^)]*\))?(?=, | or |$)/g);
  return listed((parts ?? types).map((part) => part.replace(/^\w+/, (word) => WORDS[word] ?? word)));
}

/** Matches what is before the last `@`, and names after `?`, `&` or `#`. */
const LOGIN = /^([a-z][a-z0-9+.-]*:\/\/)?.*@/is;
const QUERY = /([?&#][^=&#\s]*=)[^&#\s]+/g;

/** Returns the text without login data of an address: somebody may have put some where none belongs. Pure. */
const withoutLogin = (text: string): string => text.replace(LOGIN, '$1***@').replace(QUERY, '$1***');

/** Describes a value in a few words. Of a secret only its type, of an address no login data. Pure. */
export function found(value: unknown, secret = false): string {
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return secret ? 'a string' : JSON.stringify(shorten(withoutLogin(value)));
  if (secret) return `a ${typeof value}`;
  return typeof value === 'number' ? `the number ${value}` : String(value);
}

const hasType = ({ type }: Schema, wanted: string): boolean =>
  typeof type === 'string' ? type === wanted : type.includes(wanted);

function wrongType(schema: Schema, value: unknown, secret: boolean): string {
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  const fits = isScalar && hasType(schema, 'string') && new RegExp(schema.pattern ?? '', 'u').test(String(value));
  const quote = fits ? '; put it in quotes' : '';
  const advice = value === null ? '; leave it out instead' : '';
  return `Expected ${expectation(schema)}, found ${found(value, secret)}${quote}${advice}`;
}

const MANY = 12;

/** Describes an unknown field. Pure. */
export function unknownField(name: string, known: readonly string[]): string {
  const shown = JSON.stringify(shorten(name, 80));
  const meant = suggestion(name, known);
  if (meant !== '' || known.length === 0 || known.length > MANY) return `Unknown field ${shown}${meant}`;
  return `Unknown field ${shown}; known ${known.length === 1 ? 'is' : 'are'} ${listed(known, 'and')}`;
}

/** Returns the place of an error inside the value that was checked. `/a~1b/0` is `a/b`, 0. */
function stepsOf(pointer: string, root: unknown): Path {
  let value = root;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = Array.isArray(value) ? Number(name) : name;
      value = Object(value)[step];
      return step;
    });
}

/** Returns the place of an error inside `root`: that of the field itself where one is unknown or missing. Pure. */
export function placeOfError({ instancePath, params }: ErrorObject, root: unknown): Path {
  const field: unknown = params.additionalProperty ?? params.missingProperty;
  return [...stepsOf(instancePath, root), ...(field === undefined ? [] : [String(field)])];
}

/** Returns what the text of a schema means: `a duration such as 1m30s`. Pure. */
const textMeant = ({ title }: Schema): string => title?.match(/string \(([^)]*)\)/)?.[1] ?? 'another text';

/** Converts an ajv error to a sentence with its path. `base` leads to the value that was checked. Pure. */
export function explainError(error: ErrorObject, root: unknown, base: Path, hints: Hints): Issue {
  const path = [...base, ...stepsOf(error.instancePath, root)];
  const schema = error.parentSchema as unknown as Schema; // our own schemas, see toValidation
  const at = (message: string, place: Path = path): Issue => ({ path: pathText(place), message });
  const secret = hints.isSecret(path);
  const shown = found(error.data, secret);
  const { params } = error;
  switch (error.keyword) {
    case 'type':
      return at(wrongType(schema, error.data, secret));
    case 'required': {
      const name = String(params.missingProperty);
      const field = schema.properties?.[name];
      return at(`Missing${field ? `: ${expectation(field)}` : ''}`, [...path, name]);
    }
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      const hint = hints.ofUnknown([...path, name]);
      const known = Object.keys(schema.properties ?? {});
      return at(hint ? `Unknown field ${JSON.stringify(name)}; ${hint}` : unknownField(name, known), [...path, name]);
    }
    case 'enum': {
      const known = (schema.enum ?? []).flatMap((value) => (value === null ? [] : [value]));
      const meant = typeof error.data === 'string' ? suggestion(error.data, known) : '';
      const hint = hints.ofValue(path, error.data);
      return at(`Expected ${listed(known)}, found ${shown}${hint === undefined ? meant : `; ${hint}`}`);
    }
    case 'pattern':
      return at(`Expected ${textMeant(schema)}, found ${shown}`);
    case 'minLength':
      return at('Must not be empty');
    case 'maxLength':
      return at(`Too long: ${String(error.data).length} characters, at most ${params.limit}`);
    case 'minimum':
      return at(`Expected at least ${params.limit}, found ${shown}`);
    case 'maximum':
      return at(`Expected at most ${params.limit}, found ${shown}`);
    default:
      return at(`Does not fit: ${error.keyword}`);
  }
}
