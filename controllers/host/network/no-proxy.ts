/** The entries of a `no_proxy` file: one for each line, empty lines left out. Pure. */
export const parseNoProxy = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** The file for a list, without a newline at its end as the Supervisor writes it; empty for none. Pure. */
export const renderNoProxy = (entries: readonly string[]): string => entries.join('\n');
