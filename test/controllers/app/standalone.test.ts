import assert from 'node:assert/strict';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import { type AnyDeclared, API_VERSION } from '../../../crds/model/kinds.js';
import { Device } from '../../simulation/device.js';

const metadata = { name: 'hello' };
const app = (service: object): AnyDeclared => ({
  ...{ apiVersion: API_VERSION, kind: 'App', metadata },
  spec: { appId: 1, services: { web: { image: 'web:1', ...service } } },
});
const standalone = (kind: 'Network' | 'Volume', spec: object): AnyDeclared =>
  ({
    ...{ apiVersion: API_VERSION, kind, metadata: { name: 'hello.extra' } },
    spec: { app: 'hello', appId: 1, ...spec },
  }) as unknown as AnyDeclared;

/** A document of its own brings a name that an App uses and does not declare. */
describe('an App that lacks a name', () => {
  const cases: readonly (readonly [what: string, service: object, brings: AnyDeclared])[] = [
    ['network', { networks: ['extra'] }, standalone('Network', { networkName: '1_extra' })],
    ['volume', { volumes: ['extra:/data'] }, standalone('Volume', { volumeName: '1_extra' })],
  ];
  for (const [what, service, brings] of cases) {
    it(`goes on as soon as somebody declares the ${what}`, async () => {
      const device = new Device();
      try {
        device.engine.images.add('web:1');
        const agent = await device.boot();
        const hello = () => agent.store.get('App', 'hello') ?? assert.fail('no App');
        await agent.propose([app(service)]);
        await agent.quiet();
        assert.equal(conditionOf(hello(), 'Stalled')?.reason, 'InvalidRelease');
        await agent.propose([app(service), brings]);
        for (let second = 0; second < 20; second += 1) {
          await agent.quiet();
          device.clock.advance(1_000);
        }
        await agent.quiet();
        assert.ok(isReady(hello()), conditionOf(hello(), 'Ready')?.message);
      } finally {
        await device.stop();
      }
    });
  }
});
