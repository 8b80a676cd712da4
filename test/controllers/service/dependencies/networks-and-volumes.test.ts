import assert from 'node:assert/strict';
import type { SeenNetwork, SeenVolume } from '../../../../controllers/engine/engine.js';
import {
  closingNetworks,
  networkDependency,
  volumeDependency,
} from '../../../../controllers/service/dependencies/networks-and-volumes.js';
import type { ServiceDeps } from '../../../../controllers/service/deps.js';
import type { AnyResource, App } from '../../../../crds/model/kinds.js';
import { aNetwork, anApp, aVolume, notReady, ready } from '../../../setup/documents.js';

/** A store with these documents, and a cache in which the network and the volume exist or not. */
const deps = (documents: readonly AnyResource[], exists = true): ServiceDeps =>
  ({
    store: { list: (kind: string) => documents.filter((one) => one.kind === kind) },
    cache: {
      network: (name: string) => (exists ? ({ id: `id of ${name}` } as SeenNetwork) : undefined),
      volume: (name: string) => (exists ? ({ name } as SeenVolume) : undefined),
    },
  }) as unknown as ServiceDeps;

describe('a network that a service needs', () => {
  type Row = {
    readonly it: string;
    readonly documents: readonly AnyResource[];
    readonly exists?: boolean;
    readonly want: string | undefined;
  };
  const rows: readonly Row[] = [
    { it: 'can be used when it is Ready', documents: [aNetwork({ status: ready() })], want: undefined },
    {
      it: 'can be used when it is stalled as it is',
      documents: [
        aNetwork({
          status: {
            ...notReady('PoolOverlaps'),
            conditions: [{ ...ready().conditions[0], type: 'Stalled', reason: 'PoolOverlaps' } as never],
          },
        }),
      ],
      want: undefined,
    },
    {
      it: 'is waited for until it has settled',
      documents: [aNetwork({ status: notReady('Creating') })],
      want: 'it is not settled yet',
    },
    {
      it: 'is waited for until it exists',
      documents: [aNetwork({ status: ready() })],
      exists: false,
      want: 'it does not exist yet',
    },
    {
      it: 'is waited for while it is recreated',
      documents: [aNetwork({ status: { ...ready(), rebuilding: true } })],
      want: 'it is being recreated',
    },
    { it: 'is waited for when nobody declares it', documents: [], want: 'no document declares it' },
    {
      it: 'is waited for while it is being removed',
      documents: [aNetwork({ deleted: true })],
      want: 'it is being removed',
    },
    {
      it: 'can be used when another document declares it already',
      documents: [aNetwork({ deleted: true }), aNetwork({ status: ready() })],
      want: undefined,
    },
    {
      it: 'is no other network',
      documents: [aNetwork({ status: ready(), spec: { networkName: '1_other' } })],
      want: 'no document declares it',
    },
  ];
  for (const { it: what, documents, exists, want } of rows) {
    it(what, () => assert.equal(networkDependency(deps(documents, exists), '1_default', []).notReady, want));
  }

  it('says whether its controller has looked at the present document', () => {
    const of = (status: ReturnType<typeof notReady> | ReturnType<typeof ready>) => {
      const { isUnsettled, isUnseen } = networkDependency(deps([aNetwork({ status })]), '1_default', []);
      return [isUnsettled, isUnseen];
    };
    assert.deepEqual(of(ready()), [undefined, undefined]);
    assert.deepEqual(of(notReady('StillAttached')), [true, undefined]);
    assert.deepEqual(of({ ...ready(), observedGeneration: 0 }), [true, true]);
  });

  it('says that it lacks a subnet where another network has that', () => {
    const of = (reason: Parameters<typeof notReady>[0], exists: boolean) =>
      networkDependency(deps([aNetwork({ status: notReady(reason) })], exists), '1_default', []).lacksSubnet;
    assert.equal(of('PoolOverlaps', false), true);
    assert.equal(of('PoolsExhausted', false), true);
    assert.equal(of('PoolOverlaps', true), undefined);
    assert.equal(of('Creating', false), undefined);
  });

  it('has its id and the aliases of the service', () => {
    const { name, id, aliases } = networkDependency(deps([]), '1_default', ['web']);
    assert.deepEqual({ name, id, aliases }, { name: '1_default', id: 'id of 1_default', aliases: ['web'] });
  });
});

describe('a volume that a service needs', () => {
  const purging = anApp({
    requests: { purge: { id: 'p', at: '2026-01-01T00:00:00Z' } },
    status: { begun: { purge: 'p' } },
  });
  type Row = {
    readonly it: string;
    readonly documents: readonly AnyResource[];
    readonly app?: App;
    readonly exists?: boolean;
    readonly want: string | undefined;
  };
  const rows: readonly Row[] = [
    { it: 'can be used when it exists', documents: [aVolume()], want: undefined },
    { it: 'is waited for until it exists', documents: [aVolume()], exists: false, want: 'it does not exist yet' },
    { it: 'is made by the engine when nobody declares it', documents: [], exists: false, want: undefined },
    {
      it: 'is waited for while it is being removed',
      documents: [aVolume({ deleted: true })],
      want: 'it is being removed',
    },
    {
      it: 'can be used when another document declares it already',
      documents: [aVolume({ deleted: true }), aVolume()],
      want: undefined,
    },
    { it: 'is waited for while a purge empties it', documents: [aVolume()], app: purging, want: 'it is being emptied' },
    {
      it: 'can be used once the purge has emptied it',
      documents: [aVolume({ status: { handled: { 'app.purge': 'p' } } })],
      app: purging,
      want: undefined,
    },
    {
      it: 'is waited for by the next purge',
      documents: [aVolume({ status: { handled: { 'app.purge': 'earlier' } } })],
      app: purging,
      want: 'it is being emptied',
    },
    { it: 'is not waited for by a purge when nobody declares it', documents: [], app: purging, want: undefined },
  ];
  for (const { it: what, documents, app, exists, want } of rows) {
    it(what, () => assert.equal(volumeDependency(deps(documents, exists), app, '1_data').notReady, want));
  }
});

describe('networks that containers have to leave', () => {
  it('are those that are recreated or removed', () => {
    const documents = [
      aNetwork({ status: ready(), spec: { networkName: 'stays' } }),
      aNetwork({ deleted: true, spec: { networkName: 'goes' } }),
      aNetwork({ status: { rebuilding: true }, spec: { networkName: 'changes' } }),
      aNetwork({ deleted: true, status: { rebuilding: true }, spec: { networkName: 'both' } }),
    ];
    assert.deepEqual(Object.fromEntries(closingNetworks(deps(documents))), {
      goes: 'removed',
      changes: 'recreated',
      both: 'recreated',
    });
  });
});
