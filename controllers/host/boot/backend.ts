import { parseMap, type Values } from '../../../crds/model/maps.js';
import { editConfigTxt, isListKey, readConfigTxt, settledConfigTxt } from './config-txt.js';
import { editConfigfs, parseTables, readConfigfs } from './configfs.js';
import { EXTLINUX_KEYS, editExtlinux, readExtlinux } from './extlinux.js';
import { EXTRA_UENV_KEYS, editExtraUEnv, readExtraUEnv } from './extra-uenv.js';
import { odmdataByte } from './odmdata.js';
import { editPowerAndFan, POWER_AND_FAN_KEYS, readPowerAndFan } from './power-and-fan.js';
import { normalizeSplash, splashPicture } from './splash.js';
import {
  BootFileError,
  type BootValue,
  BootValueError,
  type BootValues,
  type DesiredValues,
  listText,
  parseList,
} from './values.js';

/** Properties by which boot files of a device are chosen. */
export interface BootDevice {
  /** Device type, such as `raspberrypi4-64`. */
  readonly deviceType: string;
  /** META_BALENA_VERSION of the host's os-release; undefined when unknown. */
  readonly metaVersion: string | undefined;
}

/**
 * One kind of boot file: which devices have it, which variables it holds, and how its text is read and changed. Pure:
 * `text` is the content of its file (undefined: there is none); reading and writing files is done elsewhere.
 */
export interface BootBackend {
  /** Name for people. */
  readonly name: BootBackendName;
  matches(device: BootDevice): boolean;
  /** Without the file the device does not have this backend. */
  readonly needsFile: boolean;
  /** Returns the key of a variable, if this backend has it. */
  keyOf(variable: string): string | undefined;
  variableOf(key: string): string;
  /** Throws `BootFileError` for a text that cannot be parsed. */
  read(text: string | undefined): BootValues;
  /** Returns the text with the wanted values of those keys; everything else stays. */
  edit(text: string | undefined, wanted: DesiredValues): string;
  /** Converts a variable's value to what the file will contain; undefined when that is nothing. Throws `BootValueError`. */
  parseValue(key: string, text: string): BootValue | undefined;
  renderValue(value: BootValue): string;
  /** Returns why a key may not be changed. */
  refusal(key: string): string | undefined;
  /** Adds what has to be present on that device to what is wanted. */
  required(device: BootDevice, wanted: DesiredValues, now: BootValues): DesiredValues;
  /** Tells whether a change of that key takes effect only with the next boot. */
  needsReboot(key: string): boolean;
}

export type BootBackendName =
  | 'extlinux.conf'
  | 'extra_uEnv.txt'
  | 'config.txt'
  | 'configfs.json'
  | 'ODMDATA'
  | 'splash image'
  | 'power and fan';

type Shape = Pick<BootBackend, 'name' | 'matches' | 'keyOf' | 'variableOf' | 'read' | 'edit'> & Partial<BootBackend>;

const backend = (shape: Shape): BootBackend => ({
  needsFile: false,
  parseValue: (_, text) => text,
  renderValue: (value) => (typeof value === 'string' ? value : listText(value)),
  refusal: () => undefined,
  required: (_, wanted) => wanted,
  needsReboot: () => true,
  ...shape,
});

const prefixed = (prefix: string): Pick<BootBackend, 'keyOf' | 'variableOf'> => ({
  keyOf: (variable) => (variable.startsWith(prefix) ? variable.slice(prefix.length) || undefined : undefined),
  variableOf: (key) => prefix + key,
});

