import { isJob } from '../../../crds/model/jobs.js';
import {
  API_VERSION,
  KINDS,
  type Kind,
  keyOf,
  PLURALS,
  type RequestName,
  requestsOf,
} from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { NAME } from '../../../crds/model/names.js';
import { OVERRIDING } from '../../../crds/model/requests.js';
import type { Store } from '../../store/store.js';
import { json } from '../transport/answer.js';
import { bodyOf } from '../transport/body.js';
import { callerText, isCallerName } from '../transport/caller-text.js';
import { ResourceError } from '../transport/kubernetes-status.js';
import type { Route } from '../transport/routes.js';
import { isDryRun } from './query.js';

export interface RequestRoutesDeps {
  readonly store: Pick<Store, 'get' | 'request'>;
}

/**
 * Serves `POST /apis/supercargo.io/v1/<plural>/<name>/requests`: requests something of a document's controller, once.
 * The answer is sent when the request is on disk; its end is in `status.handled` and `status.refused`. A dry run stores
 * no request, so its answer has neither an id nor a time.
 */
export function requestRoutes({ store }: RequestRoutesDeps): readonly Route[] {
  return KINDS.filter((kind) => requestsOf(kind).length > 0).map((kind): Route => {
    const allowed = requestsOf(kind);
    return {
      method: 'POST',
      path: `/apis/supercargo.io/v1/${PLURALS[kind]}/{name}/requests`,
      callers: 'global key',
      body: 'RequestPost',
      async handler(request, h) {
        const document = String(request.params.name);
        const subject = store.get(kind, document);
        if (!subject) throw ResourceError.notFound(PLURALS[kind], document);
        const { name, force, to, service, containers, by } = readRequest(bodyOf(request), kind, document, allowed);
        const job = name === 'run' ? store.get('Service', document) : undefined;
        if (job && !isJob(job.spec)) {
          const message = `${job.spec.serviceName} has no schedule: its container keeps running, and there are no runs`;
          throw invalid(kind, document, 'FieldValueForbidden', message, 'name');
        }
        if (subject.metadata.deletionTimestamp !== undefined) {
          throw ResourceError.conflict(PLURALS[kind], document, 'it is being deleted');
        }
        const options = {
          ...(force ? { force } : {}),
          ...(to === undefined ? {} : { to }),
          ...(service === undefined ? {} : { service }),
          ...(containers === undefined ? {} : { containers }),
        };
        const overrides = force || OVERRIDING.includes(name);
        const caller = overrides || by !== undefined ? { by: callerText(request, by) } : {};
        const asked = isDryRun(request)
          ? options
          : (await store.request(keyOf(kind, document), { [name]: { ...options, ...caller } }))[name];
        const { uid, resourceVersion } = store.get(kind, document)?.metadata ?? subject.metadata;
        const metadata = { name: document, uid, resourceVersion };
        return json(h, { apiVersion: API_VERSION, kind: 'Request', metadata, request: { name, ...asked } }, 202);
      },
    };
  });
}

/**
 * Reads the requests from a body. Pure; throws 400 for anything but such an object, 422 for a name or a value that the
 * kind does not take.
 */
function readRequest(
  body: unknown,
  kind: Kind,
  document: string,
  allowed: readonly RequestName[],
): {
  readonly name: RequestName;
  readonly force: boolean;
  readonly to?: string;
  readonly service?: string;
  readonly containers?: readonly string[];
  readonly by?: string;
} {
  if (!isMap(body)) {
    throw ResourceError.badRequest('the body is not an object');
  }
  const { apiVersion: _version, kind: _kind, name, force, to, service, containers, by, ...rest } = body;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw ResourceError.badRequest(`strict decoding error: unknown field "${unknown}"`);
  const known = allowed.find((one) => one === name);
  if (known === undefined) {
    const said = name === undefined ? 'Required value' : `Unsupported value: ${JSON.stringify(name)}`;
    const message = `${said}: supported values: ${allowed.map((one) => `"${one}"`).join(', ')}`;
    throw invalid(
      kind,
      document,
      name === undefined ? 'FieldValueRequired' : 'FieldValueNotSupported',
      message,
      'name',
    );
  }
  if (force !== undefined && typeof force !== 'boolean') {
    throw invalid(kind, document, 'FieldValueTypeInvalid', 'must be true or false', 'force');
  }
  if (to !== undefined && known !== 'rollback' && known !== 'approve') {
    throw invalid(kind, document, 'FieldValueForbidden', 'only rollback and approve name a revision', 'to');
  }
  if (to !== undefined && (typeof to !== 'string' || !NAME.test(to))) {
    throw invalid(kind, document, 'FieldValueInvalid', 'must be the name of a revision', 'to');
  }
  if (by !== undefined && (typeof by !== 'string' || !isCallerName(by))) {
    throw invalid(kind, document, 'FieldValueInvalid', 'must be one line of at most 100 characters', 'by');
  }
  if (known === 'approve' && to === undefined) {
    const message = 'Required value: name the revision that is approved, as status.next.revision does';
    throw invalid(kind, document, 'FieldValueRequired', message, 'to');
  }
  return {
    ...{ name: known, force: force ?? false },
    ...(to === undefined ? {} : { to }),
    ...readContainers(kind, document, known, service, containers),
    ...(by === undefined ? {} : { by }),
  };
}

/** Reads which containers `adopt` names, and for which service: both or neither. Pure; throws 422. */
function readContainers(
  kind: Kind,
  document: string,
  name: RequestName,
  service: unknown,
  containers: unknown,
): { readonly service?: string; readonly containers?: readonly string[] } {
  if (service === undefined && containers === undefined) return {};
  if (name !== 'adopt') {
    const field = service === undefined ? 'containers' : 'service';
    throw invalid(kind, document, 'FieldValueForbidden', 'only adopt names containers and their service', field);
  }
  if (typeof service !== 'string' || !SERVICE.test(service)) {
    throw invalid(kind, document, 'FieldValueInvalid', 'must be the name of a service of the App', 'service');
  }
  if (!Array.isArray(containers) || containers.length === 0 || containers.length > MOST_CONTAINERS) {
    const message = `must be a list of 1 to ${MOST_CONTAINERS} names of containers`;
    throw invalid(kind, document, 'FieldValueInvalid', message, 'containers');
  }
  const names = containers.filter((one): one is string => typeof one === 'string' && CONTAINER.test(one));
  if (names.length < containers.length) {
    throw invalid(kind, document, 'FieldValueInvalid', 'has what is not the name of a container', 'containers');
  }
  return { service, containers: names };
}
const MOST_CONTAINERS = 20;
const SERVICE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** As Docker takes it. */
const CONTAINER = /^[A-Za-z0-9][A-Za-z0-9_.-]{1,127}$/;

const invalid = (kind: Kind, document: string, reason: string, message: string, field: string): ResourceError =>
  ResourceError.invalid(PLURALS[kind], document, [{ reason, message, field }]);
