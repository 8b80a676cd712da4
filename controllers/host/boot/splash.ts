import { BootValueError } from './values.js';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PREFIX = 'data:image/png;base64,';

/** Returns an image as the variable has it: a data URL without parameters; blank is none. Pure. */
export function normalizeSplash(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const [, type, data] = /^data:([^;,]*)(?:;[^,]*?)?;base64,(.*)$/s.exec(trimmed) ?? [];
  return data === undefined ? `${PREFIX}${trimmed}` : `data:${type};base64,${data}`;
}

/** Returns the picture of a variable; undefined for none. Pure; throws for anything but a PNG. */
export function splashPicture(text: string): Buffer | undefined {
  const url = normalizeSplash(text);
  if (url === '') return undefined;
  const bytes = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  if (bytes.subarray(0, PNG.length).equals(PNG)) return bytes;
  throw new BootValueError('Expected a PNG picture in base64');
}

export const splashVariable = (picture: Uint8Array): string => PREFIX + Buffer.from(picture).toString('base64');
