import assert from 'node:assert/strict';
import type { SeenContainer, SeenNetwork } from '../../../controllers/engine/engine.js';
import { networkHash, networkOptions } from '../../../controllers/network/options.js';
import { type NetworkFacts, planNetwork } from '../../../controllers/network/plan.js';
import { attempt, TerminalError } from '../../../controllers/runtime/outcome.js';
import type { Network } from '../../../crds/model/kinds.js';
import type { NetworkSpec } from '../../../crds/model/types.js';
import { aNetwork } from '../../setup/documents.js';
import { planText } from '../../setup/plan-text.js';

const OURS = { 'io.balena.supervised': 'true' };
const plain = {
  driver: 'bridge',
  internal: false,
  ipv6: false,
  configOnly: false,
  attachable: false,
  options: {},
  pools: [],
};

const seenNetwork = (parts: Partial<SeenNetwork> = {}): SeenNetwork => ({
  id: 'aaaa',
  name: '1_default',
  labels: OURS,
  specHash: networkHash(aNetwork().spec),
  gateway: '172.18.0.1',
  ...parts,
});

const seenContainer = (name: string, networkId = 'aaaa'): SeenContainer => ({
  id: `id-of-${name}`,
  name,
  appId: 1,
  serviceName: name,
  specHash: undefined,
  labels: OURS,
  state: 'running',
  health: undefined,
  exitCode: 0,
  error: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: undefined,
  finishedAt: undefined,
  image: 'sha256:1',
  networkMode: '1_default',
  networks: { '1_default': { id: networkId } },
  volumes: [],
});

const plan = (network: Network, facts: Partial<NetworkFacts>) =>
  planNetwork(network, {
    ...{ seen: [], attached: [], wantedElsewhere: false, awaited: false, foreign: [], leaked: new Set() },
    ...facts,
  });

