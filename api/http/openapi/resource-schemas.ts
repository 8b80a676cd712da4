import { API_VERSION, descriptorOf, KINDS, type Kind, requestsOf } from '../../../crds/model/kinds.js';
import { ACTION_NAMES } from '../../../crds/model/plan.js';
import { SCHEMAS } from '../../../crds/schema/schemas.js';
import { boolean, integer, type JsonSchema, listOf, mapOf, object, oneOf, ref, text } from './operation.js';

const time = { type: 'string', format: 'date-time' };
const commit = object({ hash: text, author: text, subject: text });
const source = object(
  { ...{ file: text, line: integer, column: integer, commit }, isTargetState: boolean, composeFiles: listOf(text) },
  ...['line', 'column', 'commit', 'isTargetState', 'composeFiles'],
);
const problem = {
  message: text,
  path: text,
  source,
  kind: text,
  name: text,
};
const ofRequest = { force: boolean, to: text, service: text, containers: listOf(text), by: text };
const request = object({ id: text, at: time, ...ofRequest }, ...Object.keys(ofRequest));
/** Who asks, as they say themselves: one line of at most 100 characters. */
const by = { type: 'string', minLength: 1, maxLength: 100, pattern: '^[^\\p{C}]*$' };
const optional = <T extends object>(fields: T): readonly string[] => Object.keys(fields);

const labels = { labels: mapOf(text), annotations: mapOf(text) };
const given = {
  deletionTimestamp: time,
  finalizers: listOf(text),
  ownerReferences: listOf({ type: 'object' }),
  ...labels,
  source,
  declaredBy: text,
  problem: object(problem, ...optional(problem).filter((name) => name !== 'message')),
};
const metadata = object(
  {
    name: text,
    uid: text,
    resourceVersion: text,
    generation: integer,
    creationTimestamp: time,
    ...given,
    origin: text,
  },
  ...optional(given),
);

const apiVersion = { const: API_VERSION };

/**
 * Returns the schemas of a kind: the document as it is shown, its list, and what may be written. Spec and status are
 * the schemas that documents are checked with.
 */
const ofKind = (kind: Kind): readonly (readonly [string, JsonSchema])[] => [
  [
    kind,
    {
      description: descriptorOf(kind).description,
      ...object(
        {
          apiVersion,
          kind: { const: kind },
          metadata: ref('Metadata'),
          spec: ref(`${kind}Spec`),
          requests: mapOf(ref('AskedRequest')),
          status: ref(`${kind}Status`),
        },
        ...['requests', 'status'],
      ),
    },
  ],
  [`${kind}Spec`, { ...SCHEMAS[kind].spec }],
  [`${kind}Status`, { ...SCHEMAS[kind].status }],
  [
    `${kind}List`,
    object({ kind: { const: `${kind}List` }, apiVersion, metadata: ref('ListMetadata'), items: listOf(ref(kind)) }),
  ],
  ...(descriptorOf(kind).readOnly
    ? []
    : [
        [
          `${kind}Write`,
          {
            type: 'object',
            properties: {
              apiVersion,
              kind: { const: kind },
              metadata: { type: 'object', properties: { name: text, resourceVersion: text, ...labels } },
              spec: ref(`${kind}Spec`),
            },
            required: ['spec'],
          },
        ] as [string, JsonSchema],
      ]),
  [`${kind}Change`, change(ref(kind))],
];

const change = (of: JsonSchema): JsonSchema => ({
  description: 'One line of a watch.',
  ...object({
    type: oneOf('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'),
    object: { anyOf: [of, ref('Bookmark'), ref('Status')] },
  }),
});

const orphan: JsonSchema = {
  description: 'A volume of an app that is gone, and of which no document speaks.',
  ...object({
    apiVersion,
    kind: { const: 'OrphanedVolume' },
    metadata: object({ name: text }),
    status: object({ appId: integer, appUuid: text, driver: text, mountpoint: text }, 'appUuid'),
  }),
};

const REQUEST_NAMES = [...new Set(KINDS.flatMap(requestsOf))];

