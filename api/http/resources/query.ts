import type { Request } from '@hapi/hapi';
import { Ajv, type JSONSchemaType } from 'ajv';
import { BOOLEAN, check } from '../transport/check.js';
import { isTrue } from '../transport/coercion.js';
import { ResourceError } from '../transport/kubernetes-status.js';

/** Parameters of lists and watches. Others (`timeout`, `limit`, …) are ignored. */
export interface ListQuery {
  readonly watch?: string;
  readonly resourceVersion?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly timeoutSeconds?: number;
  readonly allowWatchBookmarks?: string;
  readonly sendInitialEvents?: string;
  readonly resourceVersionMatch?: string;
}

const text = { type: 'string', nullable: true } as const;
/** Schema of the query of a list or watch. */
export const LIST_QUERY: JSONSchemaType<ListQuery> = {
  type: 'object',
  properties: {
    watch: BOOLEAN,
    resourceVersion: text,
    labelSelector: text,
    fieldSelector: text,
    timeoutSeconds: { type: 'integer', minimum: 0, nullable: true },
    allowWatchBookmarks: BOOLEAN,
    sendInitialEvents: BOOLEAN,
    resourceVersionMatch: text,
  },
  required: [],
};

const checkListQuery = check(() =>
  new Ajv({ coerceTypes: true, meta: false, validateSchema: false }).compile(LIST_QUERY),
);

/** Reads the query of a list or watch; numbers may come as text. Throws a 400 Status. */
export const listQueryOf = (request: Request): ListQuery => checkListQuery({ ...request.query });

/** Tells whether the request is a watch. Pure. */
export const wantsWatch = ({ watch }: ListQuery): boolean => isTrue(watch);

/** Tells whether the request says `dryRun=All`: everything is checked and answered, nothing is stored. Throws a 400 for any other value. */
export function isDryRun({ query }: Request): boolean {
  const { dryRun } = query as { readonly dryRun?: unknown };
  if (dryRun === undefined || dryRun === 'All') return dryRun === 'All';
  throw ResourceError.badRequest(`dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`);
}
