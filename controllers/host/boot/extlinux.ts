import { type Line, LineEdit, splitLines } from './lines.js';
import { BootFileError, type BootValues, type DesiredValues } from './values.js';

/** The settings of an extlinux.conf: the device tree, and CPUs that the scheduler leaves alone. */
export const EXTLINUX_KEYS: readonly string[] = ['isolcpus', 'fdt'];

/** A line with a directive; comments and blank lines have none. */
interface Directive {
  readonly at: number;
  readonly name: string;
  readonly value: string;
  /** Everything before the value. */
  readonly lead: string;
}

/** The entry that is booted by default. */
interface Entry {
  readonly lines: readonly Line[];
  readonly directives: readonly Directive[];
  readonly append: Directive;
}

/** Reads `isolcpus` and `fdt` of the default entry (docs/reference/host.md §4.2). Pure; throws `BootFileError` when there is none. */
export function readExtlinux(text: string): BootValues {
  const entry = defaultEntry(text);
  const fdt = lastOf(entry.directives, 'FDT')?.value;
  const isolcpus = tokenValue(entry.append.value.split(' '), 'isolcpus');
  return { ...(isolcpus === undefined ? {} : { isolcpus }), ...(fdt ? { fdt } : {}) };
}

/** Returns the file with the wanted values in the default entry; every other line and option stays. Pure. */
export function editExtlinux(text: string, wanted: DesiredValues): string {
  const entry = defaultEntry(text);
  const now = readExtlinux(text);
  const edit = new LineEdit(entry.lines);
  if ('isolcpus' in wanted && wanted.isolcpus !== now.isolcpus) {
    const tokens = withToken(entry.append.value.split(' '), 'isolcpus', textOf(wanted.isolcpus));
    edit.replace(entry.append.at, directiveLine(entry.append, tokens.join(' ')));
  }
  if ('fdt' in wanted && (wanted.fdt || undefined) !== now.fdt) editFdt(entry, edit, textOf(wanted.fdt));
  return edit.render();
}

function editFdt({ lines, directives, append }: Entry, edit: LineEdit, fdt: string | undefined): void {
  const last = lastOf(directives, 'FDT');
  for (const { at } of directives.filter(({ name }) => name === 'FDT')) edit.replace(at);
  if (!fdt) return;
  if (last) edit.replace(last.at, directiveLine(last, fdt));
  else {
    const indent = /^\s*/.exec(lines[append.at]?.text ?? '')?.[0] ?? '';
    edit.insertBefore(append.at, `${indent}FDT ${fdt}`);
  }
}

function defaultEntry(text: string): Entry {
  const lines = splitLines(text);
  const globals: Directive[] = [];
  const entries = new Map<string, Directive[]>();
  let current = globals;
  for (const directive of lines.flatMap(directiveOf)) {
    if (directive.name === 'LABEL') {
      current = [];
      entries.set(directive.value, current);
    } else current.push(directive);
  }
  const label = lastOf(globals, 'DEFAULT')?.value;
  if (label === undefined) throw new BootFileError('Cannot find default entry for extlinux.conf file');
  const directives = entries.get(label);
  if (!directives) throw new BootFileError(`Cannot find label entry (label: ${label}) for extlinux.conf file`);
  const append = lastOf(directives, 'APPEND');
  if (!append) throw new BootFileError(`Cannot find APPEND in the entry ${label} of extlinux.conf file`);
  return { lines, directives, append };
}

function directiveOf({ text }: Line, at: number): readonly Directive[] {
  const [, lead, name, value] = /^(\s*(\w+)(?:\s|$))(.*)$/.exec(text) ?? [];
  if (lead === undefined || name === undefined || value === undefined) return [];
  return [{ at, name: name.toUpperCase(), value, lead }];
}

/** Returns the same directive with another value; one without a value gets a blank before it. */
const directiveLine = ({ lead }: Directive, value: string): string =>
  value === '' || /\s$/.test(lead) ? lead + value : `${lead} ${value}`;

const lastOf = (directives: readonly Directive[], name: string): Directive | undefined =>
  directives.filter((directive) => directive.name === name).at(-1);

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];

const isToken = (token: string, key: string): boolean => token === key || token.startsWith(`${key}=`);

/** Returns the value of a kernel option; the first of a name counts, a name alone is an empty value. Pure. */
export function tokenValue(tokens: readonly string[], key: string): string | undefined {
  const token = tokens.find((one) => isToken(one, key));
  return token?.slice(key.length + 1);
}

/** Returns the command line with that option in its place, at the end when it is new, or without it. Pure. */
export function withToken(tokens: readonly string[], key: string, value: string | undefined): readonly string[] {
  const place = tokens.findIndex((one) => isToken(one, key));
  const token = value === undefined ? [] : [value === '' ? key : `${key}=${value}`];
  const others = (list: readonly string[]): readonly string[] => list.filter((one) => !isToken(one, key));
  if (place < 0) {
    const trimmed = tokens.join(' ').trimEnd();
    return [...(trimmed === '' ? [] : trimmed.split(' ')), ...token];
  }
  return [...others(tokens.slice(0, place)), ...token, ...others(tokens.slice(place))];
}
