/** What an error says, without its causes; anything else that was thrown, as text. Pure. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error itself; anything else that was thrown, wrapped in one. Pure. */
export const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
