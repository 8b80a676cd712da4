import type { Request } from '@hapi/hapi';
import { Ajv, type JSONSchemaType } from 'ajv';
import type { Resource } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { bodyOf, fieldOf } from '../transport/body.js';
import { BOOLEAN, check } from '../transport/check.js';
import { isTrue } from '../transport/coercion.js';
import { type Cause, ResourceError, type Status } from '../transport/kubernetes-status.js';
import { isDryRun } from './query.js';

/** The options of a deletion. */
export interface Deletion {
  readonly dryRun: boolean;
  readonly preconditions: unknown;
}

/**
 * Reads the options of a DELETE from its body (DeleteOptions, where kubectl puts everything) and its query. Throws a
 * 422 for those that cannot be granted and a 400 for unknown ones: a deletion that does more than its sender meant
 * cannot be undone.
 */
export function readDeletion(request: Request, plural: string, name: string): Deletion {
  const body = bodyOf(request);
  checkFields(body, '', OPTIONS);
  checkFields(fieldOf(body, 'preconditions') ?? {}, 'preconditions.', PRECONDITIONS);
  const query: Readonly<Record<string, unknown>> = { ...request.query };
  const causes: Cause[] = [];
  const inBody = fieldOf(body, 'dryRun');
  const dryRuns = inBody === undefined || inBody === null ? [] : Array.isArray(inBody) ? inBody : [inBody];
  const unknown = dryRuns.find((value) => value !== 'All');
  if (unknown !== undefined) causes.push(unsupported('dryRun', unknown, ['All']));
  for (const policy of [fieldOf(body, 'propagationPolicy'), query.propagationPolicy]) {
    if (policy === undefined || policy === null || POLICIES.some((known) => known === policy)) continue;
    causes.push(
      policy === 'Orphan' ? orphans('propagationPolicy') : unsupported('propagationPolicy', policy, POLICIES),
    );
  }
  const { orphanDependents } = checkDeleteQuery(query);
  for (const orphan of [fieldOf(body, 'orphanDependents'), isTrue(orphanDependents)]) {
    if (orphan === true) causes.push(orphans('orphanDependents'));
    else if (orphan !== undefined && orphan !== null && orphan !== false) {
      throw ResourceError.badRequest('orphanDependents must be true or false');
    }
  }
  if (causes.length > 0) throw ResourceError.invalid(plural, name, causes);
  return { dryRun: isDryRun(request) || dryRuns.length > 0, preconditions: fieldOf(body, 'preconditions') };
}

interface DeleteQuery {
  readonly orphanDependents?: string;
}
const DELETE_QUERY: JSONSchemaType<DeleteQuery> = {
  type: 'object',
  properties: { orphanDependents: BOOLEAN },
  required: [],
};
const checkDeleteQuery = check(() => new Ajv({ meta: false, validateSchema: false }).compile(DELETE_QUERY));

/** The fields of DeleteOptions in Kubernetes 1.32; those that are not read here have no effect. */
const OPTIONS = [
  'apiVersion',
  'kind',
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'preconditions',
  'propagationPolicy',
];
const PRECONDITIONS = ['uid', 'resourceVersion'];

/** Throws a 400 for anything but an object, or for other fields. */
function checkFields(value: unknown, path: string, known: readonly string[]): void {
  if (!isMap(value)) {
    throw ResourceError.badRequest(`${path === '' ? 'the body' : path.slice(0, -1)} is not an object`);
  }
  const unknown = Object.keys(value).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw ResourceError.badRequest(`strict decoding error: unknown field "${path}${unknown}"`);
  }
}

/** Both have the same effect: a document goes when what it stands for has gone. */
const POLICIES = ['Background', 'Foreground'];

const unsupported = (field: string, value: unknown, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((one) => `"${one}"`).join(', ')}`,
  field,
});

const orphans = (field: string): Cause => ({
  reason: 'FieldValueForbidden',
  message:
    'Forbidden: containers and networks do not outlive their document, so nothing was deleted; use Background or Foreground (--cascade=background)',
  field,
});

/** Throws a 409 when the document is not the one that the client means. Pure. */
export function checkPreconditions(preconditions: unknown, plural: string, { metadata }: Resource): void {
  const uid = fieldOf(preconditions, 'uid') ?? metadata.uid;
  const resourceVersion = fieldOf(preconditions, 'resourceVersion') ?? metadata.resourceVersion;
  if (uid === metadata.uid && resourceVersion === metadata.resourceVersion) return;
  throw ResourceError.conflict(plural, metadata.name, 'the precondition of the deletion does not hold');
}

/** Returns the answer to a deletion that is done. Pure. */
export const deletedStatus = (plural: string, name: string, uid?: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { name, group: 'supercargo.io', kind: plural, ...(uid === undefined ? {} : { uid }) },
  code: 200,
});
