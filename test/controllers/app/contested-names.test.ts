import assert from 'node:assert/strict';
import { orphanedVolumes } from '../../../controllers/volume/orphans.js';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION } from '../../../crds/model/kinds.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { type Agent, Device } from '../../simulation/device.js';

const parse = (name: string, spec: object) =>
  parseDocument({
    ...{ apiVersion: API_VERSION, kind: 'App', metadata: { name } },
    spec: { rollout: { minReadySeconds: 0 }, services: { web: { image: 'web:1' } }, ...spec },
  });
const app = (name: string, spec: object): AnyDeclared => {
  const parsed = parse(name, spec);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document;
};
const withData = (name: string, data: object, more: object = {}): AnyDeclared =>
  app(name, {
    ...{ services: { web: { image: 'web:1', volumes: ['data:/data'] } }, volumes: { data }, volumeReclaim: 'Delete' },
    ...more,
  });

describe('names that several want', () => {
  let device: Device;
  let agent: Agent;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1');
    agent = await device.boot();
  });
  afterEach(() => device.stop());

  const settle = async (): Promise<void> => {
    for (let second = 0; second < 30; second += 1) {
      await agent.quiet();
      device.clock.advance(1_000);
    }
    await agent.quiet();
  };
  const declare = async (...documents: readonly AnyDeclared[]): Promise<void> => {
    await agent.propose(documents);
    await settle();
  };
  const of = (name: string) => agent.store.get('App', name) ?? assert.fail(`no App ${name}`);
  const ready = (name: string): void =>
    assert.ok(isReady(of(name)), `${name}: ${conditionOf(of(name), 'Ready')?.message}`);
  const volume = (name: string) => device.engine.docker.volumes.find((one) => one.name === name);

  it('keeps the data of a volume that goes from one App to another in one proposal', async () => {
    await declare(withData('x', { name: 'v1' }), withData('y', { name: 'v2' }));
    const before = volume('v2');
    await declare(withData('x', { name: 'v2' }));
    ready('x');
    assert.equal(agent.store.get('App', 'y'), undefined);
    assert.equal(volume('v2'), before);
  });

  it('keeps data that a suspended App names, which has no document of them yet', async () => {
    await declare(withData('owner', { name: 'shared' }));
    const before = volume('shared');
    const user = withData('user', { name: 'shared', external: true }, { suspend: true });
    await declare(withData('owner', { name: 'shared' }), user);
    assert.deepEqual(
      agent.store.list('Volume').map(({ spec }) => spec.app),
      ['owner'],
    );
    await agent.store.request('App/owner', { purge: {} });
    await settle();
    assert.equal(volume('shared'), before);
    await declare(user);
    assert.equal(agent.store.get('App', 'owner'), undefined);
    assert.equal(volume('shared'), before);
    const { store, cache, logs } = agent;
    assert.deepEqual(orphanedVolumes({ store, cache, engine: device.engine, logs }).list(), []);
  });

  it('leaves a foreign network alone whose bridge has the name of the network', async () => {
    device.engine.docker.createNetwork('proxy', { Options: { 'com.docker.network.bridge.name': 'proxy' }, Labels: {} });
    const id = device.engine.docker.findNetwork('proxy')?.id;
    await declare(app('host', { networks: { default: { name: 'proxy' } } }));
    assert.match(conditionOf(of('host'), 'Ready')?.message ?? '', /NameTaken: A network proxy that is not ours exists/);
    await declare();
    assert.equal(device.engine.docker.findNetwork('proxy')?.id, id);
  });

  for (const change of ['nothing else', 'one of them', 'both'] as const) {
    it(`has two services exchange the names of their containers, with a change of ${change}`, async () => {
      const two = (a: string, b: string, changed: boolean): AnyDeclared => {
        const fields = (name: string, changes: boolean) => ({
          ...{ image: 'web:1', containerName: name },
          ...(changes && changed ? { environment: { V: '2' } } : {}),
        });
        return app('shop', {
          services: { a: fields(a, change !== 'nothing else'), b: fields(b, change === 'both') },
        });
      };
      await declare(two('ca', 'cb', false));
      await declare(two('cb', 'ca', true));
      ready('shop');
      assert.deepEqual(
        ['a', 'b'].map((name) => agent.store.get('Service', `shop.${name}`)?.status?.container?.name),
        ['cb', 'ca'],
      );
      assert.equal(device.engine.docker.containers.length, 2);
    });
  }

  it('has two services exchange the names of their containers that never ran', async () => {
    const two = (a: string, b: string): AnyDeclared => {
      const fields = (name: string) => ({ image: 'web:1', containerName: name, running: false });
      return app('shop', { services: { a: fields(a), b: fields(b) } });
    };
    await declare(two('ca', 'cb'));
    const before = device.engine.docker.containers.map(({ id, name }) => `${name} ${id}`);
    await declare(two('cb', 'ca'));
    ready('shop');
    const swapped = device.engine.docker.containers.map(({ id, name }) => `${name === 'ca' ? 'cb' : 'ca'} ${id}`);
    assert.deepEqual(swapped.sort(), before.sort());
  });

  for (const name of ['bridge', 'host', 'none', 'default', 'supervisor0']) {
    for (const external of [true, false]) {
      it(`refuses ${name} as the name of ${external ? 'an external' : 'a'} network`, () => {
        const result = parse('shop', { networks: { x: { name, external } } });
        assert.deepEqual(result.ok ? [] : result.issues.map(({ path }) => path), ['spec.networks.x.name']);
      });
    }
  }

  for (const part of ['networks', 'volumes']) {
    it(`refuses two ${part} of an App with one name, usual ones among them`, () => {
      const ids = { appId: 7, uuid: '7' };
      for (const two of [
        { a: { name: 'x1' }, b: { name: 'x1', external: true } },
        { a: { name: '7_b' }, b: null },
      ]) {
        const result = parse('shop', { ...ids, [part]: two });
        assert.deepEqual(result.ok ? [] : result.issues.map(({ path }) => path), [`spec.${part}.b`]);
      }
    });
  }
});