const RASPBERRY: readonly string[] = [
  ...['fincm3', 'rt-rpi-300', '243390-rpi3', 'nebra-hnt'],
  ...['revpi-connect', 'revpi-connect-s', 'revpi-core-3', 'revpi-connect-4'],
];
/** Keys of the boot loader itself: with a wrong value the device does not start. */
const FORBIDDEN: readonly string[] = [
  ...['disable_commandline_tags', 'cmdline', 'kernel', 'kernel_address', 'kernel_old', 'ramfsfile', 'ramfsaddr'],
  ...['initramfs', 'device_tree_address', 'init_emmc_clock', 'avoid_safe_mode'],
];
const blacklisted = (key: string): string => `Attempt to change blacklisted config value ${key}`;
/** The overlay without which a balenaFin does not work. */
const FIN_OVERLAY = 'balena-fin';
const CONFIG = prefixed('HOST_CONFIG_');

const configTxt = backend({
  name: 'config.txt',
  matches: ({ deviceType }) => deviceType.startsWith('raspberry') || RASPBERRY.includes(deviceType),
  ...CONFIG,
  keyOf: (variable) => {
    const key = CONFIG.keyOf(variable);
    return key === undefined || POWER_AND_FAN_KEYS.includes(key) ? undefined : key;
  },
  read: (text) => readConfigTxt(text ?? ''),
  edit: (text, wanted) => editConfigTxt(text ?? '', wanted),
  parseValue(key, text) {
    if (!/^\w[\w:.-]*$/.test(key)) throw new BootValueError('Not a name that a config.txt can hold');
    oneLine(text);
    if (!isListKey(key)) return text;
    const list = parseList(text);
    list.forEach(oneLine);
    return settledConfigTxt(key, list);
  },
  refusal: (key) => (FORBIDDEN.includes(key) ? blacklisted(key) : undefined),
  required({ deviceType }, wanted, now) {
    if (deviceType !== 'fincm3') return wanted;
    const overlays = listOf('dtoverlay' in wanted ? wanted.dtoverlay : now.dtoverlay);
    const isThere = overlays.some((overlay) => overlay.split(',')[0] === FIN_OVERLAY);
    return isThere ? wanted : { ...wanted, dtoverlay: [...overlays, FIN_OVERLAY] };
  },
});

const extlinuxKeys = {
  parseValue(key: string, text: string): string | undefined {
    if (key === 'fdt') {
      if (text === '') return undefined;
      if (/^\S+$/.test(text)) return text;
      throw new BootValueError('Expected the path of a device tree, without blanks');
    }
    if (/^[^\s=]*$/.test(text)) return text;
    throw new BootValueError('Expected CPUs such as 1,2 or 0-3, without blanks and =');
  },
  refusal: (keys: readonly string[]) => (key: string) => (keys.includes(key) ? undefined : blacklisted(key)),
};

const extlinux = backend({
  name: 'extlinux.conf',
  // From balenaOS 2.47.0 on those devices read extra_uEnv.txt instead. A pre-release comes before its release.
  matches: ({ deviceType, metaVersion }) => deviceType.startsWith('jetson-') && isBefore(metaVersion, [2, 47, 0]),
  ...prefixed('HOST_EXTLINUX_'),
  read: (text) => readExtlinux(existing(text)),
  edit: (text, wanted) => editExtlinux(existing(text), wanted),
  parseValue: extlinuxKeys.parseValue,
  refusal: extlinuxKeys.refusal(EXTLINUX_KEYS),
});

const extraUEnv = backend({
  name: 'extra_uEnv.txt',
  matches: ({ deviceType }) =>
    /(?:-nano|-nano-emmc|-nano-2gb-devkit|-tx2)$|-tx2-nx|-agx-orin-|-orin-nx-|-orin-nano-|imx8mm-var-som|imx8mm?-var-dart|^iot-gate-imx8plus(?:-d1d8)?$/.test(
      deviceType,
    ),
  needsFile: true,
  ...prefixed('HOST_EXTLINUX_'),
  read: (text) => readExtraUEnv(text ?? ''),
  edit: (text, wanted) => editExtraUEnv(text ?? '', wanted),
  parseValue: extlinuxKeys.parseValue,
  refusal: extlinuxKeys.refusal(EXTRA_UENV_KEYS),
});

