/** The value of a key in a boot file: one text, or a list of them. */
export type BootValue = string | readonly string[];
export type BootValues = Readonly<Record<string, BootValue>>;
/** Desired values by key; undefined: the key should not exist. Keys that are not named are not ours. */
export type DesiredValues = Readonly<Record<string, BootValue | undefined>>;

/** A boot file cannot be parsed, and is left as it is. */
export class BootFileError extends Error {
  override readonly name = 'BootFileError';
}

/** A variable's value cannot be written to the file. */
export class BootValueError extends Error {
  override readonly name = 'BootValueError';
}

/** Writes a list as the text of a variable: JSON without its brackets. Pure. */
export const listText = (list: readonly string[]): string => list.map((element) => JSON.stringify(element)).join(',');

/**
 * Reads a list from a variable's text: JSON without its brackets when it begins with a quote, otherwise the whole text
 * is the only element, commas and all. Pure; throws `BootValueError`.
 */
export function parseList(text: string): readonly string[] {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"')) return [trimmed];
  try {
    const list: unknown = JSON.parse(`[${trimmed}]`);
    if (Array.isArray(list) && list.every((element) => typeof element === 'string')) return list;
  } catch {
    // thrown below
  }
  throw new BootValueError('Expected texts in double quotes, separated by commas: "a=on","b=2"');
}

/** Compares lists or texts; absent equals an empty list. Pure. */
export const sameValue = (a: BootValue | undefined, b: BootValue | undefined): boolean =>
  JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
