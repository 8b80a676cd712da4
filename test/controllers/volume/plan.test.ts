import assert from 'node:assert/strict';
import type { SeenVolume } from '../../../controllers/engine/engine.js';
import { TerminalError } from '../../../controllers/runtime/outcome.js';
import { volumeOptions } from '../../../controllers/volume/options.js';
import { planVolume, type VolumeFacts } from '../../../controllers/volume/plan.js';
import type { Volume } from '../../../crds/model/kinds.js';
import { aVolume } from '../../setup/documents.js';
import { planText } from '../../setup/plan-text.js';

const seenVolume = (parts: Partial<SeenVolume> = {}): SeenVolume => ({
  name: '1_data',
  driver: 'local',
  options: {},
  labels: { 'io.balena.supervised': 'true' },
  specHash: 'whatever it was',
  mountpoint: '/somewhere',
  ...parts,
});
const byHand = seenVolume({ labels: {}, specHash: undefined });
const secondDriver = { driver: 'other', driver_opts: { type: 'nfs', size: '2' } };
const nfs = { driver_opts: { type: 'nfs', o: 'addr=10.0.0.1,password=secret' } };

const plan = (volume: Volume, facts: Partial<VolumeFacts>) =>
  planVolume(volume, {
    seen: undefined,
    mountedBy: [],
    wantedElsewhere: false,
    otherApps: [],
    purge: undefined,
    refusedAccess: [],
    ...facts,
  });

describe('planVolume', () => {
  const gone = aVolume({ deleted: true, spec: { reclaim: 'Delete' } });
  const cases: ReadonlyArray<{ it: string; volume?: Volume; facts?: Partial<VolumeFacts>; want: string }> = [
    { it: 'creates a volume that is missing', want: 'create (there was none); progressing: Creating' },
    { it: 'leaves an existing one alone', facts: { seen: seenVolume() }, want: 'settled' },
    {
      it: 'does not mind other labels',
      volume: aVolume({ spec: { labels: { a: 'b' } } }),
      facts: { seen: seenVolume() },
      want: 'settled',
    },
    {
      it: 'refuses another driver',
      volume: aVolume({ spec: { driver: 'nfs' } }),
      facts: { seen: seenVolume() },
      want: 'stalled: DataLossRefused',
    },
    {
      it: 'refuses other options',
      volume: aVolume({ spec: nfs }),
      facts: { seen: seenVolume() },
      want: 'stalled: DataLossRefused',
    },
    {
      it: 'refuses to drop options',
      facts: { seen: seenVolume({ options: { type: 'nfs' } }) },
      want: 'stalled: DataLossRefused',
    },
    {
      it: 'takes options that agree',
      volume: aVolume({ spec: nfs }),
      facts: { seen: seenVolume({ options: nfs.driver_opts }) },
      want: 'settled',
    },
    {
      it: 'makes no volume of a folder of the host that its document may not reach',
      facts: { refusedAccess: [{ path: 'spec.driver_opts.device', message: 'no leave' }] },
      want: 'stalled: InvalidSpec',
    },
    { it: 'adopts a volume without labels', facts: { seen: byHand }, want: 'settled' },
    {
      it: 'adopts it as it is where the document asks for nothing',
      facts: { seen: { ...byHand, driver: 'nfs', options: { a: 'b' } } },
      want: 'settled',
    },
    {
      it: 'does not adopt what the document rules out',
      volume: aVolume({ spec: { driver: 'nfs' } }),
      facts: { seen: byHand },
      want: 'stalled: DataLossRefused',
    },
    {
      it: 'keeps the data of a deleted volume by default',
      volume: aVolume({ deleted: true }),
      facts: { seen: seenVolume() },
      want: 'settled',
    },
    {
      it: 'removes a deleted volume that may go',
      volume: gone,
      facts: { seen: seenVolume() },
      want: 'remove (deleted, and its data with it); progressing: Removing',
    },
    {
      it: 'waits for containers that mount it',
      volume: gone,
      facts: { seen: seenVolume(), mountedBy: ['web'] },
      want: 'waiting: StillMounted',
    },
    { it: 'has done its work when it is gone', volume: gone, want: 'settled' },
    {
      it: 'removes what a purge is to empty',
      facts: { seen: seenVolume(), purge: 'p1' },
      want: 'remove (purge of the app requested); progressing: Purging',
    },
    {
      it: 'waits until nobody mounts what a purge is to empty',
      facts: { seen: seenVolume(), purge: 'p1', mountedBy: ['web'] },
      want: 'waiting: StillMounted',
    },
    {
      it: 'empties one of the usual name that has no labels, too: the engine made it',
      facts: { seen: byHand, purge: 'p1' },
      want: 'remove (purge of the app requested); progressing: Purging',
    },
    {
      it: 'refuses to empty what the App has only named: somebody else filled it',
      volume: aVolume({ spec: { volumeName: 'shop_data' } }),
      facts: { seen: { ...byHand, name: 'shop_data' }, purge: 'p1' },
      want: 'refuse (Nobody knows whose the data of the volume shop_data are: it was there before the App named it. Empty it by hand); progressing: PurgeRefused',
    },
    { it: 'creates it again', facts: { purge: 'p1' }, want: 'create (purged); progressing: Creating' },
    {
      it: 'does not empty it twice',
      facts: { seen: seenVolume({ labels: { 'io.supercargo.made-after': 'p0 p1' } }), purge: 'p1' },
      want: 'settled',
    },
    {
      it: 'lets a purge make the volume that the document asks for',
      volume: aVolume({ spec: nfs }),
      facts: { seen: seenVolume(), purge: 'p1' },
      want: 'remove (purge of the app requested); progressing: Purging',
    },
    {
      it: 'empties one without labels as well: the app calls it its own',
      facts: { seen: byHand, purge: 'p1' },
      want: 'remove (purge of the app requested); progressing: Purging',
    },
    { it: 'never removes what is not ours', volume: gone, facts: { seen: byHand }, want: 'settled' },
    {
      it: 'leaves it to another document that names it',
      volume: gone,
      facts: { seen: seenVolume(), wantedElsewhere: true },
      want: 'settled',
    },
  ];
  for (const { it: does, volume = aVolume(), facts = {}, want } of cases) {
    it(does, () =>
      assert.equal(
        planText(() => plan(volume, facts)),
        want,
      ),
    );
  }

  it('says whom it waits for, in order', () => {
    const { outcome } = plan(gone, { seen: seenVolume(), mountedBy: ['web', 'db'] });
    assert.equal('message' in outcome && outcome.message, 'Waiting for db, web to let go of the volume 1_data');
  });

  it('names the difference and the ways out, and no option values', () => {
    assert.throws(
      () => plan(aVolume({ spec: nfs }), { seen: seenVolume() }),
      (error) =>
        error instanceof TerminalError &&
        /differ from the document in o, type/.test(error.message) &&
        /purge the app/.test(error.message) &&
        !error.message.includes('secret'),
    );
  });
});

