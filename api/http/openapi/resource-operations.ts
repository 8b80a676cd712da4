import { descriptorOf, KINDS, type Kind } from '../../../crds/model/kinds.js';
import { LOG_QUERY } from '../resources/containers.js';
import { LIST_QUERY } from '../resources/query.js';
import {
  type Answer,
  type JsonSchema,
  jsonAnswer,
  type Operation,
  type Operations,
  object,
  type Parameter,
  ref,
  text,
} from './operation.js';

const GROUP = '/apis/supercargo.io/v1';
const NAME: Parameter = { name: 'name', in: 'path', required: true, schema: text };
const DRY_RUN: Parameter = {
  name: 'dryRun',
  in: 'query',
  description: 'Checks and answers everything, and stores nothing.',
  schema: { type: 'string', const: 'All' },
};
const BESIDE: Parameter = {
  name: 'beside',
  in: 'query',
  description:
    'In a dry run of an App: what will be declared beside it, as in service/db,network/front. Its release may name that.',
  schema: text,
};
const FAILURE: Answer = jsonAnswer('Why it failed.', ref('Status'));

/** Returns a parameter for each property of the schema that a query is checked with. `nullable` means that it may be missing, for ajv. */
const queryOf = ({ properties }: JsonSchema): readonly Parameter[] =>
  Object.entries({ ...(properties as Readonly<Record<string, JsonSchema>>) }).map(([name, property]) => {
    const { nullable: _, ...schema } = property;
    return { name, in: 'query', schema };
  });
const LISTED = queryOf(LIST_QUERY);

const operation = (
  tag: string,
  summary: string,
  answers: Operation['answers'],
  rest: Pick<Operation, 'parameters' | 'body' | 'bodyRequired' | 'yamlBody'> = {},
): Operation => ({ summary, tags: [tag], ...rest, answers: { ...answers, default: FAILURE } });

const read = (tag: string, summary: string, schema: string, parameters: readonly Parameter[] = []): Operation =>
  operation(tag, summary, { 200: jsonAnswer('As it is now.', ref(schema)) }, { parameters });

/** Returns the answers of a list, and with `watch` of a stream: one change a line. */
const readOrWatch = (
  tag: string,
  summary: string,
  [schema, line]: readonly [string, string],
  parameters: readonly Parameter[] = [],
): Operation => {
  const either = { anyOf: [ref(schema), ref(line)] };
  const ok = jsonAnswer(`As it is now; with \`watch\`, one ${line} a line, for as long as the client stays.`, either);
  return operation(tag, summary, { 200: ok }, { parameters: [...parameters, ...LISTED] });
};

function operationsOf(kind: Kind): Operations {
  const { plural, requests, readOnly } = descriptorOf(kind);
  const one = `${GROUP}/${plural}/{name}`;
  const shown = ref(kind);
  const write = { body: ref(`${kind}Write`), bodyRequired: true };
  const operations: Operations = {
    [`GET ${GROUP}/${plural}`]: readOrWatch(kind, `Every ${kind}`, [`${kind}List`, `${kind}Change`]),
    [`POST ${GROUP}/${plural}`]: operation(
      kind,
      `Creates one ${kind}`,
      { 201: jsonAnswer('It is on disk.', shown) },
      { parameters: [DRY_RUN, BESIDE], ...write },
    ),
    [`GET ${one}`]: readOrWatch(kind, `One ${kind}`, [kind, `${kind}Change`], [NAME]),
    [`GET ${one}/status`]: read(kind, `One ${kind}, for who follows its status`, kind, [NAME]),
    [`PUT ${one}`]: operation(
      kind,
      `Creates or replaces one ${kind}`,
      { 200: jsonAnswer('It is on disk.', shown), 201: jsonAnswer('It is on disk, and new.', shown) },
      { parameters: [NAME, DRY_RUN, BESIDE], ...write },
    ),
    [`DELETE ${one}`]: operation(
      kind,
      `Deletes one ${kind}`,
      { 200: jsonAnswer('It is marked for deletion, or gone.', { anyOf: [shown, ref('Status')] }) },
      { parameters: [NAME, DRY_RUN], body: ref('DeleteOptions') },
    ),
    [`GET ${one}/events`]: readOrWatch(kind, `What happened to one ${kind}`, ['EventList', 'EventChange'], [NAME]),
    ...(requests.length === 0
      ? {}
      : {
          [`POST ${one}/requests`]: operation(
            kind,
            `Asks its controller for something: ${requests.join(', ')}`,
            { 202: jsonAnswer('It is on disk; the status tells how it ended.', ref('Request')) },
            { parameters: [NAME, DRY_RUN], body: ref('RequestPost'), bodyRequired: true },
          ),
        }),
  };
  if (!readOnly) return operations;
  return Object.fromEntries(Object.entries(operations).filter(([name]) => name.startsWith('GET ')));
}

