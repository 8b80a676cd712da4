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
