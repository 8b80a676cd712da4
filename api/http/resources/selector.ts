import { ResourceError } from '../transport/kubernetes-status.js';

type Labels = Readonly<Record<string, string>>;

// Characters of a label's key and value. Everything else that has a meaning for Kubernetes is refused, and not read as
// a key.
const KEY = '[\\w./-]+';
const VALUE = '[^\\s!=<>(),]*';
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const ITEM = new RegExp(`^${VALUE}$`);
const EQUALITY = new RegExp(`^(${KEY})\\s*(==?|!=)\\s*(${VALUE})$`);
const COMPARISON = new RegExp(`^(${KEY})\\s*([<>])\\s*([+-]?\\d+)$`);
const PRESENCE = new RegExp(`^(!?)\\s*(${KEY})$`);

/**
 * Parses a label selector: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x,y)`, `a>1`, `a<1`, `a`, `!a`; a comma is
 * "and". Pure; throws a 400.
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  const terms = parts.filter((part) => part !== '').map(labelTerm);
  return (labels) => terms.every((matches) => matches(labels));
}

function labelTerm(text: string): (labels: Labels) => boolean {
  const set = SET.exec(text);
  if (set) {
    const [, key = '', word, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    if (!values.every((value) => ITEM.test(value))) throw unparsable(text);
    return (labels) => values.includes(labels[key] ?? '\0') === (word === 'in');
  }
  const equality = EQUALITY.exec(text);
  if (equality) {
    const [, key = '', sign, value] = equality;
    return (labels) => (labels[key] === value) === (sign !== '!=');
  }
  const comparison = COMPARISON.exec(text);
  if (comparison) {
    const [, key = '', sign, bound] = comparison;
    return (labels) => {
      const value = labels[key];
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      return sign === '>' ? Number(value) > Number(bound) : Number(value) < Number(bound);
    };
  }
  const presence = PRESENCE.exec(text);
  if (!presence) throw unparsable(text);
  const [, not, key = ''] = presence;
  return (labels) => Object.hasOwn(labels, key) === (not === '');
}

const unparsable = (text: string): Error => ResourceError.badRequest(`unable to parse the label selector "${text}"`);

/**
 * Parses a field selector: `metadata.name=x,involvedObject.kind!=y`. An empty value matches a missing field, as kubectl
 * expects. Pure; throws a 400 for a field that is not served.
 */
export function parseFieldSelector(
  text: string,
  fields: readonly string[],
): (field: (name: string) => string | undefined) => boolean {
  const terms = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const match = /^\s*([\w.]+)\s*(==?|!=)\s*(.*?)\s*$/.exec(part);
      const [, name = '', sign, value = ''] = match ?? [];
      if (!match || !fields.includes(name)) {
        throw ResourceError.badRequest(`field selector "${part}" is not supported: use ${fields.join(', ')}`);
      }
      return { name, equal: sign !== '!=', value };
    });
  return (field) => terms.every(({ name, equal, value }) => ((field(name) ?? '') === value) === equal);
}
