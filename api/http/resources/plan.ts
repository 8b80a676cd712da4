import { setImmediate as nextTurn } from 'node:timers/promises';
import { withDefaults } from '../../../crds/model/defaults.js';
import {
  type AnyDeclared,
  descriptorOf,
  type Key,
  KINDS,
  type Kind,
  keyOf,
  type Origin,
  type Source,
  splitKey,
} from '../../../crds/model/kinds.js';
import { isMap, stringOf } from '../../../crds/model/maps.js';
import type { Plan, PlanRefusal } from '../../../crds/model/plan.js';
import { yamlItems } from '../../../crds/yaml/yaml-items.js';
import { timeoutSignal } from '../../platform/time-limit.js';
import type { Store } from '../../store/store.js';
import { json } from '../transport/answer.js';
import { bodyOf, YamlText } from '../transport/body.js';
import { ResourceError } from '../transport/kubernetes-status.js';
import type { Route } from '../transport/routes.js';
import { checkPermission, checkRehearsal, checkWritable, readWrite, type Write } from './write.js';

/** Rehearses on a copy of the device. Given by whoever has the controllers. */
export interface Planner {
  /**
   * Says what would be done once `declare` had changed the documents of the copy, and what of those that it returns is refused.
   * Rejects with the signal's reason.
   */
  plan(declare: (store: Store) => Promise<readonly Key[]>, signal: AbortSignal): Promise<Plan>;
  /** Returns why nothing can be planned at present; undefined when nothing is in the way. */
  failure(): string | undefined;
}

export interface PlanRoutesDeps {
  readonly planner: Planner;
}

/** Kinds that people write. */
const WRITTEN: readonly Kind[] = KINDS.filter((kind) => !descriptorOf(kind).readOnly);
/** Number of documents of one plan. */
const LIMIT_DOCUMENTS = 1_000;
/** Number of services of a device that are rehearsed. */
const LIMIT_SERVICES = 2_000;
/** Number of plans that are made or wait for it; they are made one after another. */
const LIMIT_PLANS = 5;
/** Longest time that a plan waits for others and is made, ms. */
const LIMIT_MS = 25_000;

/** Serves `POST /apis/supercargo.io/v1/plan`: what would be done, on the device as it is or with other documents. Changes nothing. */
export function planRoutes({ planner }: PlanRoutesDeps): readonly Route[] {
  let plans = 0;
  return [
    {
      method: 'POST',
      path: '/apis/supercargo.io/v1/plan',
      callers: 'global key',
      body: 'PlanPost',
      takesYaml: true,
      async handler(request, h) {
        const documents = readDocuments(bodyOf(request));
        const failure = planner.failure();
        if (failure !== undefined) throw ResourceError.unavailable(`Nothing can be planned now: ${failure}`);
        if (plans >= LIMIT_PLANS) throw ResourceError.unavailable('Other plans are being made; try again in a moment');
        plans += 1;
        try {
          return json(h, await planFor(planner, documents));
        } finally {
          plans -= 1;
        }
      },
    },
  ];
}

async function planFor(planner: Planner, documents: readonly Given[]): Promise<Plan> {
  const refused: PlanRefusal[] = [];
  const notes: string[] = [];
  const signal = timeoutSignal(LIMIT_MS);
  try {
    const plan = await planner.plan(async (store) => {
      const writes = await readAll(documents, refused);
      const declared: AnyDeclared[] = [];
      for (const write of writes) {
        await nextTurn();
        const taken = await declare(store, write, { refused, notes });
        if (taken) declared.push(taken);
      }
      // An App may name what is declared with it.
      for (const document of declared)
        refusedAs(objectOf(document), refused, () => checkRehearsal(document, store, []));
      if (countServices(store) > LIMIT_SERVICES) {
        throw ResourceError.badRequest(`more than ${LIMIT_SERVICES} services are not rehearsed`);
      }
      return declared.map(objectOf);
    }, signal);
    const known = new Set(refused.map(({ object }) => object));
    return {
      ...plan,
      refused: [...refused, ...plan.refused.filter(({ object }) => !known.has(object))].map(placing(documents)),
      notes: [...notes, ...plan.notes],
    };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw ResourceError.unavailable(`The plan was not made within ${LIMIT_MS / 1_000} s; try again`);
  }
}

/** Counts services of Apps, and those that stand alone. */
const countServices = (store: Store): number =>
  store.list('App').reduce((sum, { spec }) => sum + Object.keys(spec.services ?? {}).length, 0) +
  store.list('Service').filter(({ metadata }) => !metadata.origin.startsWith('App/')).length;

const objectOf = ({ kind, metadata }: AnyDeclared): Key => keyOf(kind, metadata.name);

/** A document as it came, not checked yet. */
interface Given {
  readonly value: unknown;
  /** Returns where a field stands, or the nearest above it; only of YAML. */
  readonly locate?: (path: string) => Source;
}

/** Reads the documents of a body; none means the device as it is. Pure; throws 400. */
function readDocuments(body: unknown): readonly Given[] {
  if (body instanceof YamlText) return readYaml(body.text);
  if (!isMap(body)) throw ResourceError.badRequest('the body is not an object');
  const { documents = [], apiVersion: _version, kind: _kind, ...rest } = body;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw ResourceError.badRequest(`strict decoding error: unknown field "${unknown}"`);
  if (!Array.isArray(documents)) throw ResourceError.badRequest('documents is not a list');
  if (documents.length > LIMIT_DOCUMENTS) {
    throw ResourceError.badRequest(`documents has more than ${LIMIT_DOCUMENTS} items`);
  }
  return documents.map((value) => ({ value }));
}

