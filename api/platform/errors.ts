/** What an error says, without its causes; anything else that was thrown, as text. Pure. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error itself; anything else that was thrown, wrapped in one. Pure. */
export const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The sentence for people: an error and its causes, outermost first. A cause that has been told already is not told again. Pure. */
export function messageWithCauses(error: unknown): string {
  let text = errorMessage(error);
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause)) {
    const message = errorMessage(cause);
    if (!text.includes(message)) text = `${text}: ${message}`;
  }
  return text;
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);

/** The code of an error of the system, such as ENOENT; undefined for anything else. Pure. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Whether it is an error of the system with one of these codes. Pure. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && codes.includes(code);
}

/** Nothing has that path: there is no such name, or what should be a folder above it is none. Pure. */
export const isMissing = (error: unknown): boolean => hasCode(error, 'ENOENT', 'ENOTDIR');
