import { Document, isScalar, visit } from 'yaml';
import { isMap, type Values } from '../../../crds/model/maps.js';
import { visible } from '../../platform/visible.js';
import { plainScalar } from './scalar.js';

/**
 * Writes a Compose file whose texts are read as they are, by every Compose: what YAML of any version could take for
 * something else is in quotes, and so is what a terminal would obey and is therefore printed as an escape. Pure.
 */
export function composeYaml(value: unknown): string {
  const document = new Document(value, { version: '1.2', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && isAmbiguous(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
    Collection(_, collection) {
      // A list of plain texts, such as the words of a command, is one line.
      const items: readonly unknown[] = collection.items;
      if (items.length === 0 || items.every((item) => isScalar(item) && String(item.value).length <= 40))
        collection.flow = items.length <= 8;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Returns a file with the dollar signs of its texts doubled; names of fields have no variables. */
export const escaped = (value: Values): Values =>
  Object.fromEntries(Object.entries(value).map(([name, one]) => [name, escapedValue(one)]));

function escapedValue(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escapedValue);
  return isMap(value) ? escaped(value) : value;
}

/** Words that YAML 1.1 takes for true or false, or for a merge; numbers to the base of 60, dates, versions; control characters. */
const isAmbiguous = (text: string): boolean =>
  visible(text, false) !== text ||
  plainScalar(text).type !== 'text' ||
  /^(y|n|yes|no|on|off|<<|=)$/i.test(text) ||
  /^[\d:._/+-]+$/.test(text);
