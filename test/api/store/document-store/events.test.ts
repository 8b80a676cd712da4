import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import { Place } from '../fixtures.js';

describe('The store', () => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = await Place.make();
    store = await place.store();
  });
  afterEach(() => place.remove());

  describe('keeps events', () => {
    it('counting equal ones up, the latest of each document, the latest of all', () => {
      const reported: string[] = [];
      store.watchEvents(({ message, count }) => reported.push(`${message} ${count}`));
      for (const message of ['one', 'two', 'one']) {
        store.record('Service/web', { type: 'Normal', reason: 'Recovered', message });
      }
      assert.deepEqual(reported, ['one 1', 'two 1', 'one 2']);
      assert.deepEqual(
        store.events('Service/web').map(({ message }) => message),
        ['two', 'one'],
      );
      for (let at = 0; at < 100; at += 1) {
        store.record('Service/web', { type: 'Normal', reason: 'Recovered', message: `message ${at}` });
      }
      assert.equal(store.events('Service/web').length, 32);
      assert.equal(store.events('Service/web').at(-1)?.message, 'message 99');
      for (let at = 0; at < 5_000; at += 1) {
        store.record(`Service/s${at}`, { type: 'Warning', reason: 'Recovered', message: 'many' });
      }
      assert.equal(store.events().length, 1_000);
      assert.deepEqual(store.events('Service/web'), []);
    });
  });
});
