import type { ResponseToolkit } from '@hapi/hapi';
import type { Logger } from 'pino';
import { type GitSource, keyOf } from '../../../crds/model/kinds.js';
import { isSuspended } from '../../../crds/model/suspend.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import type { Store } from '../../store/store.js';
import { json } from '../transport/answer.js';
import { type AuthDeps, admissionOf, refusal, senderFacts } from '../transport/auth.js';
import type { Route } from '../transport/routes.js';
import { isSigned, knowsSecret } from './hook-signature.js';
import { StrangerBodies } from './stranger-bodies.js';

export interface HookDeps {
  readonly store: Pick<Store, 'get' | 'touch'>;
  readonly secrets: Pick<SecretFiles, 'read'>;
  readonly auth: AuthDeps;
  readonly log: Pick<Logger, 'warn'>;
  /** Longest time that a signed body may take to arrive, ms. */
  readonly bodyMs: number;
}

/** Time in which calls are combined, ms: a push of many branches is many calls. The first one counts at once, later ones as one. */
const QUIET_MS = 500;

/**
 * Serves `POST /hooks/<name>`: a server says that a repository has changed. It needs the source's secret, or the global
 * key. The body is read only for a signature that could be right.
 */
export function hookRoutes(deps: HookDeps): { readonly routes: readonly Route[]; stop(): void } {
  const bodies = new StrangerBodies(deps.bodyMs);
  const calls = new Calls((name) => deps.store.touch(keyOf('GitSource', name)));
  const routes: readonly Route[] = [
    {
      method: 'POST',
      path: '/hooks/{name}',
      callers: 'signed',
      async handler(request, h) {
        const name = String(request.params.name);
        const source = deps.store.get('GitSource', name);
        const secret = await secretOf(source, deps);
        const body = secret !== undefined && isSigned(request.headers) ? await bodies.read(request.raw.req) : NO_BODY;
        if (body === 'too large') return messageReply(h, 413, 'The call is larger than 25 MiB');
        if (body === 'late')
          return messageReply(h, 408, 'The call did not come whole in time').header('connection', 'close');
        if (secret === undefined || !knowsSecret(request.headers, body, secret)) {
          const admission = admissionOf(senderFacts(request), deps.auth);
          if (admission.is !== 'admitted') throw refusal(admission);
          if (admission.scope.type !== 'global') return messageReply(h, 403, 'This key belongs to one app');
        }
        if (!source) return messageReply(h, 404, `There is no GitSource ${name}`);
        if (isSuspended(source)) return messageReply(h, 409, `The GitSource ${name} is suspended`);
        calls.take(name);
        return messageReply(h, 202, `${name} is looked at now`);
      },
    },
  ];
  return { routes, stop: () => calls.stop() };
}

const messageReply = (h: ResponseToolkit, code: number, message: string) => json(h, { message }, code);

const NO_BODY = Buffer.alloc(0);

/** Returns the secret of a source; undefined when there is no such source, or its secret cannot be read. */
async function secretOf(source: GitSource | undefined, { secrets, log }: HookDeps): Promise<string | undefined> {
  const { webhook } = source?.spec ?? {};
  if (webhook === undefined) return undefined;
  try {
    return await secrets.read(webhook.secret);
  } catch (error) {
    log.warn({ err: error }, `A call of /hooks/${source?.metadata.name} cannot be checked`);
    return undefined;
  }
}

/** Passes the first call on at once, and those within the time after it as one. */
class Calls {
  readonly #resting = new Map<string, { again: boolean; readonly timer: NodeJS.Timeout }>();

  constructor(private readonly pass: (name: string) => void) {}

  take(name: string): void {
    const resting = this.#resting.get(name);
    if (resting) {
      resting.again = true;
      return;
    }
    this.pass(name);
    const timer = setTimeout(() => {
      const { again } = this.#resting.get(name) ?? {};
      this.#resting.delete(name);
      if (again) this.take(name);
    }, QUIET_MS);
    timer.unref();
    this.#resting.set(name, { again: false, timer });
  }

  stop(): void {
    for (const { timer } of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
  }
}
