import { type Line, LineEdit, splitLines } from './lines.js';
import { type BootValue, type BootValues, type DesiredValues, sameValue } from './values.js';

/** Keys that may have several lines, one element on each. */
const LISTS: readonly string[] = ['dtparam', 'dtoverlay', 'device_tree_param', 'device_tree_overlay', 'gpio'];
/** Parameters of the base device tree, wherever they are. Every other one belongs to the overlay before it. */
const BASE_PARAMS: readonly string[] = [
  ...['audio', 'spi', 'i2c', 'i2c_arm', 'i2c_vc'],
  ...['i2c_baudrate', 'i2c_arm_baudrate', 'i2c_vc_baudrate'],
];

export const isListKey = (key: string): boolean => LISTS.includes(key);

/**
 * The owner of a `dtparam`: the base, the base that an empty `dtoverlay` opened again (listed last), an overlay by its
 * line, or `conditional` in a section that we leave alone.
 */
type ParamOwner = 'base' | 'reopened' | 'conditional' | number;

/** The meaning of a line. Lines of conditional sections, comments, sections and includes are `other`: never ours. */
type Meaning =
  | { readonly is: 'other' }
  | { readonly is: 'value'; readonly key: string; readonly value: string }
  | { readonly is: 'overlay'; readonly name: string; readonly params: readonly string[] }
  | { readonly is: 'params'; readonly params: readonly { readonly text: string; readonly owner: ParamOwner }[] };

interface ConfigTxt {
  readonly lines: readonly Line[];
  readonly meanings: readonly Meaning[];
  /** By line: it is in a section such as `[pi4]`, or begins one. */
  readonly conditional: readonly boolean[];
  /** By line: the owner that a parameter of unknown name has there. */
  readonly owners: readonly ParamOwner[];
}

const OTHER: Meaning = { is: 'other' };
const paramName = (param: string): string => param.split('=')[0] ?? param;
const isBaseParam = (param: string): boolean => BASE_PARAMS.includes(paramName(param));
const paramsOf = (text: string): readonly string[] => text.split(',').filter((param) => param !== '');

function parse(text: string): ConfigTxt {
  const lines = splitLines(text);
  const meanings: Meaning[] = [];
  const conditional: boolean[] = [];
  const owners: ParamOwner[] = [];
  let isConditional = false;
  let owner: ParamOwner = 'base';
  for (const [at, line] of lines.entries()) {
    owners.push(owner);
    const section = /^\s*\[([^\]]*)\]/.exec(line.text)?.[1];
    if (section !== undefined) isConditional = section.trim() !== 'all';
    conditional.push(isConditional);
    const one: Meaning = section === undefined ? meaningOf(line.text, owner) : OTHER;
    if (one.is === 'overlay') owner = ownerAfter(owner, one.name, isConditional, at);
    meanings.push(isConditional ? OTHER : one);
  }
  return { lines, meanings, conditional, owners };
}

/** An empty `dtoverlay` reopens the base. */
function ownerAfter(before: ParamOwner, overlay: string, isConditional: boolean, at: number): ParamOwner {
  if (isConditional) return before === 'base' && overlay === '' ? 'base' : 'conditional';
  return overlay === '' ? 'reopened' : at;
}

