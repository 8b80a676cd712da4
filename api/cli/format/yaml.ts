import { Document, visit } from 'yaml';
import { visible } from '../../platform/visible.js';

/**
 * Returns a value as YAML that our own reader accepts. A text with characters that are printed as escapes is in double
 * quotes, where an escape means the character. Pure.
 */
export function toYaml(value: unknown): string {
  const document = new Document(value, { version: '1.2', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && visible(scalar.value, false) !== scalar.value)
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