describe('a volume whose data stay', () => {
  it('is looked at without the other Apps', () => {
    const seen = seenVolume();
    const facts: VolumeFacts = {
      ...{ seen, mountedBy: [], purge: undefined, refusedAccess: [] },
      get wantedElsewhere(): boolean {
        return assert.fail('looks at all Apps');
      },
      get otherApps(): readonly string[] {
        return assert.fail('looks at all Apps');
      },
    };
    assert.equal(
      planText(() => planVolume(aVolume(), facts)),
      'settled',
    );
    assert.equal(
      planText(() => planVolume(aVolume({ deleted: true, spec: { reclaim: 'Retain' } }), facts)),
      'settled',
    );
  });
});

describe('volume options', () => {
  it('names everything that differs', () => {
    assert.throws(
      () => plan(aVolume({ spec: secondDriver }), { seen: seenVolume({ options: { size: '1' } }) }),
      /its driver is local, the document says other, and its options differ from the document in size, type\./,
    );
  });

  it('labels a volume as the Supervisor does', () => {
    const { Labels, ...options } = volumeOptions(
      aVolume({ spec: { appUuid: 'abc', labels: { 'io.resin.x': '1', 'io.balena.y': '2' }, ...nfs } }).spec,
    );
    assert.deepEqual(options, { Driver: 'local', DriverOpts: nfs.driver_opts });
    const { 'io.supercargo.spec-hash': hash, ...labels } = Labels;
    assert.match(hash ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(labels, {
      'io.balena.supervised': 'true',
      'io.balena.app-id': '1',
      'io.balena.app-uuid': 'abc',
      'io.balena.x': '1',
      'io.balena.y': '2',
    });
  });
});
