import type { Plugin, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Logger } from 'pino';
import { isMap } from '../../../crds/model/maps.js';
import { StorageError } from '../../platform/disk.js';
import { failed, sentence, statusOnly } from './answer.js';
import { type AuthDeps, admissionOf, refusal, senderFacts } from './auth.js';
import { BodyError } from './body.js';
import { failureStatus, isResourcePath, ResourceError } from './kubernetes-status.js';

export interface FailureDeps {
  readonly auth: AuthDeps;
  readonly log: Pick<Logger, 'warn'>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Converts every error to its compatible form, and answers unknown paths and methods, after authentication. */
export const failures: Plugin<FailureDeps> = {
  name: 'failures',
  register(server, { auth, log }) {
    server.ext('onPreResponse', (request, h) => {
      const { response } = request;
      if (!('isBoom' in response) || !response.isBoom) return h.continue;
      if (request.route.method === ('_special' as string)) {
        // hapi leaves the router here only for a path that it cannot decode, and does so before authentication.
        const admission = admissionOf(senderFacts(request), auth);
        const error = admission.is === 'admitted' ? new BodyError(undecodable(request.path)) : refusal(admission);
        return shape(request, h, error, log);
      }
      return shape(request, h, response, log);
    });

    server.route({
      method: '*',
      path: '/{any*}',
      handler(request, h) {
        if (request.method === 'options') {
          const allowed = METHODS.filter((method) => server.match(method, request.path)?.method === method);
          if (allowed.length > 0) {
            const list = allowed.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
            return sentence(h, list.join(',')).header('allow', list.join(','));
          }
        }
        if (isResourcePath(request.path)) throw unknownResource(request, server.match('get', request.path)?.method);
        return cannot(h, request);
      },
    });
  },
};

function shape(request: Request, h: ResponseToolkit, error: Error, log: FailureDeps['log']): ResponseObject {
  const code = codeOf(error);
  if (code >= 500) log.warn({ err: error, path: request.path }, 'A request failed');
  if (isResourcePath(request.path)) {
    const status = failureStatus(error, code);
    return h.response(JSON.stringify(status)).type('application/json').code(status.code);
  }
  if (code === 401) return statusOnly(h, 401);
  if (code === 403) return h.response(error.message).type('text/plain').code(403);
  return failed(h, 503, error.message);
}

/** Returns the status for an error; the compatible API knows only 401, 403 and 503 here. Pure. */
function codeOf(error: Error): number {
  if (error instanceof ResourceError) return error.status.code;
  if (error instanceof BodyError) return error.statusCode;
  if (error instanceof StorageError) return 503; // what cannot be stored is not accepted, and may be sent again
  return 'output' in error && isOutput(error.output) ? error.output.statusCode : 500;
}

const isOutput = (value: unknown): value is { statusCode: number } =>
  isMap(value) && typeof value.statusCode === 'number';

function undecodable(path: string): string {
  const bad = path.split('/').find((part) => !isDecodable(part)) ?? path;
  return `Failed to decode param '${bad}'`;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

function unknownResource(request: Request, known: string | undefined): ResourceError {
  return known === 'get' ? ResourceError.methodNotAllowed(request.method.toUpperCase()) : ResourceError.noPath();
}

/** Returns Express' page for unknown paths. */
function cannot(h: ResponseToolkit, request: Request): ResponseObject {
  const path = (request.raw.req.url ?? request.path).replace(/[?#].*$/, '');
  const line = escapeHtml(`Cannot ${request.method.toUpperCase()} ${path}`);
  return h
    .response(
      `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n<pre>${line}</pre>\n</body>\n</html>\n`,
    )
    .type('text/html')
    .header('content-security-policy', "default-src 'none'")
    .header('x-content-type-options', 'nosniff')
    .code(404);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
