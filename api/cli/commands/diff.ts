import { withDefaults } from '../../../crds/model/defaults.js';
import { type Difference, differences, writtenParts } from '../../../crds/model/differences.js';
import type { AnyResource } from '../../../crds/model/kinds.js';
import { ApiError, type Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { EXIT } from '../failure.js';
import { checkBinds, mistakesError, readWritten, refusedPlaces, type Written } from '../files.js';
import { subjectText } from '../kind-words.js';
import { bodyOf, present, rehearsalPath, shortConflict } from './apply.js';

interface Compared {
  readonly subject: Written;
  readonly is: 'new' | 'different' | 'equal';
  readonly fields: readonly Difference[];
  /** Why it could not be applied although it is well-formed. */
  readonly note?: string;
}

/** Runs `supercargo diff`: shows what would change, field by field. Changes nothing; returns 2 when something would. */
export async function diff(session: Session, { filename }: { readonly filename: readonly string[] }): Promise<number> {
  const { io, json } = session;
  const client = await session.client();
  const mistakes: string[] = [];
  const compared: Compared[] = [];
  const written = await readWritten(filename, io);
  await checkBinds(session, written);
  for (const subject of written) {
    try {
      compared.push(await compare(client, subject, written));
    } catch (error) {
      const places = refusedPlaces(error, subject);
      if (!places) throw error;
      mistakes.push(...places);
    }
  }
  if (mistakes.length > 0) throw mistakesError(mistakes);
  for (const { subject, is, fields, note } of compared) {
    const name = subjectText(subject);
    if (json)
      io.out(
        JSON.stringify({ kind: subject.kind, name: subject.name, is, fields, ...(note === undefined ? {} : { note }) }),
      );
    if (json || (is === 'equal' && note === undefined)) continue;
    io.out(io.style('bold', is === 'new' ? `${name} (new)` : name));
    if (note !== undefined) io.out(`  ! ${note}`);
    for (const { path, before, after } of fields) {
      if (before !== undefined) io.out(io.style('red', `  - ${path}: ${before}`));
      if (after !== undefined) io.out(io.style('green', `  + ${path}: ${after}`));
    }
  }
  return compared.some(({ is }) => is !== 'equal') ? EXIT.differs : EXIT.done;
}

async function compare(client: Client, subject: Written, written: readonly Written[]): Promise<Compared> {
  const before = await present(client, subject);
  const { after, note } = await rehearsed(client, subject, written, before);
  const fields = differences(writtenParts(before), writtenParts(after));
  const noted = note === undefined ? {} : { note };
  return { subject, is: before ? (fields.length > 0 ? 'different' : 'equal') : 'new', fields, ...noted };
}

/** Returns how the document would look. One of another origin is compared as it was written: the agent found nothing else wrong with it. */
async function rehearsed(
  client: Client,
  subject: Written,
  written: readonly Written[],
  before: AnyResource | undefined,
): Promise<{ readonly after: object; readonly note?: string }> {
  try {
    return { after: await client.ask<AnyResource>('PUT', rehearsalPath(subject, written), bodyOf(subject)) };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 409) throw error;
    const { parseDocument } = await import('../../../crds/schema/parse.js');
    const parsed = parseDocument(subject.value);
    const after = parsed.ok ? withDefaults(parsed.document, { origin: 'api' }, before) : subject.value;
    return { after, note: shortConflict(error.message) };
  }
}
