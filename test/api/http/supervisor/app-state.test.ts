import assert from 'node:assert/strict';
import { appState } from '../../../../api/http/supervisor/app-state.js';
import type { Store } from '../../../../api/store/store.js';
import { anApp, aServer, declare, report } from '../a-server.js';

describe('appState', () => {
  const cases: readonly { it: string; arrange: (store: Store) => unknown; want: string }[] = [
    { it: 'a settled app', arrange: (store) => report(store, 'App', 'one', {}), want: 'applied' },
    { it: 'a new app', arrange: () => undefined, want: 'applying' },
    {
      it: 'an app that waits or backs off',
      arrange: (store) => report(store, 'App', 'one', {}, 'Waiting'),
      want: 'applying',
    },
    {
      it: 'an app that is stalled until it changes',
      arrange: (store) => report(store, 'App', 'one', {}, 'Stalled'),
      want: 'applied',
    },
    {
      it: 'a settled app that somebody touched',
      arrange: (store) => {
        report(store, 'App', 'one', {});
        store.touch('App/one');
      },
      want: 'applying',
    },
    {
      it: 'a settled app whose spec changed',
      arrange: async (store) => {
        report(store, 'App', 'one', {});
        await declare(store, 'files', anApp('one', { appId: 1, name: 'other' }));
      },
      want: 'applying',
    },
    {
      it: 'a settled app that is being deleted',
      arrange: async (store) => {
        report(store, 'App', 'one', {});
        await declare(store, 'files');
      },
      want: 'applying',
    },
    {
      it: 'a settled app with a child that is not',
      arrange: async (store) => {
        report(store, 'App', 'one', {});
        await declare(store, 'App/one', {
          apiVersion: 'supercargo.io/v1',
          kind: 'Image',
          metadata: { name: 'one.a' },
          spec: { app: 'one', image: 'a:latest', services: ['a'] },
        });
      },
      want: 'applying',
    },
    {
      it: 'settings of the host that wait',
      arrange: async (store) => {
        report(store, 'App', 'one', {});
        await declare(store, 'api', {
          apiVersion: 'supercargo.io/v1',
          kind: 'HostConfig',
          metadata: { name: 'device' },
          spec: {},
        });
      },
      want: 'applied',
    },
  ];
  for (const { it: what, arrange, want } of cases) {
    it(`is ${want} for ${what}`, async () => {
      const { store, close } = await aServer();
      await declare(store, 'files', anApp('one', { appId: 1 }));
      await arrange(store);
      assert.equal(appState(store), want);
      await close();
    });
  }
  it('is applied on an empty device', async () => {
    const { store, close } = await aServer();
    assert.equal(appState(store), 'applied');
    await close();
  });
});
