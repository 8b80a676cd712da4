import { type AnyResource, type Kind, PLURALS } from '../../../crds/model/kinds.js';
import type { Session } from '../client/session.js';
import { watchList } from '../client/watch.js';
import { usageError } from '../failure.js';
import { cellOf, cellStyle, columnsOf } from '../format/columns.js';
import { tableLines } from '../format/table.js';
import { toYaml } from '../format/yaml.js';
import {
  collectionPath,
  GROUP_PATH,
  kindsOf,
  objectPath,
  type Subject,
  subject,
  subjectOf,
  subjectText,
} from '../kind-words.js';

export type Output = 'table' | 'wide' | 'yaml' | 'json' | 'name';

export interface GetOptions {
  readonly output: Output;
  readonly watch?: boolean;
  readonly selector?: string;
  readonly orphaned?: boolean;
}

interface Listed {
  readonly kind: string;
  readonly items: readonly AnyResource[];
}

/** Runs `supercargo get`: shows documents in their kinds' columns, or whole. */
export async function get(session: Session, words: readonly string[], options: GetOptions): Promise<void> {
  const output = session.json ? 'json' : options.output;
  const [first = '', ...names] = words;
  if (options.orphaned) return orphans(session, first, names, { ...options, output });
  const subjects = first.includes('/')
    ? words.map((word) => subjectOf(word))
    : names.flatMap((name) => kindsOf(first).map((kind) => subject(kind, name)));
  const client = await session.client();
  if (options.watch) return watch(session, first, subjects, { ...options, output });
  if (subjects.length > 0) {
    const found: AnyResource[] = [];
    for (const subject of subjects) found.push(await client.ask<AnyResource>('GET', objectPath(subject)));
    return show(session, found, output, found.length === 1);
  }
  const kinds = kindsOf(first);
  const query = options.selector === undefined ? '' : `?labelSelector=${encodeURIComponent(options.selector)}`;
  const lists: Listed[] = [];
  for (const kind of kinds) lists.push(await client.ask<Listed>('GET', `${collectionPath(kind)}${query}`));
  const items = lists.flatMap((list) => list.items);
  if (items.length > 0 || output === 'json' || output === 'yaml') return show(session, items, output, false);
  const what = first === 'all' ? 'documents' : kinds.map((kind) => PLURALS[kind]).join(', ');
  session.io.err(`No ${what} ${options.selector === undefined ? 'on this device' : 'with these labels'}`);
}

const ORPHANED_PATH = `${GROUP_PATH}/orphanedvolumes`;
/** Returns the path of one orphaned volume. */
export const orphanPath = (name: string): string => `${ORPHANED_PATH}/${encodeURIComponent(name)}`;

/** A volume without a document. */
interface Orphan {
  readonly metadata: { readonly name: string };
  readonly status: { readonly appId: number; readonly appUuid?: string; readonly driver: string };
}

/** Runs `supercargo get volumes --orphaned`: shows what `supercargo delete volume NAME` removes with its data. */
async function orphans(
  session: Session,
  kind: string,
  names: readonly string[],
  { output, watch: isWatch, selector }: GetOptions,
): Promise<void> {
  if (kindsOf(kind).some((one) => one !== 'Volume'))
    throw usageError('Only volumes can be orphaned', 'supercargo get volumes --orphaned');
  if (names.length > 0 || isWatch || selector !== undefined)
    throw usageError('--orphaned shows all of them', 'Leave out names, -w and -l');
  const client = await session.client();
  const list = await client.ask<{ readonly items: readonly Orphan[] }>('GET', ORPHANED_PATH);
  if (output === 'json') session.io.out(JSON.stringify(list, undefined, session.json ? undefined : 2));
  else if (output === 'yaml') session.io.out(toYaml(list).trimEnd());
  else if (output === 'name') session.io.out(...list.items.map(({ metadata }) => `volume/${metadata.name}`));
  else if (list.items.length === 0) session.io.err('No volumes of apps that are gone');
  else {
    const rows = list.items.map(({ metadata, status: { appId, appUuid = '-', driver } }) => [
      metadata.name,
      String(appId),
      appUuid,
      driver,
    ]);
    session.io.out(
      ...tableLines(
        ['NAME', 'APP ID', 'APP UUID', 'DRIVER'].map((head) => session.io.style('bold', head)),
        rows,
      ),
    );
  }
}

