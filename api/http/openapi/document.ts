import { isResourcePath } from '../transport/kubernetes-status.js';
import { COMPATIBLE_OPERATIONS } from './compatible-operations.js';
import { COMPATIBLE_SCHEMAS } from './compatible-schemas.js';
import type { Answer, JsonSchema, Operation, Operations } from './operation.js';
import { HOOK_OPERATIONS, RESOURCE_OPERATIONS } from './resource-operations.js';
import { RESOURCE_SCHEMAS } from './resource-schemas.js';

/** Every route with its input and answers. A test holds it equal to the routing table. */
export const OPERATIONS: Operations = {
  ...COMPATIBLE_OPERATIONS,
  ...RESOURCE_OPERATIONS,
  ...HOOK_OPERATIONS,
  'GET /openapi.json': {
    summary: 'This document',
    tags: ['Discovery'],
    answers: {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
    },
  },
};

/** Returns the body of a request; the compatible API takes forms as well. */
function bodyOf(path: string, { body, bodyRequired = false, yamlBody }: Operation): object {
  if (body === undefined) return {};
  const types = isResourcePath(path) ? ['application/json'] : ['application/json', 'application/x-www-form-urlencoded'];
  const content = {
    ...Object.fromEntries(types.map((type) => [type, { schema: body }])),
    ...(yamlBody ? { 'application/yaml': { schema: yamlBody } } : {}),
  };
  return { requestBody: { required: bodyRequired, content } };
}

const UNAUTHORIZED: Answer = {
  description: 'No key, or one that is not known.',
  content: { 'text/plain': { schema: { type: 'string', const: 'Unauthorized' } } },
};
const FORBIDDEN: Answer = {
  description: 'A web page asked, or the key may not.',
  content: { 'text/plain': { schema: { type: 'string' } } },
};

/** Combines two reasons for one status, each with its own media type. */
const both = (general: Answer, own: Answer | undefined): Answer =>
  own ? { ...own, content: { ...general.content, ...own.content } } : general;

/** Returns the answers of a route and those that come before it: no key, an unreadable body. */
export function answersOf({ answers, open, forbidden }: Operation): Readonly<Record<string, Answer>> {
  if (open || answers.default) return answers;
  const unauthorized = both(UNAUTHORIZED, answers[401]);
  const unreadable: Answer = {
    description: 'The body could not be read.',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Failed' } } },
  };
  return { 503: unreadable, ...answers, 401: unauthorized, 403: both(FORBIDDEN, forbidden) };
}

function operationObject(key: string, path: string, operation: Operation): object {
  const { summary, tags, parameters, open } = operation;
  return {
    operationId: idOf(key),
    summary,
    tags,
    ...(parameters === undefined || parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(path, operation),
    responses: answersOf(operation),
    ...(open ? { security: [] } : {}),
  };
}

/** Returns the id of an operation: `post_v1_apps_appId_stop` for `POST /v1/apps/{appId}/stop`. */
const idOf = (key: string): string =>
  key
    .replace(/^[A-Z]+/, (method) => method.toLowerCase())
    .replace(/\W+/g, '_')
    .replace(/_$/, '');

/** Returns the whole OpenAPI document. Pure. */
export function openApiDocument(version: string): JsonSchema {
  const paths: Record<string, Record<string, object>> = {};
  for (const [key, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = key.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(key, path, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'supercargo',
      version,
      description:
        "The balena Supervisor's API, and the documents as Kubernetes resources. Paths are not case-sensitive; HEAD is answered for every GET.",
    },
    security: [{ apikey: [] }, { bearer: [] }, {}],
    paths,
    components: {
      schemas: { ...COMPATIBLE_SCHEMAS, ...RESOURCE_SCHEMAS },
      securitySchemes: {
        apikey: { type: 'apiKey', in: 'query', name: 'apikey' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}
