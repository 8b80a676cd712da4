import { expandReferences } from '../references.js';
import type { Entry, Findings, Node, Place, Scalar } from './node.js';

/** The variables of a project, or of a part of it that is included. */
export interface Variables {
  get(name: string): string | undefined;
  /** Words about where a variable could be set, such as `.env.example has it`; undefined: nothing is known. */
  hint(name: string): string | undefined;
  /** Tells whether the value is a secret, which is only for the environment of services. */
  isSecret?(name: string): boolean;
}

/** Largest number of characters that variables may insert into one file. */
const LIMIT_INSERTED = 1024 * 1024;

/**
 * Returns the value with the variables in its texts filled in; names are left as they are. A variable that is not set is
 * empty, with one warning for each file; a secret where it would be seen is a problem. Pure but for `findings`.
 */
export function interpolate(node: Node, variables: Variables, findings: Findings): Node {
  let inserted = 0;
  const lookUp = (at: Place, path: Path, name: string): string | undefined => {
    if (variables.isSecret?.(name) && !isEnvironment(path)) {
      if (isLeftOut(path)) return ''; // where an alias names it, it is filled in once more
      findings.problem(at, `\${${name}} is a secret, and those are only for the environment of services`);
      return '';
    }
    const value = variables.get(name);
    inserted += value?.length ?? 0;
    if (inserted > LIMIT_INSERTED) return '';
    if (value) findings.fillIn(at, name, value);
    return value;
  };

  function walk(one: Node, path: Path): Node {
    if (one.is === 'list') return { ...one, items: one.items.map((item) => walk(item, path)) };
    if (one.is === 'map') {
      const entries = [...one.entries].map(([name, { at, node: inner }]): [string, Entry] => [
        name,
        { at, node: walk(inner, [...path, name]) },
      ]);
      return { ...one, entries: new Map(entries) };
    }
    return one.type === 'text' && one.text.includes('$') ? fillIn(one, path) : one;
  }

  function fillIn(scalar: Scalar, path: Path): Scalar {
    const unset = new Set<string>();
    const text = expandReferences(
      scalar.text,
      (name) => lookUp(scalar.at, path, name),
      (issue) => {
        switch (issue.is) {
          case 'unset':
            unset.add(issue.name);
            findings.warnOnce(
              scalar.at,
              `unset ${issue.name}`,
              `${notSet(issue.name, variables)}; it is taken as empty`,
            );
            break;
          case 'required': {
            const why = issue.message === '' ? '' : `: ${issue.message}`;
            findings.problem(scalar.at, `${notSet(issue.name, variables)}, and the file requires it${why}`);
            break;
          }
          default:
            findings.problem(
              scalar.at,
              `A reference ${issue.is === 'unclosed' ? '${… has no end' : '${…} names no variable'}; write $$ for a dollar sign`,
            );
        }
      },
    );
    if (inserted > LIMIT_INSERTED)
      findings.problem(scalar.at, 'Variables stand for more than 1 MiB of text in this file');
    return { ...scalar, text, value: text, ...(unset.size > 0 ? { unset: [...unset] } : {}) };
  }
  return walk(node, []);
}

/** Names of the maps that a value is in. */
type Path = readonly string[];

/** Tells whether nothing of it comes into a document: it holds what aliases name elsewhere. */
const isLeftOut = (path: Path): boolean => path.some((name) => name.startsWith('x-') && name !== 'x-supercargo');

const isEnvironment = ([section, , field]: Path): boolean => section === 'services' && field === 'environment';

/** Says that a variable is not set, and where it could be. Pure. */
export function notSet(name: string, variables: Variables): string {
  const hint = variables.hint(name);
  return `${name} is not set${hint === undefined ? '' : ` (${hint})`}`;
}