function show(session: Session, found: readonly AnyResource[], output: Output, isOne: boolean): void {
  session.io.out(...linesOf(session, found, output, isOne));
}

function linesOf(session: Session, found: readonly AnyResource[], output: Output, isOne: boolean): readonly string[] {
  const whole = isOne ? found[0] : { apiVersion: 'v1', kind: 'List', items: found };
  if (output === 'json') return [JSON.stringify(whole, undefined, session.json ? undefined : 2)];
  if (output === 'yaml') return [toYaml(whole).trimEnd()];
  if (output === 'name') return found.map(nameOf);
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  return kinds.flatMap((kind, index) => [
    ...(index > 0 ? [''] : []),
    ...kindTable(
      session,
      kind,
      found.filter((one) => one.kind === kind),
      { isWide: output === 'wide', hasKind: kinds.length > 1 },
    ),
  ]);
}

const nameOf = ({ kind, metadata }: AnyResource): string => subjectText({ kind, name: metadata.name });

interface Look {
  readonly isWide: boolean;
  readonly hasKind: boolean;
}

function kindTable(
  session: Session,
  kind: Kind,
  rows: readonly AnyResource[],
  { isWide, hasKind }: Look,
): readonly string[] {
  const columns = columnsOf(kind, isWide);
  return tableLines(
    columns.map(({ name }) => session.io.style('bold', name.toUpperCase())),
    rows.map((row) =>
      columns.map((column, index) => {
        const text = index === 0 && hasKind ? nameOf(row) : cellOf(column, row, session.now());
        const style = cellStyle(column, text);
        return style ? session.io.style(style, text) : text;
      }),
    ),
  );
}

/** Watches one kind until interrupted: first what exists, then each change, a line or a JSON value each. */
async function watch(
  session: Session,
  first: string,
  subjects: readonly Subject[],
  { output, selector }: GetOptions,
): Promise<void> {
  const kinds = [...new Set(subjects.length > 0 ? subjects.map(({ kind }) => kind) : kindsOf(first))];
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    throw usageError('Only one kind at a time can be watched', 'Leave out -w, or name one kind');
  const names = subjects.map(({ name }) => name);
  const client = await session.client();
  for (const subject of subjects) await client.ask('GET', objectPath(subject)); // an unknown name is a mistake
  const isWide = output === 'wide';
  const columns = columnsOf(kind, isWide);
  const path = `${collectionPath(kind)}${selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`}`;
  let widths: readonly number[] | undefined;
  const line = (row: AnyResource): string => {
    const cells = columns.map((column) => cellOf(column, row, session.now()));
    return cells
      .map((cell, index) => `${cell}${' '.repeat(Math.max(3, (widths?.[index] ?? 0) - cell.length))}`)
      .join('')
      .trimEnd();
  };
  const forever = new AbortController().signal;
  for await (const seen of watchList<AnyResource>(client, path, forever)) {
    const rows = (seen.is === 'list' ? seen.items : [seen.object]).filter(
      ({ metadata }) => names.length === 0 || names.includes(metadata.name),
    );
    for (const row of output === 'table' || isWide ? [] : rows) {
      if (output === 'json') session.io.out(JSON.stringify(session.json ? { type: typeOf(seen), object: row } : row));
      else if (output === 'yaml') session.io.out('---', toYaml(row).trimEnd());
      else session.io.out(nameOf(row));
    }
    if (output !== 'table' && !isWide) continue;
    if (seen.is === 'list') {
      const lines = kindTable({ ...session, io: { ...session.io, style: (_, text) => text } }, kind, rows, {
        isWide,
        hasKind: false,
      });
      const [heads = ''] = lines;
      const shown = widths === undefined ? lines : lines.slice(1);
      widths ??= widthsOf(heads, lines);
      session.io.out(...shown);
    } else for (const row of rows) session.io.out(`${line(row)}${seen.type === 'DELETED' ? '   (deleted)' : ''}`);
  }
}

const typeOf = (seen: { readonly is: 'list' } | { readonly is: 'change'; readonly type: string }): string =>
  seen.is === 'list' ? 'ADDED' : seen.type;

/** Returns the widths of a table's columns, from where the heads begin. Pure. */
function widthsOf(heads: string, lines: readonly string[]): readonly number[] {
  const starts = [...heads.matchAll(/\S+/g)].map(({ index }) => index);
  const end = Math.max(...lines.map(({ length }) => length)) + 3;
  return starts.map((start, index) => (starts[index + 1] ?? end) - start);
}