describe('planNetwork', () => {
  const deleted = aNetwork({ deleted: true });
  const web = seenContainer('web');
  const old = seenNetwork({ specHash: 'old' });
  const THEIRS = new Set(['aaaa']);
  const theirs = (definition: Partial<typeof plain> = {}) =>
    seenNetwork({ labels: {}, specHash: undefined, definition: { ...plain, ...definition } });
  const cases: ReadonlyArray<{
    it: string;
    network?: Network;
    facts?: Partial<NetworkFacts>;
    want: string;
    rebuilding?: boolean;
    /** The id of the network that is removed. */
    removes?: string;
    /** What a wait or a refusal says. */
    says?: string;
  }> = [
    { it: 'creates a network that is missing', want: 'create (there was none); progressing: Creating' },
    { it: 'leaves a matching network alone', facts: { seen: [seenNetwork()], attached: [web] }, want: 'settled' },
    {
      it: 'waits while a changed network has containers',
      facts: { seen: [old], attached: [web] },
      want: 'waiting: StillAttached',
      rebuilding: true,
      says: 'Waiting for web to leave the network 1_default, so that it can be recreated',
    },
    {
      it: 'removes a changed network that nobody uses',
      facts: { seen: [old] },
      want: 'remove (spec changed); progressing: Removing',
      rebuilding: true,
    },
    {
      it: 'adopts the network of a Supervisor',
      facts: { seen: [seenNetwork({ specHash: undefined, definition: plain })], attached: [web] },
      want: 'settled',
    },
    {
      it: 'adopts one of which nothing more is known',
      facts: { seen: [seenNetwork({ specHash: undefined })] },
      want: 'settled',
    },
    {
      it: 'recreates a different one of a Supervisor',
      facts: { seen: [seenNetwork({ specHash: undefined, definition: { ...plain, internal: true } })] },
      want: 'remove (internal changed); progressing: Removing',
      rebuilding: true,
    },
    {
      it: 'uses the network of docker compose as it is',
      facts: { seen: [theirs({ attachable: true })], adopted: THEIRS, attached: [web] },
      want: 'settled',
    },
    {
      it: 'keeps a different one of docker compose while somebody else needs it, and goes on',
      facts: { seen: [theirs({ internal: true })], adopted: THEIRS, foreign: ['shop-db-1'] },
      want: 'stalled: StillAttached',
      says: 'Network 1_default is to be recreated (internal changed) and stays as it was: container shop-db-1, not ours, is on it; take them over, or remove them',
    },
    {
      it: 'recreates a different one of docker compose once nobody else needs it',
      facts: { seen: [theirs({ internal: true })], adopted: THEIRS },
      want: 'remove (internal changed); progressing: Removing',
      rebuilding: true,
    },
    {
      it: 'removes the network of docker compose with the App',
      network: deleted,
      facts: { seen: [theirs()], adopted: THEIRS },
      want: 'remove (deleted); progressing: Removing',
    },
    {
      it: 'leaves it while somebody else needs it',
      network: deleted,
      facts: { seen: [theirs()], adopted: THEIRS, foreign: ['shop-db-1'] },
      want: 'settled',
    },
    {
      it: 'refuses a name that somebody else took',
      facts: { seen: [seenNetwork({ id: 'abcdefghijklmnop', labels: {}, specHash: undefined })] },
      want: 'stalled: NameTaken',
      says: 'A network 1_default that is not ours exists (abcdefghijkl): use it as it is with external: true, give this one another name, or remove it with `docker network rm`',
    },
    {
      it: 'refuses it beside one of ours as well',
      facts: { seen: [seenNetwork(), seenNetwork({ id: 'bbbb', labels: {}, specHash: undefined })] },
      want: 'stalled: NameTaken',
    },
    {
      it: 'removes a duplicate that nobody uses',
      facts: { seen: [seenNetwork(), seenNetwork({ id: 'bbbb' })], attached: [web] },
      want: 'remove (duplicate); progressing: Removing',
      removes: 'bbbb',
    },
    {
      it: 'removes the first of two when somebody uses the other',
      facts: { seen: [seenNetwork(), seenNetwork({ id: 'bbbb' })], attached: [seenContainer('web', 'bbbb')] },
      want: 'remove (duplicate); progressing: Removing',
      removes: 'aaaa',
    },
    {
      it: 'keeps the first of two that nobody uses',
      facts: { seen: [seenNetwork(), seenNetwork({ id: 'bbbb' })] },
      want: 'remove (duplicate); progressing: Removing',
      removes: 'bbbb',
    },
    {
      it: 'has everybody step aside when both are used',
      facts: { seen: [seenNetwork(), seenNetwork({ id: 'bbbb' })], attached: [web, seenContainer('db', 'bbbb')] },
      want: 'waiting: StillAttached',
      rebuilding: true,
      says: 'Waiting for db, web to leave the network 1_default, so that it can be recreated',
    },
    {
      it: 'takes a container that never started for a user of any of them',
      facts: { seen: [seenNetwork(), seenNetwork({ id: 'bbbb' })], attached: [seenContainer('db', '')] },
      want: 'waiting: StillAttached',
      rebuilding: true,
    },
    {
      it: 'takes a container for one of which the engine tells no networks',
      facts: {
        seen: [seenNetwork(), seenNetwork({ id: 'bbbb' })],
        attached: [{ ...seenContainer('db'), networks: {} }],
      },
      want: 'waiting: StillAttached',
      rebuilding: true,
    },
    {
      it: 'takes a network for its own that a Supervisor labelled in the days of resin',
      facts: { seen: [seenNetwork({ labels: { 'io.resin.supervised': 'true' } })] },
      want: 'settled',
    },
    {
      it: 'keeps a changed network as it was whose endpoints the engine has lost, and says what helps',
      facts: { seen: [old], attached: [web], leaked: new Set(['aaaa']) },
      want: 'stalled: EndpointsLeaked',
      says: 'The engine keeps endpoints of containers that are gone on network 1_default and does not remove it: disconnect them with `docker network disconnect --force 1_default <name of a former container>`, or restart the engine; until then it stays as it was (spec changed)',
    },
    {
      it: 'removes a changed network while another one has such endpoints',
      facts: { seen: [old], leaked: new Set(['bbbb']) },
      want: 'remove (spec changed); progressing: Removing',
      rebuilding: true,
    },
    {
      it: 'leaves a deleted one with such endpoints to whoever declares it again',
      network: deleted,
      facts: { seen: [seenNetwork()], leaked: new Set(['aaaa']), awaited: true },
      want: 'settled',
    },
    {
      it: 'waits for containers to leave it all the same',
      network: deleted,
      facts: { seen: [seenNetwork()], attached: [web], leaked: new Set(['aaaa']), awaited: true },
      want: 'waiting: StillAttached',
    },
    {
      it: 'tries to remove it again when nobody declares it again',
      network: deleted,
      facts: { seen: [seenNetwork()], leaked: new Set(['aaaa']) },
      want: 'remove (deleted); progressing: Removing',
    },
    {
      it: 'removes a deleted network before it is created again',
      network: deleted,
      facts: { seen: [seenNetwork()], awaited: true },
      want: 'remove (deleted); progressing: Removing',
    },
    {
      it: 'removes a deleted network',
      network: deleted,
      facts: { seen: [seenNetwork()] },
      want: 'remove (deleted); progressing: Removing',
    },
    {
      it: 'waits for containers to leave a deleted network',
      network: deleted,
      facts: { seen: [seenNetwork()], attached: [web] },
      want: 'waiting: StillAttached',
      says: 'Waiting for web to leave the network 1_default, so that it can be removed',
    },
    {
      it: 'leaves a deleted network that is declared again to services that stay on it',
      network: deleted,
      facts: { seen: [seenNetwork()], attached: [web], awaited: true, staying: new Set([web.id]) },
      want: 'settled',
    },
    {
      it: 'waits for services that are deleted themselves to leave it',
      network: deleted,
      facts: { seen: [seenNetwork()], attached: [web], awaited: true, staying: new Set() },
      want: 'waiting: StillAttached',
      says: 'Waiting for web to leave the network 1_default, so that it can be removed',
    },
    {
      it: 'waits for services that stay to be replaced where nobody declares it again',
      network: deleted,
      facts: { seen: [seenNetwork()], attached: [web], staying: new Set([web.id]) },
      want: 'waiting: StillAttached',
      says: 'Waiting for web to leave the network 1_default, so that it can be removed',
    },
    { it: 'has done its work when a deleted network is gone', network: deleted, want: 'settled' },
    {
      it: 'never removes what is not ours',
      network: deleted,
      facts: { seen: [seenNetwork({ labels: {} })] },
      want: 'settled',
    },
    {
      it: 'leaves a network to another document that names it',
      network: deleted,
      facts: { seen: [seenNetwork()], wantedElsewhere: true },
      want: 'settled',
    },
  ];
  for (const { it: does, network = aNetwork(), facts = {}, want, rebuilding = false, removes, says } of cases) {
    it(does, () => {
      assert.equal(
        planText(() => plan(network, facts)),
        want,
      );
      const planned = attempt(() => plan(network, facts));
      const isRefused = planned instanceof TerminalError;
      if (!isRefused) assert.equal(planned.rebuilding, rebuilding);
      const victim = isRefused ? undefined : planned.steps.flatMap((step) => (step.do === 'remove' ? step.id : []))[0];
      if (removes !== undefined) assert.equal(victim, removes);
      const message = isRefused ? planned.message : planned.outcome.is === 'waiting' && planned.outcome.message;
      if (says !== undefined) assert.equal(message, says);
    });
  }

  it('takes the unlabelled supervisor0 of a Supervisor for its own', () => {
    const supervisor0 = aNetwork({
      spec: { networkName: 'supervisor0', driver_opts: { 'com.docker.network.bridge.name': 'supervisor0' } },
    });
    const seen = (options: Record<string, string>) =>
      seenNetwork({ name: 'supervisor0', labels: {}, specHash: undefined, definition: { ...plain, options } });
    assert.equal(
      planText(() => plan(supervisor0, { seen: [seen({ 'com.docker.network.bridge.name': 'supervisor0' })] })),
      'settled',
    );
    assert.equal(
      planText(() => plan(supervisor0, { seen: [seen({})] })),
      'stalled: NameTaken',
    );
  });
});

