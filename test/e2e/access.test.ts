import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { conditionOf } from '../../crds/model/conditions.js';
import { API_NETWORK } from '../../crds/model/names.js';
import { type Container, Scene } from '../setup/scene.js';

const STATE = '/v2/applications/state';

describe('who may use the API', () => {
  describe('from this machine and over its network', () => {
    let scene: Scene;
    before(async () => {
      scene = await Scene.open({ host: '0.0.0.0' });
      // For a bridge: a network of its own, in which tests may run, has no other address besides the loopback.
      const name = `${scene.prefix}-bridge`;
      await scene.put(name, { appId: scene.appId(), services: { main: scene.service() } });
      await scene.untilReady(name);
    });
    after(() => scene?.close());

    const address = (): string => {
      const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      const found = all.find(({ family, internal }) => family === 'IPv4' && !internal);
      assert.ok(found, 'this machine has an address besides the loopback (the bridge of an app at least)');
      return found.address;
    };

    it('the owner of this machine needs no key', async () => {
      assert.equal((await scene.agent.ask(STATE)).status, 200);
    });

    it('another user of this machine needs one', async () => {
      const script = `fetch(process.argv[1]).then(({ status }) => console.log(status))`;
      const asNobody = async (path: string): Promise<string> => {
        const url = `http://127.0.0.1:${scene.agent.port}${path}`;
        const nobody = spawn(process.execPath, ['-e', script, url], { uid: 65534, gid: 65534, cwd: '/' });
        return (await text(nobody.stdout)).trim();
      };
      assert.equal(await asNobody('/ping'), '200');
      assert.equal(await asNobody(STATE), '401');
      assert.equal(await asNobody(`${STATE}?apikey=${await scene.agent.key()}`), '200');
    });

    it('nor is it its owner for whom a proxy speaks', async () => {
      const headers = { 'x-forwarded-for': '198.51.100.1' };
      assert.equal((await scene.agent.ask(STATE, { headers })).status, 401);
    });

    it('but what a web page could have sent is forbidden', async () => {
      const cases: readonly Record<string, string>[] = [
        { origin: 'http://evil.example' },
        { origin: 'null' },
        { host: 'evil.example' },
        { 'sec-fetch-site': 'cross-site' },
      ];
      for (const headers of cases) {
        const reply = await scene.agent.ask(STATE, { headers });
        assert.equal(reply.status, 403, JSON.stringify(headers));
        const withKey = { ...headers, authorization: `Bearer ${await scene.agent.key()}` };
        assert.equal((await scene.agent.ask(STATE, { headers: withKey })).status, 200, 'a key opens it');
      }
      const own = { host: `localhost:${scene.agent.port}`, origin: `http://localhost:${scene.agent.port}` };
      assert.equal((await scene.agent.ask(STATE, { headers: own })).status, 200);
    });

    it('everybody else needs one', async () => {
      const from = { address: address() };
      const key = await scene.agent.key();
      assert.equal((await scene.agent.ask('/ping', from)).status, 200);
      assert.equal((await scene.agent.ask('/v1/healthy', from)).status, 200);
      const refused = await scene.agent.ask(STATE, from);
      assert.deepEqual([refused.status, refused.text], [401, 'Unauthorized']);
      assert.equal((await scene.agent.ask(`${STATE}?apikey=wrong`, from)).status, 401);
      assert.equal((await scene.agent.ask(`${STATE}?apikey=${key}`, from)).status, 200);
      assert.equal(
        (await scene.agent.ask(STATE, { ...from, headers: { authorization: `ApiKey ${key}` } })).status,
        200,
      );
      const posted = await scene.agent.ask('/v2/local/target-state', { ...from, method: 'POST', body: { local: {} } });
      assert.equal(posted.status, 401);
    });
  });

  describe('from a container', () => {
    let scene: Scene;
    let appId: number;
    let container: string;
    const names: string[] = [];

    before(async () => {
      scene = await Scene.open();
      appId = scene.appId();
      for (const [name, id] of [
        [`${scene.prefix}-caller`, appId],
        [`${scene.prefix}-secret`, scene.appId()],
      ] as const) {
        names.push(name);
        await scene.put(name, {
          appId: id,
          services: { main: scene.service({ labels: { 'io.balena.features.supervisor-api': '1' } }) },
        });
      }
      for (const name of names) await scene.untilReady(name);
      container = (await scene.untilRunning(appId, ['main']))[0]?.id ?? '';
    });
    after(() => scene?.close());

    const wget = (query: string) =>
      scene.exec(container, ['sh', '-c', `wget -q -O - "$BALENA_SUPERVISOR_ADDRESS${query}"`]);

    it('the address in its environment answers', async () => {
      const seen = await scene.container(container);
      assert.ok(
        seen?.env.includes(`BALENA_SUPERVISOR_ADDRESS=http://10.114.104.1:${scene.agent.port}`),
        seen?.env.join(),
      );
      assert.ok(Object.hasOwn(seen?.networks ?? {}, API_NETWORK));
      const { output } = await scene.until(
        '/ping answers',
        () => wget('/ping'),
        ({ code }) => code === 0,
      );
      assert.equal(output.trim(), 'OK');
    });

    it('the address answers again after the agent was restarted, and after it was killed', async () => {
      for (const end of ['stop', 'kill'] as const) {
        await scene.agent[end]();
        await scene.agent.start();
        await scene.until(
          `/ping answers after ${end}`,
          () => wget('/ping'),
          ({ code }) => code === 0,
        );
      }
    });

    it('health and a condition tell that somebody else listens there, and the agent takes over by itself', async () => {
      const reach = async () => {
        const network = await scene.agent.document('Network', API_NETWORK);
        return network && conditionOf(network, 'ApiReachable')?.status;
      };
      const health = async () => (await scene.agent.ask('/v1/healthy')).status;
      await scene.agent.stop();
      const other = createServer().listen(scene.agent.port, '10.114.104.1');
      await once(other, 'listening');
      await scene.agent.start();
      await scene.until('the condition tells', reach, (seen) => seen === 'False');
      await scene.until('health tells', health, (seen) => seen === 500, { withinMs: 90_000 });
      other.close();
      await scene.until(
        '/ping answers',
        () => wget('/ping'),
        ({ code }) => code === 0,
      );
      await scene.until('the condition is true again', reach, (seen) => seen === 'True');
      assert.equal(await health(), 200);
    });

    it('its key shows its own app and no other', async () => {
      const { code, output } = await wget(`${STATE}?apikey=$BALENA_SUPERVISOR_API_KEY`);
      assert.equal(code, 0, output);
      assert.deepEqual(Object.keys(JSON.parse(output)), [names[0]]);
      const documents = await wget('/apis/supercargo.io/v1/apps?apikey=$BALENA_SUPERVISOR_API_KEY');
      assert.match(documents.output, /403/);
    });

    it('one in the network of the host has a key, too, and another address, and gets nothing without it', async () => {
      const name = `${scene.prefix}-host`;
      const id = scene.appId();
      const labels = { 'io.balena.features.supervisor-api': '1' };
      const main = scene.service({ network_mode: 'host', labels });
      await scene.put(name, { appId: id, services: { main, pids: { ...main, pid: 'host' } } });
      await scene.untilReady(name);
      for (const one of await scene.untilRunning(id, ['main', 'pids'])) await isRefused(one, name);
      await scene.delete(name);
      await scene.untilGone(name);
    });

    const isRefused = async (main: Container, name: string): Promise<void> => {
      assert.ok(main.env.includes(`BALENA_SUPERVISOR_ADDRESS=http://127.0.0.1:${scene.agent.port}`), main.env.join());
      const ask = (query: string) =>
        scene.exec(main.id, ['sh', '-c', `wget -q -O - "$BALENA_SUPERVISOR_ADDRESS${query}"`]);
      const own = await ask(`${STATE}?apikey=$BALENA_SUPERVISOR_API_KEY`);
      assert.equal(own.code, 0, own.output);
      assert.ok(Object.hasOwn(JSON.parse(own.output), name));
      for (const query of [STATE, `${STATE}?apikey=wrong`]) {
        const keyless = await ask(query);
        assert.notEqual(keyless.code, 0, keyless.output);
        assert.match(keyless.output, /401/);
      }
    };

    it('it gets nothing without a key', async () => {
      const { code, output } = await wget(STATE);
      assert.notEqual(code, 0);
      assert.match(output, /401/);
    });

    it('the shared network goes with the last service that wants it', async () => {
      for (const name of names) await scene.delete(name);
      for (const name of names) await scene.untilGone(name);
      await scene.until(
        `${API_NETWORK} is gone`,
        () => scene.agent.document('Network', API_NETWORK),
        (seen) => seen === undefined,
      );
    });
  });
});
