import { shorten } from './issue.js';

/** Longest cron expression, characters. A list that names every value of every field is longer, and has a shorter form. */
const LIMIT_CHARACTERS = 255;

const MONTHS = 'january|february|march|april|may|june|july|august|september|october|november|december';
const SHORT_MONTHS = 'jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec';
const DAYS = 'sunday|monday|tuesday|wednesday|thursday|friday|saturday|sun|mon|tue|wed|thu|fri|sat';

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Words that stand for numbers. */
  readonly words?: RegExp;
  /** What one item of a list may be besides a number, a range and a star. */
  readonly special?: RegExp;
}

const FIELDS: readonly Field[] = [
  { name: 'second', from: 0, to: 59 },
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  // L: the last day; L-3: three days before it; 15W, LW: the working day nearest to it.
  { name: 'day of the month', from: 1, to: 31, special: /^(\?|l|lw|l-([12]?\d|30)|([12]?\d|3[01])w)$/i },
  { name: 'month', from: 1, to: 12, words: new RegExp(`^(${MONTHS}|${SHORT_MONTHS})$`, 'i') },
  // 5L: the last Friday of the month; 5#2: its second one.
  { name: 'weekday', from: 0, to: 7, words: new RegExp(`^(${DAYS})$`, 'i'), special: /^(\?|[0-7]l|[0-7]#[1-5])$/i },
];

const NICKNAME = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i;

/**
 * Returns why a text is not a cron expression of five or six fields, `five` of five; undefined when it is one. Libraries expand every
 * range before they check its bounds, so that one long number takes all memory: nothing may reach them that this
 * refuses. Takes time in proportion to the limit of length, whatever the text is. Pure.
 */
export function cronIssue(text: string, fields: 'five' | 'five or six' = 'five or six'): string | undefined {
  if (text.length > LIMIT_CHARACTERS) {
    return `Too long for a cron expression: ${text.length} characters, at most ${LIMIT_CHARACTERS}`;
  }
  if (NICKNAME.test(text.trim())) return undefined;
  const parts = text.trim().split(/ +/);
  if (parts.length < 5 || parts.length > 6) {
    return `"${shorten(text)}" is no cron expression: expected ${fields} fields, such as 0 4 * * *`;
  }
  if (parts.length === 6 && fields === 'five') {
    return `Nothing begins between two minutes: five fields, without seconds, such as ${shorten(parts.slice(1).join(' '))}`;
  }
  const expected = FIELDS.slice(FIELDS.length - parts.length);
  const wrong = expected.findIndex((field, at) => !(parts[at] ?? '').split(',').every((item) => fits(item, field)));
  const field = expected[wrong];
  if (field) {
    return `"${shorten(parts[wrong] ?? '')}" is no ${field.name} of a cron expression: they go from ${field.from} to ${field.to}`;
  }
  const [days = '', months = ''] = parts.slice(-3);
  return hasSuchDay(days, months) ? undefined : 'No month has such a day';
}

/** Days of each month, in a leap year. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Tells whether one of the months has one of the days. */
function hasSuchDay(days: string, months: string): boolean {
  const firsts = days.split(',').map((item) => {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?(?:\/\d+)?$/.exec(item) ?? [];
    return from === undefined || Number(from) > Number(to) ? 1 : Number(from); // stars, words and what goes over the end
  });
  const first = Math.min(...firsts);
  const lengths = months.split(',').map((item) => {
    const month = monthOf(item);
    return month === undefined ? 31 : (MONTH_DAYS[month - 1] ?? 31);
  });
  return lengths.some((length) => first <= length);
}

/** The month that an item of a list names; undefined for several. Two months in a row have one of 31 days, but for steps. */
function monthOf(item: string): number | undefined {
  if (/^\d+$/.test(item)) return Number(item);
  const at = SHORT_NAMES.indexOf(item.slice(0, 3).toLowerCase());
  return at >= 0 && /^[a-z]+$/i.test(item) ? at + 1 : undefined;
}
const SHORT_NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function fits(item: string, field: Field): boolean {
  if (field.special?.test(item)) return true;
  const [, from, to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/([1-9]\d?))?$/.exec(item) ?? [];
  if (from === undefined) return false;
  if (from === '*') return to === undefined;
  // A step belongs to a star or a range.
  return isValue(from, field) && (to === undefined ? step === undefined : isValue(to, field));
}

const isValue = (text: string, { from, to, words }: Field): boolean =>
  words?.test(text) === true || (/^\d{1,2}$/.test(text) && Number(text) >= from && Number(text) <= to);

/** Returns the cron expression of `window(CRON)` in `spec.reboot`; undefined for its other words. Pure. */
export const windowCron = (reboot: string | undefined): string | undefined =>
  /^window\((.*)\)$/.exec(reboot ?? '')?.[1];

/** Returns why a text is no time zone; undefined when it is one. Pure. */
export function timeZoneIssue(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    return `"${shorten(name)}" is no time zone: expected one such as Europe/Berlin or UTC`;
  }
}
