import { readFileSync } from 'node:fs';

/** A fenced block of a Markdown page. */
export interface CodeBlock {
  readonly file: string;
  /** Of its fence, from 1. */
  readonly line: number;
  /** First word behind the fence; '' for none. */
  readonly language: string;
  /** Why a test machine cannot run it: what follows `not run:` behind the fence. */
  readonly notRun?: string;
  readonly text: string;
}

/** The fenced blocks of a page, in order. */
export function codeBlocks(file: string): readonly CodeBlock[] {
  const page = readFileSync(file, 'utf8');
  return [...page.matchAll(/^```(\w*)(?: not run: (.+))?\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = '', notRun, text = ''] = match;
    const line = page.slice(0, match.index).split('\n').length;
    return { file, line, language, text: text.trimEnd(), ...(notRun === undefined ? {} : { notRun }) };
  });
}
