import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { CommandProcess, Run } from './command.js';

/** What differs from run to run, made alike; columns keep their width. */
const ALIKE: readonly (readonly [RegExp, string])[] = [
  [/http:\/\/127\.0\.0\.1:\d+/g, 'http://AGENT'],
  [/\b[0-9a-f]{64}\b/g, '<id>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>'],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, '<time>'],
  [/(resourceVersion"?: ?)"?\d{10,}"?/g, '$1<version>'],
  [/\b\d\ds(?= {2})/g, '#s '], // inside a table: as wide as before
  [/\b\d{1,2}s(?= |$)/gm, '#s'],
  [/\bdown for \d+\.\d s\b/g, 'down for # s'],
  // which phases are seen on the way depends on the machine
  [
    /^\w+\/\S+: (?:getting its images|rolling out|waiting until everything runs|watching whether it stays well)\r?\n/gm,
    '',
  ],
  [/\/tmp\/supercargo-command-\w+/g, '<folder>'],
  [/[\w.-]+@[\w.-]+(?= \(from this device\))/g, '<user>@<host>'],
];

/**
 * Runs the commands of a transcript, the lines that begin with `$ supercargo`, and compares everything that they print:
 * standard error with `! ` in front, an exit code other than 0 as `[exit N]`. On a terminal escape sequences are
 * written out. `UPDATE_TRANSCRIPTS=1` writes what was seen.
 */
export async function follow(file: string, command: CommandProcess, run: Run): Promise<void> {
  const wanted = readFileSync(file, 'utf8');
  const steps = wanted.split('\n').filter((line) => line.startsWith('$ ') || line.startsWith('#'));
  const seen: string[] = [];
  for (const step of steps) {
    seen.push(step);
    if (step.startsWith('#')) continue;
    const { code, out, err } = await command.run(wordsOf(step.slice(2)).slice(1), run);
    seen.push(...linesOf(out, run.onTerminal ?? false), ...linesOf(err, false).map((line) => `! ${line}`));
    if (code !== 0) seen.push(`[exit ${code}]`);
    seen.push('');
  }
  const text = `${seen.join('\n').trimEnd()}\n`;
  if (process.env.UPDATE_TRANSCRIPTS === '1') writeFileSync(file, text);
  else assert.equal(text, wanted);
}

/** As transcripts keep it. Pure. */
export const alike = (text: string): string => ALIKE.reduce((all, [pattern, word]) => all.replace(pattern, word), text);

const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');

function linesOf(text: string, isTerminal: boolean): readonly string[] {
  if (text === '') return [];
  const same = alike(text);
  const shown = isTerminal ? same.replaceAll('\r\n', '\n').replaceAll('\r', '\\r').replaceAll('\u001b', '\\e') : same;
  return shown
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.trimEnd());
}
