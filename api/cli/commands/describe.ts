import { readinessOf } from '../../../crds/model/conditions.js';
import { type AnyResource, KINDS, type Kind } from '../../../crds/model/kinds.js';
import type { Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { usageError } from '../failure.js';
import { tableLines } from '../format/table.js';
import { ageText } from '../format/words.js';
import { toYaml } from '../format/yaml.js';
import { collectionPath, objectPath, type Subject, subjectOf, subjectText } from '../kind-words.js';
import type { EventItem } from './events.js';

/** Kinds whose documents belong to an App. */
const PARTS: readonly Kind[] = ['Service', 'Image', 'Network', 'Volume'];

/** `supercargo describe`: all there is to know about a document, with what belongs to it and what happened. */
export async function describe(session: Session, words: readonly string[]): Promise<void> {
  const client = await session.client();
  const [first = '', ...names] = words;
  const subjects = first.includes('/')
    ? words.map((word) => subjectOf(word))
    : names.map((name) => subjectOf(`${first}/${name}`));
  if (subjects.length === 0) throw usageError('Describe what?', 'supercargo describe KIND NAME, or KIND/NAME');
  for (const [index, subject] of subjects.entries()) {
    const one = await client.ask<AnyResource>('GET', objectPath(subject));
    const parts = one.kind === 'App' ? await partsOf(client, subject) : [];
    const { items } = await client.ask<{ items: readonly EventItem[] }>('GET', `${objectPath(subject)}/events`);
    if (session.json) session.io.out(JSON.stringify({ object: one, parts, events: items }));
    else session.io.out(...(index > 0 ? [''] : []), ...descriptionOf(session, one, parts, items));
  }
}

async function partsOf(client: Client, { name }: Subject): Promise<readonly AnyResource[]> {
  const lists = await Promise.all(
    PARTS.map((kind) => client.ask<{ items: readonly AnyResource[] }>('GET', collectionPath(kind))),
  );
  return lists.flatMap(({ items }) => items).filter(({ spec }) => 'app' in spec && spec.app === name);
}

function descriptionOf(
  { io, now }: Session,
  one: AnyResource,
  parts: readonly AnyResource[],
  events: readonly EventItem[],
): readonly string[] {
  const { metadata, spec } = one;
  const source = metadata.source ? ` (${[metadata.source.file, metadata.source.line].filter(Boolean).join(':')})` : '';
  const facts: [string, string][] = [
    ['Name', metadata.name],
    ['Kind', one.kind],
    ['Declared by', `${metadata.origin}${source}`],
    ['Age', ageText(now() - Date.parse(metadata.creationTimestamp))],
    [
      'Generation',
      `${metadata.generation}${one.status?.observedGeneration === metadata.generation ? '' : ` (the controller has seen ${one.status?.observedGeneration ?? 'none'})`}`,
    ],
    ['Ready', readyText(one)],
    ...Object.entries(metadata.labels ?? {}).map(([name, value]): [string, string] => ['Label', `${name}=${value}`]),
    ...(metadata.problem ? [['Problem', metadata.problem.message] as [string, string]] : []),
    ...(metadata.deletionTimestamp ? [['Deleted', metadata.deletionTimestamp] as [string, string]] : []),
  ];
  const {
    conditions,
    observedGeneration: _seen,
    ...status
  } = { conditions: undefined, observedGeneration: undefined, ...one.status };
  return [
    ...tableLines(
      [],
      facts.map(([name, value]) => [io.style('bold', `${name}:`), value]),
    ),
    ...section('Spec', toYaml(spec)),
    ...(Object.keys(status).length > 0 ? section('Status', toYaml(status)) : []),
    ...listed(
      'Conditions',
      ['TYPE', 'STATUS', 'REASON', 'MESSAGE'],
      (conditions ?? []).map((condition) => [condition.type, condition.status, condition.reason, condition.message]),
    ),
    ...listed(
      'Parts',
      ['NAME', 'READY', 'REASON'],
      parts.map((part) => [subjectText({ kind: kindIn(part), name: part.metadata.name }), ...readyCells(part)]),
    ),
    ...(events.length === 0
      ? ['Events: none']
      : listed(
          'Events',
          ['AGE', 'TYPE', 'REASON', 'MESSAGE'],
          events.map((event) => [
            ageText(now() - Date.parse(event.lastTimestamp)),
            event.type,
            event.reason,
            event.message + (event.count > 1 ? ` (${event.count} times)` : ''),
          ]),
        )),
  ];
}

const kindIn = ({ kind }: AnyResource): Kind => KINDS.find((one) => one === kind) ?? kind;

function readyText(one: AnyResource): string {
  const ready = readinessOf(one);
  if (!ready) return 'not known yet';
  return ready.status === 'True' ? 'True' : `${ready.status}, ${ready.reason}: ${ready.message}`;
}

function readyCells(one: AnyResource): [string, string] {
  const ready = readinessOf(one);
  return [ready?.status ?? '-', ready?.reason ?? '-'];
}

const section = (title: string, yaml: string): readonly string[] => [
  `${title}:`,
  ...yaml
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`),
];

const listed = (title: string, heads: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : [`${title}:`, ...tableLines(heads, rows).map((line) => `  ${line}`)];