const configfs = backend({
  name: 'configfs.json',
  matches: ({ deviceType }) => deviceType === 'up-board',
  ...only('HOST_CONFIGFS_ssdt', 'ssdt'),
  read: (text) => readConfigfs(text ?? ''),
  edit: (text, wanted) => editConfigfs(text ?? '', wanted),
  parseValue(_, text) {
    const names = parseTables(text);
    if (names.every((name) => /^[\w.-]+$/.test(name) && !name.startsWith('.')))
      return names.length === 0 ? undefined : names;
    throw new BootValueError('Expected names of ACPI tables: letters, digits, _ . -');
  },
});

const odmdata = backend({
  name: 'ODMDATA',
  matches: ({ deviceType }) => deviceType.endsWith('-tx2'),
  ...only('HOST_ODMDATA_configuration', 'configuration'),
  read: (text): BootValues => (text === undefined ? {} : { configuration: text }),
  // There is always a mode: one that is not declared any more stays.
  required: (_, wanted): DesiredValues => (wanted.configuration === undefined ? {} : wanted),
  edit: (text, { configuration }) => (typeof configuration === 'string' ? configuration : (text ?? '')),
  parseValue(_, text) {
    if (odmdataByte(text.trim()) !== undefined) return text.trim();
    throw new BootValueError('Expected a mode from 1 to 6');
  },
});

const splash = backend({
  name: 'splash image',
  matches: () => true,
  keyOf: (variable) => (/^HOST_SPLASH_image$/i.test(variable) ? 'image' : undefined),
  variableOf: () => 'HOST_SPLASH_image',
  read: (text): BootValues => (text === undefined ? {} : { image: text }),
  edit: (_, { image }) => (typeof image === 'string' ? image : ''),
  parseValue(_, text) {
    splashPicture(text);
    return normalizeSplash(text) || undefined;
  },
});

const powerAndFan = backend({
  name: 'power and fan',
  matches: ({ deviceType }) => deviceType.includes('-orin-'),
  ...CONFIG,
  keyOf: (variable) => POWER_AND_FAN_KEYS.find((key) => variable === `HOST_CONFIG_${key}`),
  read: (text) => readPowerAndFan(osOf(text)),
  edit: (text, wanted) => JSON.stringify({ ...fieldsOf(text), os: editPowerAndFan(osOf(text), wanted) }),
  needsReboot: (key) => key === 'power_mode',
});

/** In the order in which they are tried. */
export const BOOT_BACKENDS: readonly BootBackend[] = [
  extlinux,
  extraUEnv,
  configTxt,
  configfs,
  odmdata,
  splash,
  powerAndFan,
];

function only(variable: string, key: string): Pick<BootBackend, 'keyOf' | 'variableOf'> {
  return { keyOf: (name) => (name === variable ? key : undefined), variableOf: () => variable };
}

function oneLine(text: string): void {
  if (/[\r\n\0]/.test(text)) throw new BootValueError('Expected one line');
}

function existing(text: string | undefined): string {
  if (text === undefined) throw new BootFileError('Could not find extlinux file. Device is possibly bricked');
  return text;
}

const listOf = (value: BootValue | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Compares the numbers of a version; a suffix after a dash comes before the version itself. An unknown version is never before. */
function isBefore(version: string | undefined, limit: readonly number[]): boolean {
  const [, major, minor, patch, pre] = /^(\d+)\.(\d+)\.(\d+)(-)?/.exec(version ?? '') ?? [];
  if (major === undefined) return false;
  const numbers = [major, minor, patch].map(Number);
  const at = numbers.findIndex((number, index) => number !== limit[index]);
  return at < 0 ? pre !== undefined : (numbers[at] ?? 0) < (limit[at] ?? 0);
}

function fieldsOf(text: string | undefined): Values {
  const fields = text === undefined ? {} : parseMap(text);
  if (!fields) throw new BootFileError('config.json of the boot partition is not a JSON object; it was left as it is');
  return fields;
}

const osOf = (text: string | undefined): unknown => fieldsOf(text).os;
