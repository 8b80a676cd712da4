/** Pattern of a number as text. */
export const INTEGER_TEXT = '^-?[0-9]+\\.?0*$';
const INTEGER = new RegExp(INTEGER_TEXT);

/** Reads a number in a path or a body as the Supervisor does: `12`, `"12"`, `"12.0"`. Undefined for anything else. Pure. */
export function integerOf(value: unknown): number | undefined {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof one !== 'string' && typeof one !== 'number') return undefined;
  const text = String(one);
  return INTEGER.test(text) ? Number(text) : undefined;
}

/** Reads `force`, `cancel`, `all`, `follow`: true for true, 1, "1", "true", "on" in any case; false for everything else. Pure. */
export const booleanOf = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === 'string' && /^(?:1|true|on)$/i.test(value));

/** Reads a `serviceName`. Undefined for anything but a text, and for what other languages write for nothing. Pure. */
export const nameOf = (value: unknown): string | undefined =>
  typeof value === 'string' && !['', 'null', 'undefined'].includes(value) ? value : undefined;

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
/** Pattern of a boolean parameter below `/apis`: Go's spellings (strconv.ParseBool), or empty. */
export const BOOLEAN_TEXT = `^(?:${[...TRUE, ...FALSE].join('|')})?$`;

/** Reads a boolean parameter below `/apis` that `BOOLEAN_TEXT` matches. One without a value is true, as in Kubernetes. Pure. */
export const isTrue = (value: string | undefined): boolean =>
  value === '' || (value !== undefined && TRUE.includes(value));