/** Answers and bodies of the resource API, by name. */
export const RESOURCE_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Metadata: metadata,
  ListMetadata: object({ resourceVersion: text }, 'resourceVersion'),
  AskedRequest: request,
  Status: {
    description: 'Why a request failed, as Kubernetes says it.',
    ...object(
      {
        kind: { const: 'Status' },
        apiVersion: { const: 'v1' },
        metadata: object({}),
        status: oneOf('Failure', 'Success'),
        message: text,
        reason: text,
        details: object(
          {
            name: text,
            group: text,
            kind: text,
            uid: text,
            causes: listOf(object({ reason: text, message: text, field: text })),
          },
          ...['name', 'group', 'kind', 'uid', 'causes'],
        ),
        code: integer,
      },
      ...['message', 'reason', 'details'],
    ),
  },
  Bookmark: {
    description:
      'Up to which version everything has been told. Its annotation says where the state ends that was asked for.',
    ...object({
      kind: oneOf(...KINDS, 'Event'),
      apiVersion,
      metadata: object({ resourceVersion: text, ...labels }, 'labels', 'annotations'),
    }),
  },
  Discovery: { type: 'object', required: ['kind', 'apiVersion'] },
  ...Object.fromEntries(KINDS.flatMap(ofKind)),
  DeleteOptions: {
    type: 'object',
    properties: {
      dryRun: { type: 'array', items: { const: 'All' } },
      preconditions: { type: 'object' },
      propagationPolicy: { enum: ['Background', 'Foreground'] },
    },
  },
  RequestPost: {
    description:
      'A request of the controller of a document. `to`: a revision; approve needs it. `service` and `containers`: of adopt, what a service takes over that is not of the project of the App.',
    type: 'object',
    properties: { apiVersion, kind: { const: 'Request' }, name: oneOf(...REQUEST_NAMES), ...ofRequest, by },
    required: ['name'],
    additionalProperties: false,
  },
  Request: object({
    apiVersion,
    kind: { const: 'Request' },
    metadata: object({ name: text, uid: text, resourceVersion: text }),
    request: object(
      { name: oneOf(...REQUEST_NAMES), id: text, at: time, ...ofRequest },
      ...['id', 'at', ...Object.keys(ofRequest)],
    ),
  }),
  PlanPost: {
    description: 'Documents to plan; without any, what is due on the device as it is.',
    type: 'object',
    properties: {
      apiVersion,
      kind: { const: 'Plan' },
      documents: listOf({
        anyOf: KINDS.filter((kind) => !descriptorOf(kind).readOnly).map((kind) => ref(`${kind}Write`)),
      }),
    },
    additionalProperties: false,
  },
  Plan: object(
    {
      apiVersion,
      kind: { const: 'Plan' },
      actions: listOf(
        object(
          {
            object: text,
            action: oneOf(...ACTION_NAMES),
            because: listOf(text),
            steps: listOf(text),
            bytes: integer,
            downtimeSeconds: { type: 'number' },
          },
          'bytes',
          'downtimeSeconds',
        ),
      ),
      refused: listOf(
        object(
          { object: text, reason: text, field: text, line: integer, column: integer, message: text },
          'field',
          'line',
          'column',
        ),
      ),
      waits: listOf(
        object({ object: text, reason: text, message: text, forSeconds: integer, passed: boolean }, 'forSeconds'),
      ),
      notes: listOf(text),
      downloadBytes: integer,
      complete: boolean,
    },
    'downloadBytes',
  ),
  Event: object({
    apiVersion,
    kind: { const: 'Event' },
    metadata: object({ name: text, resourceVersion: text, creationTimestamp: time }),
    involvedObject: object({ apiVersion, kind: oneOf(...KINDS), name: text, uid: text }, 'uid'),
    reason: text,
    message: text,
    type: oneOf('Normal', 'Warning'),
    count: integer,
    firstTimestamp: time,
    lastTimestamp: time,
    source: object({ component: text }),
  }),
  EventList: object({
    kind: { const: 'EventList' },
    apiVersion,
    metadata: ref('ListMetadata'),
    items: listOf(ref('Event')),
  }),
  EventChange: change(ref('Event')),
  ProblemList: object({
    kind: { const: 'ProblemList' },
    apiVersion,
    metadata: ref('ListMetadata'),
    items: listOf(
      object(
        { ...problem, origin: text, severity: { const: 'warning' } },
        ...optional(problem).filter((name) => name !== 'message'),
        'severity',
      ),
    ),
  }),
  Health: object({
    apiVersion,
    kind: { const: 'Health' },
    metadata: object({}),
    status: object({
      healthy: boolean,
      checks: listOf(object({ name: text, ok: boolean, message: text }, 'message')),
    }),
  }),
  DeviceResource: {
    type: 'object',
    properties: { apiVersion, kind: { const: 'Device' }, metadata: { type: 'object' }, status: { type: 'object' } },
    required: ['apiVersion', 'kind', 'metadata', 'status'],
  },
  OrphanedVolume: orphan,
  OrphanedVolumeList: object({
    kind: { const: 'OrphanedVolumeList' },
    apiVersion,
    metadata: object({}),
    items: listOf(ref('OrphanedVolume')),
  }),
  ServiceStatsList: object({
    kind: { const: 'ServiceStatsList' },
    apiVersion,
    metadata: object({}),
    items: listOf({ type: 'object', required: ['app', 'service', 'container', 'at'] }),
  }),
  ServiceLogLine: {
    description: 'One line of the stream; the last one says what went wrong, if something did.',
    anyOf: [
      object({ app: text, service: text, message: text, isStdErr: boolean, timestamp: time }),
      object({ error: ref('Status') }),
    ],
  },
};
