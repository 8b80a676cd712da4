/** What is a number as text. */
export const INTEGER_TEXT = '^-?[0-9]+\\.?0*$';
const INTEGER = new RegExp(INTEGER_TEXT);

/** A number in a path or a body as the Supervisor reads it: `12`, `"12"`, `"12.0"`. Undefined for anything else. Pure. */
export function integerOf(value: unknown): number | undefined {
  const text = Array.isArray(value) && value.length === 1 ? String(value[0]) : String(value);
  return INTEGER.test(text) ? Number(text) : undefined;
}

/** `force`, `cancel`, `all`, `follow`: true for true, 1, "1", "true", "on" in any case; false for all else. Pure. */
export const booleanOf = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === 'string' && /^(?:1|true|on)$/i.test(value));

/** A `serviceName`: a text that says something. Undefined for anything else, as for the texts that other languages make of nothing. Pure. */
export const nameOf = (value: unknown): string | undefined =>
  typeof value === 'string' && !['', 'null', 'undefined'].includes(value) ? value : undefined;

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
/** The spellings that a boolean parameter below `/apis` may have: those of Go (strconv.ParseBool), and none at all. */
export const BOOLEAN_TEXT = `^(?:${[...TRUE, ...FALSE].join('|')})?$`;

/** What a boolean parameter below `/apis` says, which `BOOLEAN_TEXT` matches. One without a value says yes, as in Kubernetes. Pure. */
export const isTrue = (value: string | undefined): boolean =>
  value === '' || (value !== undefined && TRUE.includes(value));
