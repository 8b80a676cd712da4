import { errorMessage } from './errors.js';

/** A text is refused before it is parsed, because it contains too much. */
export class TooMuchJson extends Error {
  override readonly name = 'TooMuchJson';
}

export interface JsonLimits {
  /** Deepest nesting of lists and maps, which also limits recursion over the value. */
  readonly depth: number;
  /** Members of all lists and maps together. */
  readonly values: number;
}

/** A device's whole target state has some thousand values. Thirty thousand cost 30 ms and 6 MB. */
const JSON_LIMITS: JsonLimits = { depth: 100, values: 30_000 };

/**
 * Parses a text of others like `JSON.parse`. Counts depth and values in the text first, in one cheap pass, because a
 * text of a few MB can contain millions of values. Throws `TooMuchJson`, or a `SyntaxError`. Pure.
 */
export function parseJsonWithin(text: string, limits: JsonLimits = JSON_LIMITS): unknown {
  const excess = excessOf(text, limits);
  if (excess !== undefined) throw new TooMuchJson(excess);
  return JSON.parse(text);
}

/** Parses a text that may hold secrets: its `SyntaxError` says where, and shows nothing of it. Pure. */
export function parsePrivateJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes what is around the mistake.
    const at = / in JSON at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(errorMessage(error))?.[1];
    throw new SyntaxError(at === undefined ? 'it is not JSON' : `it is not JSON (at character ${Number(at) + 1})`);
  }
}

/** Returns why the text exceeds the limits; undefined when it does not, or is not JSON. Pure. */
function excessOf(text: string, { depth, values }: JsonLimits): string | undefined {
  let open = 0;
  let seen = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        open += 1;
        seen += 1;
        if (open > depth) return `The JSON is nested too deeply: at most ${depth} levels`;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        open -= 1;
        break;
      case 0x2c: // ,
        seen += 1;
        break;
    }
    if (seen > values) return `The JSON holds too many values: at most ${values}`;
  }
  return undefined;
}

/** Returns where the string that begins there ends; the end of the text when it does not. Pure. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
