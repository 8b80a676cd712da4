/** Parts of a CRD that occur in others too. Each is written in one file, between `# begin:` and `# end:`. */
export const COPIED = {
  'service fields': 'service.yaml',
  'network definition': 'network.yaml',
  'volume definition': 'volume.yaml',
  'runtime status': 'service.yaml',
} as const;
export type Region = keyof typeof COPIED;
export const REGIONS = Object.keys(COPIED) as readonly Region[];

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** Returns the lines of a region's two markers. Undefined when the text does not have it. */
function findRegion(lines: readonly string[], region: Region): { begin: number; end: number } | undefined {
  const begin = lines.findIndex((line) => line.trimStart().startsWith(`# begin: ${region}`));
  if (begin < 0) return undefined;
  const end = lines.findIndex((line) => line.trim() === `# end: ${region}`);
  if (end < begin) throw new Error(`"# begin: ${region}" has no "# end: ${region}" after it`);
  return { begin, end };
}

/** Returns the lines of a region without their common indentation. Pure; throws when the text does not have it. */
export function regionOf(text: string, region: Region): readonly string[] {
  const lines = text.split('\n');
  const found = findRegion(lines, region);
  if (!found) throw new Error(`No "# begin: ${region}"`);
  const indent = indentOf(lines[found.begin] ?? '');
  return lines.slice(found.begin + 1, found.end).map((line) => line.slice(indent));
}

/** Returns the CRD files with every copied region as its own file has it, with comments and layout. Pure. */
export function withCopies(texts: Readonly<Record<string, string>>): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const [file, text] of Object.entries(texts)) {
    let lines = text.split('\n');
    for (const region of REGIONS) {
      const home = COPIED[region];
      const found = findRegion(lines, region);
      if (file === home || !found) continue;
      const pad = ' '.repeat(indentOf(lines[found.begin] ?? ''));
      const copy = regionOf(texts[home] ?? '', region).map((line) => (line === '' ? '' : pad + line));
      const marker = `${pad}# begin: ${region} (copied from ${home} by \`npm run generate\`; do not edit)`;
      lines = [...lines.slice(0, found.begin), marker, ...copy, ...lines.slice(found.end)];
    }
    filled[file] = lines.join('\n');
  }
  return filled;
}
