/** Begins the sequences of `styleText`: colours and weights, which are harmless whoever wrote them. */
const ESCAPE = '\u001b';
const STYLES = /^\[(?:1|2|22|3[1-6]|39)m$/;

/**
 * Shows control characters instead of obeying them: names, commit subjects and output come from others, and a terminal
 * does what they say. Characters that turn the direction of text make one text look like another, so they are shown
 * too. Line ends and tabs stay, and with `hasStyles` our own styles. What can stand unescaped within quotes in JSON and
 * YAML is written as both read it, so that a document that is shown stays one. Pure.
 */
export const visible = (text: string, hasStyles: boolean): string =>
  text.replace(/\p{Cc}\[[0-9;]*m|(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, (found) =>
    hasStyles && found.startsWith(ESCAPE) && STYLES.test(found.slice(1))
      ? found
      : found.replace(/\p{Cc}|\p{Bidi_Control}/gu, escaped),
  );

/** JSON knows `\u009b` and no `\x9b`. Its own writers leave nothing below a blank unescaped. */
const escaped = (one: string): string => {
  const code = one.charCodeAt(0);
  return code < 0x20 ? escapedByte(code) : `\\u${code.toString(16).padStart(4, '0')}`;
};

const escapedByte = (code: number): string => `\\x${code.toString(16).padStart(2, '0')}`;

/** One character of UTF-8 in more than one byte (RFC 3629, 4), or an invalid byte. */
const UTF8 =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** Returns the name of a file as text, with bytes that are not UTF-8 written out: `caf\xe9.yaml`. Pure. */
export const visibleName = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(UTF8, (found) =>
      found.length > 1 ? Buffer.from(found, 'latin1').toString() : escapedByte(found.charCodeAt(0)),
    );
