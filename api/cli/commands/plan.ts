import type { Plan, PlannedAction } from '../../../crds/model/plan.js';
import type { Session } from '../client/session.js';
import { EXIT } from '../failure.js';
import { checkBinds, readWritten, type Written } from '../files.js';
import type { Io } from '../format/io.js';
import { placeText } from '../format/places.js';
import { tableLines } from '../format/table.js';
import { bytesText } from '../format/words.js';
import { PLAN_PATH } from '../kind-words.js';
import { bodyOf } from './apply.js';

export interface PlanOptions {
  readonly filename?: readonly string[];
  readonly output?: 'table' | 'json';
}

/**
 * `supercargo plan`: prints what would be done on the device, and changes nothing. Without files: what is due now. Returns
 * 2 when something would be done, 1 when something would be refused or the plan is not complete.
 */
export async function plan(session: Session, { filename = [], output }: PlanOptions): Promise<number> {
  const { io, json } = session;
  const written = filename.length === 0 ? [] : await readWritten(filename, io);
  await checkBinds(session, written);
  const client = await session.client();
  const made = await client.ask<Plan>('POST', PLAN_PATH, { documents: written.map(bodyOf) });
  if (json || output === 'json') io.out(JSON.stringify(made));
  else io.out(...planLines(made, io, written));
  if (made.refused.length > 0 || !made.complete) return EXIT.failed;
  return made.actions.length > 0 ? EXIT.differs : EXIT.done;
}

/** Returns a plan for people; what is refused of the documents that were written has their place. Pure. */
export function planLines(
  { actions, refused, waits, notes, downloadBytes, complete }: Plan,
  { style }: Pick<Io, 'style'>,
  written: readonly Written[] = [],
): readonly string[] {
  const placeOf = (object: string, field = ''): string => {
    const found = written.find(({ kind, name }) => `${kind}/${name}` === object);
    return found ? ` (${placeText(found.locate(field))})` : '';
  };
  const rows = actions.flatMap((one) => {
    const [first = '', ...rest] = one.because;
    const row = [one.action, one.object, detailOf(one), first];
    return [row, ...rest.map((reason) => ['', '', '', reason])];
  });
  const passed = waits.filter((one) => one.passed);
  const left = waits.filter((one) => !one.passed);
  return [
    ...(rows.length > 0 ? tableLines(['ACTION', 'OBJECT', 'COSTS', 'BECAUSE'], rows) : ['Nothing would be done.']),
    ...(downloadBytes === undefined ? [] : ['', `Downloads ${bytesText(downloadBytes)} at most.`]),
    ...section(
      'Waits on the way',
      passed.map(({ object, reason, message }) => `${object} ${reason}: ${message}`),
    ),
    ...section(
      'Waits in the end',
      left.map(({ object, reason, message }) => `${object} ${reason}: ${message}`),
    ),
    ...section(
      style('red', 'Refused'),
      refused.map(
        ({ object, field, message }) =>
          `${object}: ${field === undefined ? '' : `${field}: `}${message}${placeOf(object, field)}`,
      ),
    ),
    ...section('Note', notes),
    ...(complete ? [] : ['', 'The rehearsal did not come to rest in time: more may follow.']),
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];

/** Returns the size of a download, or for how long a service is down. */
function detailOf({ bytes, downtimeSeconds }: PlannedAction): string {
  if (bytes !== undefined) return bytesText(bytes);
  if (downtimeSeconds === undefined) return '';
  return downtimeSeconds === 0 ? 'no downtime' : `about ${downtimeSeconds} s down`;
}
