import { STATUS_CODES } from 'node:http';

/** Why a request failed, in the form of Kubernetes. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure' | 'Success';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly Cause[];
  };
  readonly code: number;
}

export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

const failure = (code: number, reason: string, message: string, details?: Status['details']): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason,
  ...(details ? { details } : {}),
  code,
});

/** Ends a request of the resource API with that Status. */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
  constructor(
    readonly status: Status,
    /** The field that it is about, where its Status has no causes. */
    readonly field?: string,
  ) {
    super(status.message);
  }

  static notFound(plural: string, name: string): ResourceError {
    const details = { name, group: 'supercargo.io', kind: plural };
    return new ResourceError(failure(404, 'NotFound', `${plural}.supercargo.io "${name}" not found`, details));
  }
  static noPath(): ResourceError {
    return new ResourceError(failure(404, 'NotFound', 'the server could not find the requested resource'));
  }
  static methodNotAllowed(method: string): ResourceError {
    return new ResourceError(
      failure(405, 'MethodNotAllowed', `the server does not allow ${method} on the requested resource`),
    );
  }
  static alreadyExists(plural: string, name: string): ResourceError {
    const details = { name, group: 'supercargo.io', kind: plural };
    return new ResourceError(
      failure(409, 'AlreadyExists', `${plural}.supercargo.io "${name}" already exists`, details),
    );
  }
  static conflict(plural: string, name: string, because: string, field = 'metadata.name'): ResourceError {
    const details = { name, group: 'supercargo.io', kind: plural };
    return new ResourceError(
      failure(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${plural}.supercargo.io "${name}": ${because}`,
        details,
      ),
      field,
    );
  }
  static invalid(kind: string, name: string, causes: readonly Cause[]): ResourceError {
    const text = causes.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join(', ');
    const details = { name, group: 'supercargo.io', kind, causes };
    return new ResourceError(failure(422, 'Invalid', `${kind}.supercargo.io "${name}" is invalid: ${text}`, details));
  }
  /** For parameters that contradict each other; clients then fall back to simpler ones. */
  static invalidOptions(message: string): ResourceError {
    return new ResourceError(failure(422, 'Invalid', message));
  }
  /** For a text that is no document; each cause says where. */
  static unreadable(message: string, causes: readonly Cause[]): ResourceError {
    return new ResourceError(failure(400, 'BadRequest', message, { causes }));
  }
  /** For unknown fields: the message as strict decoding has it, and every field with its own message. */
  static unknownFields(kind: string, name: string, message: string, causes: readonly Cause[]): ResourceError {
    return new ResourceError(failure(400, 'BadRequest', message, { name, group: 'supercargo.io', kind, causes }));
  }
  static badRequest(message: string): ResourceError {
    return new ResourceError(failure(400, 'BadRequest', message));
  }
  static forbidden(message: string): ResourceError {
    return new ResourceError(failure(403, 'Forbidden', message));
  }
  static unavailable(message: string): ResourceError {
    return new ResourceError(failure(503, 'ServiceUnavailable', message));
  }
  static expired(resourceVersion: string): ResourceError {
    return new ResourceError(failure(410, 'Expired', `too old resource version: ${resourceVersion}`));
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  503: 'ServiceUnavailable',
};

/** Returns any error as a Status. Pure. */
export function failureStatus(error: Error, code: number): Status {
  if (error instanceof ResourceError) return error.status;
  return failure(code, REASONS[code] ?? 'InternalError', error.message || (STATUS_CODES[code] ?? ''));
}

/** Tells whether errors of a path are Statuses: it belongs to the resource API, or is one that clients of Kubernetes request. Pure. */
export const isResourcePath = (path: string): boolean => /^\/(?:apis?|openapi|version)(?:\/|$)/i.test(path);