const log = (kind: Kind): Operation =>
  operation(
    kind,
    `What the containers of one ${kind} printed`,
    {
      200: {
        description: 'One object a line.',
        content: { 'application/x-ndjson': { schema: ref('ServiceLogLine') } },
      },
    },
    { parameters: [NAME, ...queryOf(LOG_QUERY)] },
  );

const messageAnswer = (description: string): Answer => jsonAnswer(description, object({ message: text }));

/** Operations for the server of a repository; the body is free, and signed instead of carrying a key. */
export const HOOK_OPERATIONS: Operations = {
  'POST /hooks/{name}': {
    summary: 'Says that the repository of a GitSource has changed',
    tags: ['GitSource'],
    parameters: [NAME],
    answers: {
      202: messageAnswer('It is looked at now.'),
      404: messageAnswer('There is no such source.'),
      408: messageAnswer('The call did not come whole in time.'),
      409: messageAnswer('The source is suspended.'),
      413: messageAnswer('The call is too large.'),
    },
    forbidden: messageAnswer('The key belongs to one app.'),
  },
};

/** Operations of the resource API. */
export const RESOURCE_OPERATIONS: Operations = {
  'GET /apis': read('Discovery', 'Which groups are served', 'Discovery'),
  'GET /apis/supercargo.io': read('Discovery', 'Which versions are served', 'Discovery'),
  [`GET ${GROUP}`]: read('Discovery', 'Which kinds are served, and what may be done with them', 'Discovery'),
  ...Object.assign({}, ...KINDS.map(operationsOf)),
  [`GET ${GROUP}/apps/{name}/log`]: log('App'),
  [`GET ${GROUP}/services/{name}/log`]: log('Service'),
  [`GET ${GROUP}/events`]: readOrWatch('Device', 'What happened, and why', ['EventList', 'EventChange']),
  [`GET ${GROUP}/problems`]: read('Device', 'What was not accepted', 'ProblemList'),
  [`GET ${GROUP}/health`]: read('Device', 'Each check of /v1/healthy', 'Health'),
  [`GET ${GROUP}/device`]: read('Device', 'What the device is, and how much of it is in use', 'DeviceResource'),
  [`GET ${GROUP}/orphanedvolumes`]: read('Volume', 'What apps that are gone have left behind', 'OrphanedVolumeList'),
  [`DELETE ${GROUP}/orphanedvolumes/{name}`]: operation(
    'Volume',
    'Removes a volume of an app that is gone, with its data',
    { 200: jsonAnswer('It is gone.', { anyOf: [ref('OrphanedVolume'), ref('Status')] }) },
    { parameters: [NAME, DRY_RUN], body: ref('DeleteOptions') },
  ),
  [`POST ${GROUP}/plan`]: operation(
    'Device',
    'Says what would be done, and changes nothing',
    { 200: jsonAnswer('What came of the rehearsal.', ref('Plan')) },
    { body: ref('PlanPost'), yamlBody: { ...text, description: 'The documents, one after another as in a file.' } },
  ),
  [`GET ${GROUP}/stats`]: read('Device', 'What each service uses', 'ServiceStatsList'),
};
