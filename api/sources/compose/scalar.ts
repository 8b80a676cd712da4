import type { Scalar } from './node.js';

const WORDS: Readonly<Record<string, boolean | null>> = {
  ...{ '': null, '~': null, null: null, Null: null, NULL: null },
  ...{ true: true, True: true, TRUE: true, false: false, False: false, FALSE: false },
};
const INTEGER = /^([-+]?)(?:(0)_*([0-7_]+)|0x([\da-f_]+)|0o([0-7_]+)|0b([01_]+)|(\d[\d_]*))$/i;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const DATE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?[ \t]*(Z|[-+]\d{1,2}(?::\d{2})?)?)?$/;
const LARGEST = { signed: 2n ** 63n, unsigned: 2n ** 64n - 1n };

/**
 * Returns what a scalar without quotes means to Compose, whose YAML has octal numbers (`0777`), `1_000` and dates, but
 * takes `yes` and `no` as texts. Integers of 64 bits keep every digit in `text`. Pure. (gopkg.in/yaml.v3, resolve.go.)
 */
export function plainScalar(source: string): Pick<Scalar, 'type' | 'value' | 'text'> {
  if (Object.hasOwn(WORDS, source)) {
    const value = WORDS[source] ?? null;
    return value === null ? { type: 'null', value, text: '' } : { type: 'boolean', value, text: String(value) };
  }
  const integer = /^[-+\d]/.test(source) ? integerOf(source) : undefined;
  if (integer !== undefined) return { type: 'integer', value: Number(integer), text: String(integer) };
  const digits = source.replaceAll('_', '');
  if (/^[-+.\d]/.test(source) && FLOAT.test(digits)) {
    const value = Number(digits);
    return { type: 'float', value, text: floatText(value) };
  }
  const time = DATE.test(source) ? timeText(source) : undefined;
  if (time !== undefined) return { type: 'time', value: source, text: time };
  return { type: 'text', value: source, text: source };
}

function integerOf(source: string): bigint | undefined {
  const [matched, sign, zero, old, hexadecimal, octal, binary, decimal] = INTEGER.exec(source) ?? [];
  if (matched === undefined) return undefined;
  const digits = (text: string): string => text.replaceAll('_', '');
  const prefixed =
    zero !== undefined && old !== undefined
      ? `0o${digits(old)}`
      : hexadecimal !== undefined
        ? `0x${digits(hexadecimal)}`
        : octal !== undefined
          ? `0o${digits(octal)}`
          : binary !== undefined
            ? `0b${digits(binary)}`
            : digits(decimal ?? '');
  if (/^0\d/.test(prefixed)) return undefined; // 08 is no octal number
  if (/^(0[xob])?$/.test(prefixed)) return prefixed === '' ? undefined : 0n;
  const size = BigInt(prefixed);
  const value = sign === '-' ? -size : size;
  return value >= -LARGEST.signed && value <= LARGEST.unsigned ? value : undefined;
}

/** Prints a number as Go's `%v` does: `1.5`, `1e+06`. Pure. (strconv/ftoa.go.) */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  if (Number(exponent) >= -4 && Number(exponent) < 6) return String(value);
  return `${digits}e${exponent.replace(/^([-+])(\d)$/, '$10$2')}`;
}

/** Prints a time as Go does, `2020-01-01 00:00:00 +0000 UTC`; undefined for a day that is in no calendar. Pure. */
function timeText(source: string): string | undefined {
  const [, year = '', month = '', day = '', hours = '0', minutes = '0', seconds = '0', fraction = '', zone = 'Z'] =
    DATE.exec(source) ?? [];
  const two = (text: string): string => text.padStart(2, '0');
  const date = new Date(`${year}-${two(month)}-${two(day)}T${two(hours)}:${two(minutes)}:${two(seconds)}Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return undefined;
  const shown =
    zone === 'Z' ? '+0000 UTC' : `${zone.replace(':', '').padEnd(5, '0')} ${zone.replace(':', '').padEnd(5, '0')}`;
  const rest = fraction.replace(/0+$/, '').replace(/^\.$/, '');
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}${rest} ${shown}`;
}
