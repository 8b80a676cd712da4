/** Reads the entries of a `no_proxy` file: one for each line, empty lines left out. Pure. */
export const parseNoProxy = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Writes the file for a list, without a newline at its end as the Supervisor does; empty for none. Pure. */
export const renderNoProxy = (entries: readonly string[]): string => entries.join('\n');