/** Reads a stream of YAML, as a file is read: several documents, a `List`, an array. Pure; throws a 400 with every mistake in the text. */
function readYaml(text: string): readonly Given[] {
  const { items, problems } = yamlItems(text, '');
  if (problems.length > 0) {
    const lines = problems.map(({ message, source }) => `${placeText(source)}${message}`);
    const causes = lines.map((message) => ({ reason: 'FieldValueInvalid', message, field: '' }));
    throw ResourceError.unreadable(`the YAML cannot be read: ${lines.join('; ')}`, causes);
  }
  return items.filter(({ value }) => value !== null && value !== undefined);
}

const placeText = (source: Partial<Source> = {}): string =>
  source.line === undefined ? '' : `line ${source.line}, column ${source.column ?? 1}: `;

/** Returns how refusals get the place in the text of what they are about; what an App makes has that of its part of the App. Pure. */
function placing(documents: readonly Given[]): (refusal: PlanRefusal) => PlanRefusal {
  const places = new Map<string, (path: string) => Source>();
  for (const { value, locate } of documents) {
    if (!locate || !isMap(value)) continue;
    places.set(`${stringOf(value.kind)}/${nameIn(value)}`, locate);
  }
  const locate = ({ object, field = '' }: PlanRefusal): Source | undefined => {
    const own = places.get(object);
    if (own) return own(field);
    const { kind, name } = splitKey(object as Key);
    const dot = name.indexOf('.');
    const section = SECTIONS[kind];
    if (dot < 0 || section === undefined) return undefined;
    return places.get(`App/${name.slice(0, dot)}`)?.(
      `spec.${section}.${name.slice(dot + 1)}${field.replace(/^spec/, '')}`,
    );
  };
  return (refusal) => {
    const { line, column } = locate(refusal) ?? {};
    const { object, reason, field, message } = refusal;
    const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
    return { object, reason, ...(field === undefined ? {} : { field }), ...place, message };
  };
}

/** Where an App declares what becomes documents of their own. */
const SECTIONS: Readonly<Partial<Record<Kind, string>>> = {
  Service: 'services',
  Network: 'networks',
  Volume: 'volumes',
};

/** Checks each document; Apps come first, because others need what they permit. */
async function readAll(documents: readonly Given[], refused: PlanRefusal[]): Promise<readonly Write[]> {
  const writes: Write[] = [];
  for (const [index, { value: document, locate }] of documents.entries()) {
    await nextTurn();
    const kind = isMap(document) ? WRITTEN.find((one) => one === document.kind) : undefined;
    if (!kind) {
      const place = locate ? placeText(locate('kind')) : `documents[${index}]: `;
      throw ResourceError.badRequest(`${place}kind must be one of ${WRITTEN.join(', ')}`);
    }
    const write = refusedAs(nameOf(kind, document), refused, () => readWrite(document, kind, undefined));
    if (write) writes.push(write);
  }
  return [
    ...writes.filter(({ document }) => document.kind === 'App'),
    ...writes.filter(({ document }) => document.kind !== 'App'),
  ];
}

const nameOf = (kind: Kind, document: unknown): string => `${kind}/${nameIn(document)}`;

function nameIn(document: unknown): string {
  const metadata = isMap(document) && isMap(document.metadata) ? document.metadata : {};
  return typeof metadata.name === 'string' ? metadata.name : '';
}

/**
 * Puts one document into the copy, as whoever declares it on the device. Returns it with what it leaves out said, as the copy has
 * taken it; undefined when it was not taken.
 */
async function declare(
  store: Store,
  { document, ...preconditions }: Write,
  { refused, notes }: { readonly refused: PlanRefusal[]; readonly notes: string[] },
): Promise<AnyDeclared | undefined> {
  const { kind, metadata } = document;
  const object = objectOf(document);
  const present = store.get(kind, metadata.name);
  const origin: Origin = present && isOfSource(present.metadata.origin) ? present.metadata.origin : 'api';
  const isFine = refusedAs(object, refused, () => {
    if (origin === 'api') checkWritable(kind, metadata.name, present, preconditions);
    checkPermission(document, store, []);
    return true;
  });
  if (!isFine) return undefined;
  if (origin !== 'api') {
    notes.push(`${object} is declared by ${origin}: it is planned as if it were changed there; apply would be refused`);
  }
  const { refused: problems } = await store.put(origin, { document });
  for (const { message, path } of problems) {
    refused.push({ object, reason: 'Conflict', message, ...(path === undefined ? {} : { field: path }) });
  }
  return problems.length === 0 ? withDefaults(document, { origin }, present) : undefined;
}

/** Whether a source declares it, and may declare it otherwise; what an App makes follows the App. Pure. */
const isOfSource = (origin: Origin): boolean =>
  origin === 'files' || origin === 'local' || origin === 'cloud' || origin.startsWith('git/');

/** Returns what `check` does; undefined when it refuses, which is written down. */
function refusedAs<T>(object: string, refused: PlanRefusal[], check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error;
    const { reason = 'Invalid', message = '', details } = error.status;
    const causes = details?.causes ?? [];
    const field = error.field ?? /^metadata\.\w+(?= is )/.exec(message)?.[0];
    if (causes.length === 0) refused.push({ object, reason, message, ...(field === undefined ? {} : { field }) });
    for (const cause of causes) {
      refused.push({ object, reason, message: cause.message, ...(cause.field === '' ? {} : { field: cause.field }) });
    }
    return undefined;
  }
}
