/** Returns an error's message, without its causes; anything else that was thrown, as text. Pure. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the error itself; anything else that was thrown is wrapped in one. Pure. */
export const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/**
 * Returns the sentence for people: an error and its causes, outermost first. A cause that the message contains already
 * is left out. Pure.
 */
export function messageWithCauses(error: unknown): string {
  let text = errorMessage(error);
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause)) {
    const message = errorMessage(cause);
    if (!text.includes(message)) text = `${text}: ${message}`;
  }
  return text;
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);

/** Returns the code of a system error, such as ENOENT; undefined for anything else. Pure. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Tells whether it is a system error with one of these codes. Pure. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && codes.includes(code);
}

/** Tells whether nothing has that path: the name does not exist, or what should be a folder above it is none. Pure. */
export const isMissing = (error: unknown): boolean => hasCode(error, 'ENOENT', 'ENOTDIR');
