import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { openKeys } from '../../../../api/device-state/key-file.js';
import { openTags } from '../../../../api/device-state/tag-file.js';
import { lostFiles, recordLostFiles } from '../../../../api/store/persistence/lost-files.js';
import { readDeviceFacts } from '../../../../controllers/host/facts/device-facts.js';
import { NOW, Place } from '../fixtures.js';

describe('Files of the agent that cannot be used', () => {
  let place: Place;
  beforeEach(async () => {
    place = await Place.make();
  });
  afterEach(() => place.remove());
  const now = () => NOW;

  const cases: readonly { file: string; read: () => unknown; want: RegExp }[] = [
    {
      file: 'device.json',
      read: () =>
        readDeviceFacts({ hostRoot: place.path('host'), dataFolder: place.folder, engineSocket: '', apiPort: 1, now }),
      want: /this device has a new uuid/,
    },
    {
      file: 'keys.json',
      read: () => openKeys({ folder: place.folder, globalKey: undefined, now, log: place.log }),
      want: /all API keys are new/,
    },
    {
      file: 'tags.json',
      read: () => openTags({ folder: place.folder, now, log: place.log }),
      want: /tags .* are gone/,
    },
    { file: 'commit.json', read: () => place.store(), want: /may be missing/ },
  ];
  for (const { file, read, want } of cases) {
    it(`are a problem and an event, over restarts, until somebody removes ${file}`, async () => {
      writeFileSync(place.path(file), '{"global":"hush-hush');
      await read();
      for (const life of ['this', 'the next']) {
        const store = await place.store();
        recordLostFiles(store, lostFiles(place.folder));
        const [problem, ...others] = store.problems();
        assert.match(problem?.message ?? '', want, life);
        assert.equal(problem?.source?.file, place.path(`${file}.corrupt-${NOW}`));
        assert.deepEqual([others, problem?.origin], [[], 'agent']);
        const [event] = store.events('HostConfig/device');
        assert.deepEqual([event?.type, event?.reason, event?.message], ['Warning', 'FileUnusable', problem?.message]);
        assert.doesNotMatch(JSON.stringify([problem, event]), /hush-hush/);
        await read();
      }
      const store = await place.store();
      rmSync(place.path(`${file}.corrupt-${NOW}`));
      assert.deepEqual(store.problems(), []);
    });
  }

  it('are none at a first start', async () => {
    for (const { read } of cases) await read();
    assert.deepEqual((await place.store()).problems(), []);
  });
});
