import { tokenValue, withToken } from './extlinux.js';
import { LineEdit, splitLines } from './lines.js';
import type { BootValues, DesiredValues } from './values.js';

export const EXTRA_UENV_KEYS: readonly string[] = ['isolcpus', 'fdt'];

const FDT = 'custom_fdt_file';
const CMDLINE = 'extra_os_cmdline';

interface Assignment {
  readonly at: number;
  readonly name: string;
  readonly value: string;
  readonly lead: string;
}

/** Reads `isolcpus` and `fdt` of an extra_uEnv.txt (docs/reference/host.md §4.3); comments do not count. Pure. */
export function readExtraUEnv(text: string): BootValues {
  const assignments = assignmentsOf(text);
  const fdt = assignments.find(({ name }) => name === FDT)?.value;
  const cmdline = assignments.find(({ name }) => name === CMDLINE)?.value;
  const isolcpus = cmdline === undefined ? undefined : tokenValue(cmdline.split(' '), 'isolcpus');
  return { ...(fdt === undefined ? {} : { fdt }), ...(isolcpus === undefined ? {} : { isolcpus }) };
}

/** Returns the file with the wanted values; every other line, and every other option of the command line, stays. Pure. */
export function editExtraUEnv(text: string, wanted: DesiredValues): string {
  const now = readExtraUEnv(text);
  const assignments = assignmentsOf(text);
  const edit = new LineEdit(splitLines(text));
  const place = (name: string, value: string | undefined): void => {
    const [first, ...others] = assignments.filter((one) => one.name === name);
    for (const { at } of others) edit.replace(at);
    if (first) edit.replace(first.at, ...(value === undefined ? [] : [`${first.lead}${value}`]));
    else if (value !== undefined) edit.append(`${name}=${value}`);
  };
  if ('fdt' in wanted && wanted.fdt !== now.fdt) place(FDT, textOf(wanted.fdt));
  if ('isolcpus' in wanted && wanted.isolcpus !== now.isolcpus) {
    const cmdline = assignments.find(({ name }) => name === CMDLINE)?.value ?? '';
    const tokens = withToken(cmdline === '' ? [] : cmdline.split(' '), 'isolcpus', textOf(wanted.isolcpus));
    place(CMDLINE, tokens.length === 0 ? undefined : tokens.join(' '));
  }
  return edit.render();
}

const assignmentsOf = (text: string): readonly Assignment[] =>
  splitLines(text).flatMap((line, at) => {
    const [, lead, name, value] = /^(\s*(\w+)=)(.*)$/.exec(line.text) ?? [];
    return lead === undefined || name === undefined || value === undefined ? [] : [{ at, name, value, lead }];
  });

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.[0];
