import { latestFirst, type Revision } from '../../../crds/model/revisions.js';
import type { Session } from '../client/session.js';
import { tableLines } from '../format/table.js';
import { ageText } from '../format/words.js';
import { collectionPath, objectPath, subject } from '../kind-words.js';

/** `supercargo history`: what was promoted of an app, the latest first, and what came of it. */
export async function history(session: Session, app: string): Promise<void> {
  const { io, json } = session;
  const client = await session.client();
  await client.ask('GET', objectPath(subject('App', app))); // a name that is not there is a mistake
  const { items } = await client.ask<{ items: readonly Revision[] }>('GET', collectionPath('Revision'));
  const revisions = latestFirst(items.filter(({ spec }) => spec.app === app));
  if (json) return io.out(...revisions.map((one) => JSON.stringify(one)));
  if (revisions.length === 0) return io.err(`Nothing of ${app} has been promoted yet`);
  const heads = ['REVISION', 'AGE', 'FROM', 'OUTCOME', 'DOWNTIME'].map((head) => io.style('bold', head));
  io.out(
    ...tableLines(
      heads,
      revisions.map((one) => rowOf(one, session.now())),
    ),
  );
}

/** One line of the table. Pure. */
export const rowOf = (revision: Revision, nowMs: number): readonly string[] => [
  revision.metadata.name,
  ageText(nowMs - Date.parse(revision.spec.promotedAt)),
  fromText(revision.spec.from),
  outcomeText(revision),
  downtimeText(revision),
];

/** `files shop.yaml:3`, `git/fleet 1a2b3c4 (Ada)`, `api by ada@laptop (from 10.0.0.7)`. */
export function fromText({ origin, file, line, commit, author, by, adopted }: Revision['spec']['from']): string {
  const place = file === undefined ? '' : ` ${file.split('/').at(-1)}${line === undefined ? '' : `:${line}`}`;
  const where = commit === undefined ? place : ` ${commit.slice(0, 7)}${author === undefined ? '' : ` (${author})`}`;
  return `${origin}${where}${by === undefined ? '' : ` by ${by}`}${adopted ? ', found running' : ''}`;
}

function outcomeText({ spec, status }: Revision): string {
  if (status?.attempt !== spec.number) return 'not looked at yet';
  const { phase = '', reason } = status;
  return phase === 'Bad' ? `${phase}: ${reason}` : phase;
}

/** The longest of its services'. */
function downtimeText({ status }: Revision): string {
  const longest = Object.entries(status?.downtimeMs ?? {}).toSorted(([, a], [, b]) => b - a)[0];
  return longest ? `${(longest[1] / 1000).toFixed(1)} s (${longest[0]})` : '-';
}
