import assert from 'node:assert/strict';
import type { SeenVolume } from '../../../controllers/engine/engine.js';
import { orphanedVolumes } from '../../../controllers/volume/orphans.js';
import type { Kind } from '../../../crds/model/kinds.js';
import { aDocument } from '../../api/http/a-server.js';

const volume = (name: string, labels: Record<string, string> = {}): SeenVolume => ({
  name,
  driver: 'local',
  options: {},
  labels,
  specHash: undefined,
  mountpoint: `/v/${name}`,
});
const ours = (appId: string) => ({ 'io.balena.supervised': 'true', 'io.balena.app-id': appId });

const VOLUMES = [
  volume('7_data', { ...ours('7'), 'io.balena.app-uuid': 'seven' }),
  volume('2_old', ours('2')),
  volume('3_old', { 'io.resin.supervised': 'true', 'io.balena.app-id': '3' }),
  volume('1_data', ours('1')), // spoken of by a document
  volume('1_stray', ours('1')), // the app is there: its own cleanup takes it
  volume('9_foreign'),
  volume('9_half', { 'io.balena.app-id': '9' }),
  volume('9_nobody', { 'io.balena.supervised': 'true' }),
];

/** Volumes on an engine, beside one App and its volume. */
function aDesk({
  hasSynced = true,
  everSeen = true,
  users = [] as string[],
  unavailableOrigins = [] as string[],
  sources = [] as string[],
  isDeclared = true,
} = {}) {
  const volumes = [...VOLUMES];
  const output: unknown[] = [];
  const documents: Partial<Record<Kind, readonly object[]>> = {
    App: [aDocument('App', 'one', { appId: 1 })],
    Volume: [aDocument('Volume', 'one.data', { app: 'one', appId: 1, volumeName: '1_data', reclaim: 'Retain' })],
    GitSource: sources.map((name) => aDocument('GitSource', name, { url: 'https://example.org/x.git' })),
  };
  const orphans = orphanedVolumes({
    isDeclared: () => isDeclared,
    store: {
      list: ((kind: Kind) => documents[kind] ?? []) as never,
      unavailableOrigins: () =>
        unavailableOrigins.map((origin) => ({ origin: origin as 'files', forMs: 0, message: 'no such folder' })),
    },
    cache: {
      hasSynced,
      syncError: 'The engine is down',
      vitals: {
        listedAtMs: everSeen ? 1 : undefined,
        triedAtMs: 1,
        lostAtMs: hasSynced ? undefined : 1,
        engineAnswers: hasSynced,
      },
      volumes: () => volumes,
      refreshVolume: async () => undefined,
    },
    engine: {
      removeVolume: async (name) => {
        if (users.length > 0) return 'in-use';
        volumes.splice(
          volumes.findIndex((one) => one.name === name),
          1,
        );
        return 'removed';
      },
      volumeUsers: async () => users.map((name) => ({ name, isOurs: false })),
    },
    logs: { system: (text, owner) => output.push([text, owner]) },
  });
  return { orphans, output, names: () => orphans.list().map(({ name }) => name) };
}
const signal = new AbortController().signal;

describe('orphaned volumes', () => {
  it('are those with our labels whose app no document knows', () => {
    const { orphans, names } = aDesk();
    assert.deepEqual(names(), ['2_old', '3_old', '7_data']);
    assert.deepEqual(orphans.list().at(-1), {
      name: '7_data',
      appId: 7,
      appUuid: 'seven',
      driver: 'local',
      mountpoint: '/v/7_data',
    });
  });

  it('go by name, and nothing else does', async () => {
    const { orphans, names, output } = aDesk();
    assert.deepEqual(await orphans.remove('2_old', signal), { is: 'removed' });
    for (const name of ['1_data', '1_stray', '9_foreign', '9_half', 'none']) {
      assert.deepEqual(await orphans.remove(name, signal), { is: 'absent' });
    }
    assert.deepEqual(
      [names(), output],
      [['3_old', '7_data'], [["Removing volume '2_old', whose app is gone", { app: 2 }]]],
    );
  });

  it('stay while somebody mounts them', async () => {
    const { orphans, names } = aDesk({ users: ['somebody'] });
    assert.deepEqual(await orphans.remove('2_old', signal), { is: 'in-use', by: ['somebody'] });
    assert.deepEqual(names(), ['2_old', '3_old', '7_data']);
  });

  it('are shown as they were last seen while the engine does not answer, and none is removed', async () => {
    const { orphans } = aDesk({ hasSynced: false });
    assert.equal(orphans.lastSeen().length, 3);
    assert.throws(() => orphans.list(), /The engine is down/);
    await assert.rejects(orphans.remove('2_old', signal), /The engine is down/);
  });

  it('are not taken for none while the engine has never been seen', () => {
    assert.throws(() => aDesk({ hasSynced: false, everSeen: false }).orphans.lastSeen(), /The engine is down/);
  });

  it('are not reported before every source has been read', async () => {
    const { orphans } = aDesk({ isDeclared: false });
    assert.throws(() => orphans.list(), /still reading what is declared/);
    assert.throws(() => orphans.lastSeen(), /still reading what is declared/);
    assert.throws(() => orphans.unsure(), /still reading what is declared/);
    await assert.rejects(orphans.remove('2_old', signal), /still reading what is declared/);
  });

  it('may have an app after all while a source has not been read', () => {
    assert.equal(aDesk().orphans.unsure(), undefined);
    assert.match(
      aDesk({ unavailableOrigins: ['files'] }).orphans.unsure() ?? '',
      /^files cannot be read at present: no such folder$/,
    );
    assert.match(aDesk({ sources: ['fleet'] }).orphans.unsure() ?? '', /^git\/fleet has not been read yet$/);
  });
});
