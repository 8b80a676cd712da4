import type { Session } from '../client/session.js';
import { type Item, watchList } from '../client/watch.js';
import { tableLines } from '../format/table.js';
import { ageText } from '../format/words.js';
import { GROUP_PATH, objectPath, subjectOf } from '../kind-words.js';

/** An event as the resource API shows it. */
export interface EventItem extends Item {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly lastTimestamp: string;
}

/** Runs `supercargo events`: shows recent events, and with `-f` new ones. */
export async function events(
  session: Session,
  word: string | undefined,
  options: { readonly follow?: boolean },
): Promise<void> {
  const { io, json } = session;
  const client = await session.client();
  const path = word === undefined ? `${GROUP_PATH}/events` : `${objectPath(subjectOf(word, 'App'))}/events`;
  if (!options.follow) {
    const { items } = await client.ask<{ items: readonly EventItem[] }>('GET', path);
    if (json) return io.out(...items.map((item) => JSON.stringify(item)));
    if (items.length === 0) return io.err('Nothing has happened since the agent started');
    const heads = ['AGE', 'TYPE', 'OBJECT', 'REASON', 'MESSAGE'].map((head) => io.style('bold', head));
    return io.out(
      ...tableLines(
        heads,
        items.map((item) => [
          ageText(session.now() - Date.parse(item.lastTimestamp)),
          typeText(session, item),
          ...rest(item),
        ]),
      ),
    );
  }
  const printed = new Set<string>(); // the watch begins with the last ms of the list
  for await (const seen of watchList<EventItem>(client, path, new AbortController().signal)) {
    for (const item of seen.is === 'list' ? seen.items : [seen.object]) {
      const id = `${item.metadata.name} ${item.count}`;
      if (printed.has(id)) continue;
      printed.add(id);
      io.out(json ? JSON.stringify(item) : [timeText(item), typeText(session, item), ...rest(item)].join('  '));
    }
  }
}

const timeText = ({ lastTimestamp }: EventItem): string => lastTimestamp.replace('T', ' ').replace(/(?:\.\d+)?Z$/, '');

const typeText = ({ io }: Session, { type }: EventItem): string =>
  type === 'Warning' ? io.style('yellow', type) : type;

const rest = ({ involvedObject, reason, message, count }: EventItem): string[] => [
  `${involvedObject.kind.toLowerCase()}/${involvedObject.name}`,
  reason,
  count > 1 ? `${message} (${count} times)` : message,
];
