import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Scope } from '../../../api/device-state/keys.js';
import { LogStream } from '../../../api/device-state/logs.js';
import { openTags } from '../../../api/device-state/tag-file.js';
import { type ApiServer, createServer, type ServerDeps } from '../../../api/http/server.js';
import { localOrigin } from '../../../api/sources/target-state/local.js';
import { openStore } from '../../../api/store/document-store.js';
import type { Store } from '../../../api/store/store.js';
import type { Condition } from '../../../crds/model/conditions.js';
import {
  type AnyDeclared,
  API_VERSION,
  type Declared,
  type Kind,
  type Kinds,
  type Metadata,
  type Origin,
  type Resource,
} from '../../../crds/model/kinds.js';
import type { Plan } from '../../../crds/model/plan.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { aHost } from './a-host.js';
import { deviation } from './conformance.js';

export const GLOBAL_KEY = 'aaaabbbbccccdddd';
export const APP_2_KEY = 'app2key';

/** What the engine tells of every container. */
const ENVIRONMENT = { FOO: 'bar', BALENA_APP_ID: '2' };

const silent = pino({ level: 'silent' });
const scopes: Readonly<Record<string, Scope>> = {
  [GLOBAL_KEY]: { type: 'global' },
  [APP_2_KEY]: { type: 'app', appId: 2 },
};

export interface Bench {
  readonly server: ApiServer;
  readonly store: Store;
  /** The data folder. */
  readonly folder: string;
  readonly logs: LogStream;
  close(): Promise<void>;
}

const NO_PLAN: Plan = {
  ...{ apiVersion: API_VERSION, kind: 'Plan', complete: true },
  ...{ actions: [], refused: [], waits: [], notes: [] },
};

/** The time of day of a store that is not told another one. */
const STORE_NOW_MS = Date.parse('2026-01-02T03:04:05.678Z');

/** A server over a real store in a temporary folder. Local mode is off unless asked for. */
export async function aServer(
  change: Partial<ServerDeps> & { localMode?: boolean; development?: boolean; storeNow?: () => number } = {},
): Promise<Bench> {
  const { localMode = false, development = false, storeNow = () => STORE_NOW_MS, ...rest } = change;
  const folder = mkdtempSync(join(tmpdir(), 'http-'));
  const store = await openStore({ folder, now: storeNow, log: silent });
  const logs = new LogStream();
  const device = { uuid: 'f'.repeat(32), localMode, hostname: () => 'mydevice' };
  const server = await createServer({
    store,
    logs,
    keys: { scopeOf: (key) => scopes[key], regenerate: async () => undefined },
    peers: { isOwner: async () => true },
    updates: { rereadSources: async () => undefined, instant: () => true },
    commandDeadlineMs: 500,
    host: aHost(),
    tags: openTags({ folder, now: () => 0, log: silent }),
    target: localOrigin({ store, device, parse: parseDocument, log: silent }),
    containers: { logs: noLines, stats: async () => [], environment: () => ENVIRONMENT },
    planner: { plan: async () => NO_PLAN, failure: () => undefined },
    volumes: { lastSeen: () => [], list: () => [], unsure: () => undefined, remove: async () => ({ is: 'absent' }) },
    device: {
      arch: 'amd64',
      deviceType: 'generic-amd64',
      identity: () => ({ apiPort: 48484, osVersion: 'balenaOS 5.1.20', interfaces: { ip: ['192.0.2.2'], mac: [] } }),
      hostNames: () => ['mydevice'],
      addresses: () => ['192.0.2.7'],
    },
    settings: { localMode, development, version: '0.1.0', listen: '127.0.0.1:0' },
    checks: () => [],
    now: () => 1_700_000_000_000,
    log: silent,
    ...rest,
  });
  return {
    server: Object.create(server, { inject: { value: conforming(server.inject) } }),
    store,
    folder,
    logs,
    async close() {
      await server.stop(200);
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function* noLines(): AsyncIterable<never> {
  // nothing was printed
}

/** Every answer that any test gets is held against the OpenAPI document. */
function conforming(inject: ApiServer['inject']): (...args: Parameters<ApiServer['inject']>) => Promise<object> {
  return async (...args) => {
    const answer = await inject(...args);
    if (!answer.request) return answer; // a stream, which hapi does not know
    const { route, method } = answer.request;
    if (route.path.startsWith('/{') || method === 'head' || answer.statusCode === 304) return answer;
    const mediaType = answer.headers['content-type']?.toString().split(';')[0];
    const key = `${route.method.toUpperCase()} ${route.path}`;
    const found = deviation(key, { code: answer.statusCode, mediaType, text: answer.payload });
    if (found !== undefined) throw new Error(found);
    return answer;
  };
}

export const withKey = { authorization: `Bearer ${GLOBAL_KEY}` };

export const anApp = (name: string, spec: Kinds['App']['spec'] = {}): Declared<'App'> => ({
  apiVersion: API_VERSION,
  kind: 'App',
  metadata: { name },
  spec,
});

/** Proposes documents as an origin's whole set, children as their App does. */
export async function declare(store: Store, origin: Origin, ...documents: AnyDeclared[]): Promise<void> {
  const owner = origin.startsWith('App/') ? { owner: origin as `App/${string}` } : {};
  const { refused } = await store.propose({ origin, ...owner, documents: documents.map((document) => ({ document })) });
  if (refused.length > 0) throw new Error(JSON.stringify(refused));
}

/** A document as the store would give it, for views that are pure. */
export function aDocument<K extends Kind>(
  kind: K,
  name: string,
  spec: Kinds[K]['spec'],
  status?: Kinds[K]['status'],
  metadata: Partial<Metadata> = {},
): Resource<K> {
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name,
      uid: `uid-${name}`,
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: '2026-01-02T03:04:05.678Z',
      finalizers: [],
      origin: 'files',
      ...metadata,
    },
    spec,
    requests: {},
    ...(status === undefined ? {} : { status }),
  };
}

/** Writes a status as a controller does, with the conditions that the runtime writes. */
export function report<K extends Kind>(
  store: Store,
  kind: K,
  name: string,
  facts: Omit<Kinds[K]['status'], 'conditions' | 'observedGeneration'>,
  end: 'Ready' | 'Stalled' | 'Waiting' = 'Ready',
  reason = 'Test',
): void {
  const resource = store.get(kind, name);
  if (!resource) throw new Error(`No ${kind} ${name}`);
  const { generation } = resource.metadata;
  const condition = (type: Condition['type'], status: Condition['status']): Condition => ({
    type,
    status,
    reason,
    message: 'as the test says',
    lastTransitionTime: '2026-01-02T03:04:05Z',
    observedGeneration: generation,
  });
  const conditions = [
    condition('Ready', end === 'Ready' ? 'True' : 'False'),
    ...(end === 'Stalled' ? [condition('Stalled', 'True')] : []),
  ];
  store.setStatus(resource, { observedGeneration: generation, conditions, ...facts } as Kinds[K]['status']);
  store.markReconciled(`${kind}/${name}`);
}
