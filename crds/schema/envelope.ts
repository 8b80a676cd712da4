import { API_VERSION, descriptorOf, type Kind, requestsOf } from '../model/kinds.js';
import { NAME_RULE } from '../model/names.js';
import type { Schema } from './schema.js';
import { SCHEMAS } from './schemas.js';

const text = (description: string): Schema => ({ type: 'string', description });
const integer = (description: string): Schema => ({ type: 'integer', description });
const flag = (description: string): Schema => ({ type: 'boolean', description });
const textMap = (description: string): Schema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
});
const object = (description: string, properties: Schema['properties'] = {}): Schema => ({
  type: 'object',
  description,
  properties,
});
const list = (description: string, items: Schema): Schema => ({ type: 'array', description, items });

const SOURCE = {
  file: text('The file.'),
  line: integer('Its line, from 1.'),
  column: integer('Its column, from 1.'),
  isTargetState: flag('Whether it was a target state of the Supervisor.'),
  composeFiles: list('The Compose files of the project that it was, all of them.', { type: 'string' }),
};

/** `metadata` of every kind: what a document may set, then what the agent adds. */
const METADATA: Schema = {
  ...object('Its name, and what is known about the document itself.', {
    name: text(`Name of the document, one of its kind. A name: ${NAME_RULE}.`),
    labels: textMap('Labels by which lists can be selected. Default: none.'),
    annotations: textMap('Notes that nothing here reads. Default: none.'),
    uid: text(
      'Identity of this very document, which one of the same name that comes later does not have. Written by the agent.',
    ),
    generation: integer('Goes up when the spec changes, and only then. Written by the agent.'),
    resourceVersion: text(
      'Version of the whole document, changed by every write. In a write: the version that it builds on. Written by the agent.',
    ),
    creationTimestamp: text('When it was accepted first, RFC 3339. Written by the agent.'),
    deletionTimestamp: text('Since when it is being deleted, RFC 3339. Written by the agent.'),
    finalizers: list('Who still has to clean up before it goes. Written by the agent.', { type: 'string' }),
    ownerReferences: list(
      'The document that it was made from, and goes with. Written by the agent.',
      object('An owner.', {
        apiVersion: text('Of the owner.'),
        kind: text('Of the owner.'),
        name: text('Of the owner.'),
        uid: text('Of the owner.'),
        controller: flag('Whether the owner also writes its spec.'),
        blockOwnerDeletion: flag('Whether the owner waits for it when it is deleted.'),
      }),
    ),
    origin: text(
      'Who declares it: files, api, local (a posted target state), git/NAME, App/NAME; agent, images and engine for what the agent itself declares. Written by the agent.',
    ),
    source: object('Where in its origin it stands. Written by the agent.', SOURCE),
    problem: object('What its origin last said of it that was not accepted. Written by the agent.', {
      message: text('One sentence: what is wrong, and what would be right.'),
      path: text('The field, as in spec.services.web.ports[0].'),
      source: object('Where it stands.', SOURCE),
      kind: text('Kind of the document.'),
      name: text('Name of the document.'),
    }),
  }),
  required: ['name'],
};

/** Returns the schema of a whole document, with the parts that every kind has. Pure. */
export function documentSchema(kind: Kind): Schema {
  const { spec, status } = SCHEMAS[kind];
  const requests = requestsOf(kind);
  return {
    type: 'object',
    description: descriptorOf(kind).description,
    properties: {
      apiVersion: text(`Always ${API_VERSION}.`),
      kind: text(`Always ${kind}.`),
      metadata: METADATA,
      spec,
      ...(requests.length === 0 ? {} : { requests: requestsSchema(requests) }),
      status,
    },
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
  };
}

const requestsSchema = (names: readonly string[]): Schema => ({
  type: 'object',
  description: `What was last asked of its controller, by name: ${names.join(', ')}. Written by the agent.`,
  additionalProperties: object('One request.', {
    id: text('Its id, which the status names once it is dealt with.'),
    at: text('When it was asked, RFC 3339.'),
    force: flag('Whether update locks are overridden.'),
  }),
});