describe('network options', () => {
  it('gives Docker what the Supervisor gives it', () => {
    const { Labels, ...options } = networkOptions({
      app: 'hello',
      appId: 12,
      networkName: 'x_back',
      driver_opts: { 'com.docker.network.bridge.name': 'br0' },
      ipam: { config: [{ subnet: '10.1.0.0/16', gateway: '10.1.0.1', ip_range: '10.1.2.0/24' }] },
      internal: true,
      labels: { 'io.resin.features.resin-api': '1', color: 'red' },
    });
    assert.deepEqual(options, {
      Driver: 'bridge',
      Options: { 'com.docker.network.bridge.name': 'br0' },
      IPAM: {
        Driver: 'default',
        Config: [{ Subnet: '10.1.0.0/16', Gateway: '10.1.0.1', IPRange: '10.1.2.0/24' }],
        Options: {},
      },
      EnableIPv6: false,
      Internal: true,
      ConfigOnly: false,
    });
    const { 'io.supercargo.spec-hash': hash, ...labels } = Labels;
    assert.match(hash ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(labels, {
      'io.balena.supervised': 'true',
      'io.balena.app-id': '12',
      'io.balena.private.ipam.config': 'true',
      'io.balena.features.balena-api': '1',
      color: 'red',
    });
  });

  const spec: NetworkSpec = { app: 'hello', appId: 1, networkName: '1_default' };
  const equal: ReadonlyArray<[string, Partial<NetworkSpec>]> = [
    ['the default driver', { driver: 'bridge' }],
    ['empty maps', { driver_opts: {}, labels: {}, ipam: { config: [] } }],
    ['defaults that are spelt out', { internal: false, enable_ipv6: false, config_only: false }],
  ];
  for (const [what, more] of equal) {
    it(`has the same hash with ${what}`, () => assert.equal(networkHash({ ...spec, ...more }), networkHash(spec)));
  }
  const different: ReadonlyArray<[string, Partial<NetworkSpec>]> = [
    ['driver', { driver: 'macvlan' }],
    ['internal', { internal: true }],
    ['label', { labels: { a: 'b' } }],
    ['subnet', { ipam: { config: [{ subnet: '10.1.0.0/16' }] } }],
    ['app', { appId: 2 }],
  ];
  for (const [what, more] of different) {
    it(`has another hash with another ${what}`, () =>
      assert.notEqual(networkHash({ ...spec, ...more }), networkHash(spec)));
  }
});
