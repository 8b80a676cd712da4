/** Cells under their heads, with a rule between; the columns of those indices to the right. Pure. */
export function renderColumns(
  head: readonly string[],
  cells: readonly (readonly string[])[],
  right: readonly number[] = head.map((_, column) => column).slice(1),
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) =>
        right.includes(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}
