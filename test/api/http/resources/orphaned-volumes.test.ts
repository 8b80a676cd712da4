import assert from 'node:assert/strict';
import type { OrphanedVolumes, RemovalOfOrphan } from '../../../../crds/model/orphans.js';
import { APP_2_KEY, aServer, type Bench, withKey } from '../a-server.js';

const PATH = '/apis/supercargo.io/v1/orphanedvolumes';

describe('orphaned volumes in the API', () => {
  let bench: Bench;
  let removed: string[];
  let removal: RemovalOfOrphan;
  let unsure: string | undefined;
  let failure: string | undefined;
  let everSeen: boolean;
  beforeEach(async () => {
    [removed, removal, unsure, failure] = [[], { is: 'removed' }, undefined, undefined];
    everSeen = true;
    const seen = () => ['7_data', '8_data'].map((name) => ({ name, appId: 7, driver: 'local', mountpoint: '/v' }));
    const volumes: OrphanedVolumes = {
      lastSeen() {
        if (!everSeen) throw new Error(failure);
        return seen();
      },
      list() {
        if (failure !== undefined) throw new Error(failure);
        return seen();
      },
      unsure: () => unsure,
      async remove(name) {
        removed.push(name);
        return removal;
      },
    };
    bench = await aServer({ volumes });
  });
  afterEach(() => bench.close());

  async function ask(method: 'GET' | 'DELETE' | 'POST', url: string, headers: Record<string, string> = withKey) {
    const answer = await bench.server.inject({ method, url, headers });
    return { code: answer.statusCode, body: answer.payload === '' ? undefined : JSON.parse(answer.payload) };
  }

  it('are listed', async () => {
    const { code, body } = await ask('GET', PATH);
    assert.deepEqual([code, body.kind, body.items[0].metadata.name], [200, 'OrphanedVolumeList', '7_data']);
    assert.equal((await ask('GET', PATH, { authorization: `Bearer ${APP_2_KEY}` })).code, 403);
  });

  it('are removed by name', async () => {
    assert.equal((await ask('DELETE', `${PATH}/7_data?dryRun=All`)).code, 200);
    assert.deepEqual(removed, []);
    assert.equal((await ask('DELETE', `${PATH}/7_data`)).body.status, 'Success');
    assert.equal((await ask('DELETE', `${PATH}/other`)).code, 404);
    assert.deepEqual(removed, ['7_data']);
  });

  it('are reported as mounted', async () => {
    removal = { is: 'in-use', by: ['somebody'] };
    const { code, body } = await ask('DELETE', `${PATH}/7_data`);
    assert.equal(code, 409);
    assert.match(body.message, /it is mounted by somebody/);
  });

  it('are shown as they were last seen while the engine is down, and none is removed', async () => {
    failure = 'The engine is down';
    const shown = await ask('GET', PATH);
    assert.deepEqual([shown.code, shown.body.items.length], [200, 2]);
    const { code, body } = await ask('DELETE', `${PATH}/7_data`);
    assert.deepEqual([code, body.message, removed], [503, failure, []]);
  });

  it('are not known while the engine has never been seen', async () => {
    failure = 'The engine is down';
    everSeen = false;
    for (const [method, path] of [
      ['GET', PATH],
      ['DELETE', `${PATH}/7_data`],
    ] as const) {
      const { code, body } = await ask(method, path);
      assert.deepEqual([code, body.message], [503, failure]);
    }
  });

  describe('and the clean-up of volumes', () => {
    const clean = (headers?: Record<string, string>) => ask('POST', '/v2/cleanup-volumes', headers);

    it('takes all of them, with the global key', async () => {
      assert.equal((await clean()).code, 200);
      assert.deepEqual(removed, ['7_data', '8_data']);
    });

    it('leaves them alone with the key of an app', async () => {
      assert.equal((await clean({ authorization: `Bearer ${APP_2_KEY}` })).code, 200);
      assert.deepEqual(removed, []);
    });

    it('leaves those that are mounted', async () => {
      removal = { is: 'in-use', by: ['somebody'] };
      assert.equal((await clean()).code, 200);
    });

    it('takes none while an app may be declared where nobody could look', async () => {
      unsure = 'files cannot be read';
      const { code, body } = await clean();
      assert.deepEqual([code, body.status, removed], [503, 'failed', []]);
      assert.match(body.message, /files cannot be read/);
    });
  });
});
