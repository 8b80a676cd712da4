import assert from 'node:assert/strict';
import fc from 'fast-check';
import { conditionOf } from '../../crds/model/conditions.js';
import type { Declared } from '../../crds/model/kinds.js';
import type { AppSpec } from '../../crds/model/types.js';
import { anyApp } from './any-app.js';
import { Device } from './device.js';
import { lockFiles } from './device-view.js';
import { byObject, followCalls, rehearsedLines, rehearseOn } from './rehearse-device.js';

/** Label of services that are never well. */
const ILL = 'ill';
/** Names of volumes that containers have of their own. */
const ANONYMOUS = /^[0-9a-f]{64}$/;
const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
/** How many releases one device gets, one after the other, each followed by a bad one. */
const RELEASES = 10;
/** How many pairs are tried: 500 take minutes. */
const PAIRS = Number(process.env.SUPERCARGO_LAWS ?? 30);

interface Pair {
  readonly good: Declared<'App'>;
  readonly bad: Declared<'App'>;
}

/** Services that hand a port of the host to each other stop and start side by side: whether it is free in time is chance. */
const released = ({ spec, ...app }: Declared<'App'>, commit: string, more: object): Declared<'App'> => {
  const services = Object.entries(spec.services ?? {}).map(([name, { ports: _, ...service }]) => [
    name,
    { ...service, ...more },
  ]);
  const release: AppSpec['release'] = { commit, id: 1 };
  const rollout: AppSpec['rollout'] = { minReadySeconds: 1 };
  return { ...app, spec: { ...spec, release, rollout, services: Object.fromEntries(services) } };
};

const anyPair = (appId: number): fc.Arbitrary<Pair> =>
  fc.tuple(anyApp(appId), anyApp(appId)).map(([good, bad]) => ({
    good: released(good, 'good', {}),
    bad: released(bad, 'bad', { labels: { [ILL]: 'yes' } }),
  }));

/** Everything that is on the engine and in the lock folder, but for what is of a container's own. */
function objectsOf(device: Device) {
  const { docker, images } = device.engine;
  const nameOf = (mode: string): string => {
    const id = mode.startsWith('container:') ? mode.slice('container:'.length) : undefined;
    return id === undefined ? mode : `container ${docker.findContainer(id)?.name}`;
  };
  return {
    containers: docker.containers
      .map(({ name, state, image, options, networks, networkMode }) => ({
        ...{ name, state, image, networkMode: nameOf(networkMode), options },
        networks: [...networks].map(([network, { id }]) => [network, id === docker.findNetwork(network)?.id]).sort(),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    networks: docker.networks.map(({ name, labels }) => ({ name, labels })).toSorted(byText),
    volumes: docker.volumes.map((one) => (ANONYMOUS.test(one.name) ? 'anonymous' : one)).toSorted(byText),
    images: images.list().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    locks: lockFiles(device),
  };
}

describe('generated apps, and bad releases of them', () => {
  it('a plan is what is then done, a second plan is empty, and a bad release leaves exactly what was there before', async function () {
    this.timeout(1_000_000);
    const pairs = fc.array(anyPair(7), { minLength: RELEASES, maxLength: RELEASES });
    await fc.assert(
      fc.asyncProperty(pairs, async (releases) => {
        const device = new Device();
        try {
          for (const image of ['web:1', 'db:1', 'web']) device.engine.images.add(image);
          device.engine.after = (verb, [id]) => {
            if (verb !== 'startContainer') return;
            const isIll = device.engine.docker.findContainer(String(id))?.options.Labels?.[ILL] !== undefined;
            device.engine.docker.setHealth(String(id), isIll ? 'unhealthy' : 'healthy');
          };
          const agent = await device.boot();
          for (const { good, bad } of releases) await law(device, agent, good, bad);
        } finally {
          device.discard();
        }
      }),
      // To shrink what fails would take hours.
      { numRuns: Math.ceil(PAIRS / RELEASES), seed: 7, endOnFailure: true },
    );
  });

  async function law(
    device: Device,
    agent: Awaited<ReturnType<Device['boot']>>,
    good: Declared<'App'>,
    bad: Declared<'App'>,
  ) {
    const declare = (one: Declared<'App'>) => agent.propose([one]);
    const images = Object.values(good.spec.services ?? {}).map(({ image }) => image);
    const plan = await rehearseOn(
      agent,
      async (store) => {
        await store.propose({ origin: 'files', documents: [{ document: good }] });
      },
      images,
    );
    const calls = followCalls(device);
    await declare(good);
    await agent.settle();
    calls.stop();
    assert.deepEqual(byObject(rehearsedLines(plan)), byObject(calls.lines));
    assert.deepEqual(rehearsedLines(await rehearseOn(agent)), []);

    const before = objectsOf(device);
    await declare(bad);
    await agent.settle();
    const app = agent.store.get('App', good.metadata.name);
    assert.equal(app && conditionOf(app, 'Ready')?.reason, 'RolledBack');
    assert.deepEqual(objectsOf(device), before);
    assert.deepEqual(rehearsedLines(await rehearseOn(agent)), []);
  }
});
