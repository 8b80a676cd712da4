/** What `style` writes: colours and weights, which do no harm whoever wrote them. */
const ESCAPE = '\u001b';
const STYLES = /^\[(?:1|2|22|3[1-6]|39)m$/;

/**
 * A text whose control characters are shown and not obeyed: names, commit subjects and output come from others, and a
 * terminal does what they say. Controls that turn the direction of what follows make one text look like
 * another, so they are shown too. Line ends and tabs stay; so do our own styles where there are any. Pure.
 */
export const visible = (text: string, hasStyles: boolean): string =>
  text.replace(/\p{Cc}\[[0-9;]*m|(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, (found) =>
    hasStyles && found.startsWith(ESCAPE) && STYLES.test(found.slice(1))
      ? found
      : found.replace(/\p{Cc}|\p{Bidi_Control}/gu, escaped),
  );

const escaped = (one: string): string => {
  const code = one.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
};
