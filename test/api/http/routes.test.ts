import assert from 'node:assert/strict';
import { OPERATIONS } from '../../../api/http/openapi/document.js';
import { APP_2_KEY, aServer, type Bench } from './a-server.js';

/** The compatible API and what stands beside it: method, path, who may call it, the schema of its body, and whether it is cached. */
const TABLE = `
GET /openapi.json · any key
GET /ping · anyone · cached
GET /v1/apps/{appId} · any key
GET /v1/device · device · cached
GET /v1/device/host-config · device
GET /v1/healthy · anyone · cached
GET /v2/applications/state · any key · cached
GET /v2/applications/{appId}/state · any key · cached
GET /v2/cleanup-volumes · any key
GET /v2/containerId · any key · cached
GET /v2/device/name · any key
GET /v2/device/tags · device
GET /v2/device/vpn · device
GET /v2/journal-logs · device · JournalQuery
GET /v2/local/device-info · any key
GET /v2/local/logs · any key
GET /v2/local/target-state · device · cached
GET /v2/state/status · any key · cached
GET /v2/version · any key · cached
PATCH /v1/device/host-config · device · HostSettingsPatch
PATCH /v2/device/tags · device · TagsPatch
POST /hooks/{name} · signed
POST /v1/apps/{appId}/start · any key · Force
POST /v1/apps/{appId}/stop · any key · Force
POST /v1/blink · device · ignored
POST /v1/purge · any key · AppCommand
POST /v1/reboot · device · Force
POST /v1/regenerate-api-key · any key · ignored
POST /v1/restart · any key · AppCommand
POST /v1/shutdown · device · Force
POST /v1/update · device · Update
POST /v2/applications/{appId}/purge · any key · Force
POST /v2/applications/{appId}/restart · any key · Force
POST /v2/applications/{appId}/restart-service · any key · ServiceCommand
POST /v2/applications/{appId}/start-service · any key · ServiceCommand
POST /v2/applications/{appId}/stop-service · any key · ServiceCommand
POST /v2/cleanup-volumes · any key
POST /v2/journal-logs · device · JournalQuery
POST /v2/local/device-info · any key
POST /v2/local/logs · any key
POST /v2/local/target-state · device · TargetPost
`;

describe('the routes', () => {
  let bench: Bench;
  let narrowed: Bench;
  before(async () => {
    const secrets = { read: async () => 'secret' };
    bench = await aServer({ secrets });
    const settings = { localMode: false, development: false, appKeys: 'app', version: '0.1.0', listen: '' } as const;
    narrowed = await aServer({ secrets, settings });
  });
  after(() => Promise.all([bench.close(), narrowed.close()]));

  it('are declared as this table says', () => {
    const lines = bench.server.routes
      .filter(({ path }) => !path.startsWith('/apis'))
      .map(({ method, path, callers, body, isCached }) =>
        [`${method} ${path}`, callers, ...(body ? [body] : []), ...(isCached ? ['cached'] : [])].join(' · '),
      );
    assert.deepEqual(lines.sort(), TABLE.trim().split('\n'));
  });

  it('of documents are for the global key, and only their lists are cached', () => {
    const documents = bench.server.routes.filter(({ path }) => path.startsWith('/apis'));
    assert.ok(documents.every(({ callers }) => callers === 'global key'));
    const lists = documents.filter(({ isCached }) => isCached).map(({ path }) => path.split('/').length);
    assert.deepEqual(new Set(lists), new Set([5]));
  });

  it('have the bodies that the OpenAPI document describes', () => {
    for (const { method, path, body } of bench.server.routes) {
      if (method === 'GET') continue;
      const described = OPERATIONS[`${method} ${path}`]?.body?.$ref;
      const schema = typeof described === 'string' ? described.split('/').at(-1) : undefined;
      assert.equal(schema, body === 'ignored' ? undefined : body, `${method} ${path}`);
    }
  });

  it('need no key where the OpenAPI document says so, and a key everywhere else', async () => {
    for (const { method, path, callers } of bench.server.routes) {
      if (callers === 'signed') continue;
      const operation = `${method} ${path}`;
      assert.equal(OPERATIONS[operation]?.open === true, callers === 'anyone', operation);
      const { statusCode } = await bench.server.inject({ method, url: path });
      assert.equal(statusCode === 401, callers !== 'anyone', operation);
    }
  });

  it('refuse the key of an app as they say', async () => {
    const headers = { authorization: `Bearer ${APP_2_KEY}` };
    for (const { method, path, callers } of narrowed.server.routes) {
      if (callers !== 'global key' && callers !== 'device') continue;
      const { statusCode } = await narrowed.server.inject({ method, url: path, headers });
      assert.equal(statusCode, callers === 'global key' ? 403 : 401, `${method} ${path}`);
    }
  });
});
