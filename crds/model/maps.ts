/** A map as YAML and JSON have it; its values are not checked yet. */
export type Values = Readonly<Record<string, unknown>>;

/** Tells whether a value is a map: an object, and neither null nor a list. Pure. */
export const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns the map in a JSON text; undefined for any other text. Pure. */
export function parseMap(text: string): Values | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined; // the parser's message would quote the text, keys and all
  }
}

/** Returns the text of a value as `String` does, and never throws: an object whose `toString` is data has none. Pure. */
export function stringOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return '[object Object]';
  }
}