function meaningOf(text: string, owner: ParamOwner): Meaning {
  if (/^\s*(?:#|$)/.test(text)) return OTHER;
  const initramfs = /^initramfs (.*)$/.exec(text)?.[1];
  if (initramfs !== undefined) return { is: 'value', key: 'initramfs', value: initramfs };
  const equals = text.indexOf('=');
  if (equals < 0) return OTHER;
  const key = text.slice(0, equals);
  const value = text.slice(equals + 1);
  if (key === 'dtoverlay') {
    const [name = '', ...params] = value.split(',');
    return { is: 'overlay', name, params: params.filter((param) => param !== '') };
  }
  if (key !== 'dtparam') return { is: 'value', key, value };
  const params = paramsOf(value).map((param) => ({
    text: param,
    owner: isBaseParam(param) ? ('base' as const) : owner,
  }));
  return params.length === 0 ? OTHER : { is: 'params', params };
}

/**
 * Reads a config.txt, whatever the board: sections such as `[pi4]` are left out. Of a key that occurs twice the last
 * counts. Parameters are returned with their owner, as `dtoverlay` and `dtparam` (docs/reference/host.md §4.1). Pure.
 */
export const readConfigTxt = (text: string): BootValues => valuesOf(parse(text));

function valuesOf({ meanings }: ConfigTxt): BootValues {
  const values = new Map<string, string | string[]>();
  const overlays = new Map<number, string[]>();
  const reopened: string[] = [];
  const add = (key: string, element: string): void => {
    const before = values.get(key);
    if (Array.isArray(before)) before.push(element);
    else values.set(key, [element]);
  };
  for (const [at, one] of meanings.entries()) {
    if (one.is === 'value') {
      if (isListKey(one.key)) add(one.key, one.value);
      else values.set(one.key, one.value);
    } else if (one.is === 'overlay' && one.name !== '') {
      overlays.set(at, [one.name, ...one.params]);
    } else if (one.is === 'params') {
      for (const { text, owner } of one.params) {
        if (owner === 'base') add('dtparam', text);
        else if (owner === 'reopened') reopened.push(text);
        else if (owner !== 'conditional') overlays.get(owner)?.push(text);
      }
    }
  }
  for (const param of reopened) add('dtparam', param);
  for (const parts of overlays.values()) add('dtoverlay', parts.join(','));
  return Object.fromEntries(values);
}

/** Returns a value as the file would contain it: parameters one by one, overlays without a name left out. Pure. */
export function settledConfigTxt(key: string, value: BootValue | undefined): BootValue | undefined {
  if (value === undefined || !isListKey(key)) return value;
  const list = (typeof value === 'string' ? [value] : value).flatMap((element) => {
    if (key === 'dtparam') return paramsOf(element);
    if (key !== 'dtoverlay') return [element];
    const [name = '', ...params] = element.split(',');
    return name === '' ? [] : [[name, ...params.filter((param) => param !== '')].join(',')];
  });
  return list.length === 0 ? undefined : list;
}

/**
 * Returns the file with the wanted values of those keys. All other lines stay: comments, sections and their order. New
 * lines go to the end, overlays last; behind a conditional section they begin with `[all]`. Without a change the text
 * stays the same. Pure.
 */
export function editConfigTxt(text: string, wanted: DesiredValues): string {
  const file = parse(text);
  const now = valuesOf(file);
  const changed = Object.entries(wanted)
    .map(([key, value]) => [key, settledConfigTxt(key, value)] as const)
    .filter(([key, value]) => !sameValue(now[key], value));
  const edit = new LineEdit(file.lines);
  const fresh: string[] = [];
  const overlays: string[] = [];
  const touchesOverlays = changed.some(([key]) => key === 'dtoverlay');
  const touchesParams = changed.some(([key]) => key === 'dtparam');
  if (touchesOverlays || touchesParams) dropParams(file, edit, { touchesOverlays, touchesParams });
  for (const [key, value] of changed) {
    if (key === 'dtoverlay') overlays.push(...listOf(value).flatMap(overlayLines));
    else if (key === 'dtparam') fresh.push(...placeParams(file, edit, listOf(value)));
    else fresh.push(...placeValue(file, edit, key, value));
  }
  const tail = [...fresh, ...overlays];
  if (tail.length > 0) edit.append(...(file.conditional.at(-1) ? ['[all]'] : []), ...tail);
  return edit.render();
}

const listOf = (value: BootValue | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

const valueLine = (key: string, value: string): string =>
  key === 'initramfs' ? `initramfs ${value}` : `${key}=${value}`;

/** Replaces the line that counts and removes the others; returns the lines of a key that the file does not have. */
function placeValue(file: ConfigTxt, edit: LineEdit, key: string, value: BootValue | undefined): readonly string[] {
  const places = file.meanings.flatMap((one, at) => (one.is === 'value' && one.key === key ? [at] : []));
  const lines = listOf(value).map((element) => valueLine(key, element));
  const place = isListKey(key) ? places[0] : places.at(-1);
  for (const at of places) edit.replace(at, ...(at === place ? lines : []));
  return place === undefined ? lines : [];
}

/**
 * Returns one line for each parameter, to stay below the firmware's limit of a line's length; a single line when the
 * base would take one of them.
 */
function overlayLines(overlay: string): readonly string[] {
  const [name = '', ...params] = overlay.split(',');
  if (params.some(isBaseParam)) return [`dtoverlay=${overlay}`];
  return [`dtoverlay=${name}`, ...params.map((param) => `dtparam=${param}`)];
}

/** Removes rewritten parameters from their lines, and overlays with them. */
function dropParams(
  file: ConfigTxt,
  edit: LineEdit,
  { touchesOverlays, touchesParams }: { readonly touchesOverlays: boolean; readonly touchesParams: boolean },
): void {
  for (const [at, one] of file.meanings.entries()) {
    if (one.is === 'overlay' && one.name !== '' && touchesOverlays) edit.replace(at);
    if (one.is !== 'params') continue;
    const kept = one.params.filter(({ owner }) => {
      if (owner === 'conditional') return true;
      return typeof owner === 'number' ? !touchesOverlays : !touchesParams;
    });
    if (kept.length === one.params.length) continue;
    edit.replace(at, ...(kept.length === 0 ? [] : [`dtparam=${kept.map((param) => param.text).join(',')}`]));
  }
}

/** Places parameters of the base where no overlay takes them: where they were, else before the first overlay. */
function placeParams(file: ConfigTxt, edit: LineEdit, params: readonly string[]): readonly string[] {
  const lines = params.map((param) => `dtparam=${param}`);
  const before = file.meanings.findIndex(
    (one, at) => one.is === 'params' && file.owners[at] === 'base' && one.params.some(({ owner }) => owner === 'base'),
  );
  const overlay = file.lines.findIndex(({ text }) => text.startsWith('dtoverlay='));
  if (before < 0 && overlay < 0) return lines;
  edit.insertBefore(before >= 0 ? before : unconditionalBefore(file, overlay), ...lines);
  return [];
}

/** Returns the last place before a line at which no section is open. */
function unconditionalBefore({ conditional }: ConfigTxt, at: number): number {
  let place = at;
  while (place > 0 && conditional[place - 1]) place -= 1;
  return place;
}
