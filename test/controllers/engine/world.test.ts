import assert from 'node:assert/strict';
import { reconnectDelayMs, startWorld } from '../../../controllers/engine/cache/informer.js';
import { EngineError } from '../../../controllers/engine/engine.js';
import type { WorldChange } from '../../../controllers/engine/world.js';
import type { Vitals } from '../../../controllers/runtime/health.js';
import { FakeClock } from '../../setup/fake-clock.js';
import { aContainer, aNetwork, anImage, aVolume, calm, never, ScriptedEngine, silent } from './scripted-engine.js';

const LISTS = ['listContainers', 'listNetworks', 'listVolumes', 'listImages'];
const COALESCE_MS = 15;

const textOf = (change: WorldChange): string => {
  switch (change.type) {
    case 'container':
      return `container ${change.id}`;
    case 'network':
    case 'volume':
      return `${change.type} ${change.name}`;
    default:
      return change.type;
  }
};

async function setUp(fill: (engine: ScriptedEngine) => void = () => undefined, options: { sameClock?: boolean } = {}) {
  const clock = new FakeClock();
  const engine = new ScriptedEngine(() => clock.now());
  fill(engine);
  const world = startWorld({ engine, log: silent, clock, coalesceMs: COALESCE_MS, ...options });
  let heard: string[] = [];
  world.onChange((change) => heard.push(textOf(change)));
  await world.start();
  const first = { requests: engine.takeRequests(), heard };
  heard = [];
  // Everything that happens from here on happens well after the first list.
  clock.advance(1_000);
  return {
    clock,
    engine,
    world,
    first,
    takeHeard: () => heard.splice(0),
    /** Time passes, in small steps, and whatever it started ends. */
    pass: async (ms: number) => {
      for (let left = ms; left > 0; left -= 5) {
        clock.advance(Math.min(5, left));
        await calm();
      }
    },
  };
}

/** The engine changes an object and says so. */
function changeContainer(engine: ScriptedEngine, action: string, over: Parameters<typeof aContainer>[0]): void {
  const container = aContainer({ ...engine.boxes.get(over?.id ?? 'c1'), ...over });
  engine.boxes.set(container.id, container);
  engine.tell({ type: 'container', action, id: container.id, attributes: { name: container.name } });
}

describe('The world', () => {
  describe('not told', () => {
    const about = ['container/c1'];
    const failing = async (error: Error) => {
      const bench = await setUp((engine) => engine.boxes.set('c1', aContainer()));
      bench.engine.fault = (request) => (request === 'inspectContainer c1' ? error : undefined);
      changeContainer(bench.engine, 'die', { state: 'exited' });
      await bench.pass(COALESCE_MS + 5);
      return bench;
    };

    it('says so of a container whose inspection fails again and again, and since when', async () => {
      const { world, engine, pass, takeHeard } = await failing(new EngineError('runtime is stuck', 500));
      assert.equal(world.unanswered(about), undefined, 'once is a hiccup');
      await pass(3_000);
      const words =
        'The Docker engine cannot be asked about container web_1_1_local since 2026-01-02T03:04:06Z: runtime is stuck';
      assert.deepEqual([world.unanswered(about), world.unanswered()], [words, words]);
      assert.equal(world.unanswered(['container/c2']), undefined);
      assert.deepEqual(takeHeard(), ['container c1']);
      engine.fault = () => undefined;
      await pass(4_000);
      assert.deepEqual([world.unanswered(about), world.unanswered()], [undefined, undefined]);
      assert.deepEqual(takeHeard(), ['container c1', 'container c1'], 'what it is, and that it can be believed');
    });

    it('says so at once of one that is not answered in time', async () => {
      const { world } = await failing(new DOMException('Docker did not answer within 25 s', 'TimeoutError'));
      assert.match(world.unanswered(about) ?? '', /did not answer within 25 s$/);
    });

    it('no longer says so when a list has told', async () => {
      const { world, engine, pass, takeHeard } = await failing(new EngineError('runtime is stuck', 500));
      await pass(3_000);
      engine.fault = () => undefined;
      takeHeard();
      await world.relist();
      assert.equal(world.unanswered(about), undefined);
      assert.equal(takeHeard().at(-1), 'container c1');
    });

    it('no longer says so when somebody else has looked', async () => {
      const { world, engine, pass } = await failing(new EngineError('runtime is stuck', 500));
      await pass(3_000);
      engine.fault = () => undefined;
      await world.refreshContainer('c1', never);
      assert.equal(world.unanswered(about), undefined);
    });
  });

  describe('connecting', () => {
    it('subscribes to events before it lists, then is fresh', async () => {
      const { world, first } = await setUp((engine) => engine.boxes.set('c1', aContainer()));
      assert.deepEqual(first.requests, ['events', ...LISTS]);
      assert.deepEqual(first.heard, ['container c1', 'all']);
      assert.equal(world.fresh, true);
      assert.equal(world.trouble, undefined);
      assert.deepEqual(world.containers(), [aContainer()]);
    });

    it('asks nothing before it starts, and nothing while nothing happens', async () => {
      const clock = new FakeClock();
      const engine = new ScriptedEngine(() => clock.now());
      const world = startWorld({ engine, log: silent, clock });
      assert.equal(world.fresh, false);
      assert.notEqual(world.trouble, undefined);
      await calm();
      assert.deepEqual(engine.takeRequests(), []);
      await world.start();
      engine.takeRequests();
      clock.advance(3_600_000);
      await calm();
      assert.deepEqual(engine.takeRequests(), []);
      assert.deepEqual(clock.planned, []);
    });

    it('comes up with a dead engine, says why, and connects once the engine is there', async () => {
      const { world, engine, takeHeard, pass, first } = await setUp((it) => {
        it.down = true;
      });
      assert.equal(world.fresh, false);
      assert.equal(world.trouble, 'The Docker engine cannot be followed: connect ECONNREFUSED /run/docker.sock');
      assert.deepEqual(first.requests, ['events']);
      engine.down = false;
      await pass(10_000);
      assert.equal(world.fresh, true);
      assert.equal(world.trouble, undefined);
      assert.deepEqual(takeHeard(), ['all']);
    });

    it('is not fresh when a list fails, and drops that connection', async () => {
      const { world, engine } = await setUp((it) => {
        it.fault = (request) => (request === 'listVolumes' ? new EngineError('driver gone', 500) : undefined);
      });
      assert.equal(world.fresh, false);
      assert.equal(world.trouble, 'The Docker engine cannot be followed: driver gone');
      await calm();
      assert.equal(engine.listeners, 0);
    });

    it('tells since when it is deaf, and whether the engine answers', async () => {
      const { world, engine, clock, pass } = await setUp();
      const listedAtMs = clock.monotonic() - 1_000;
      const vitals = (): Vitals => world.vitals;
      assert.deepEqual(vitals(), { listedAtMs, triedAtMs: listedAtMs, lostAtMs: undefined, engineAnswers: true });
      const lostAtMs = clock.monotonic();
      engine.down = true;
      engine.breakStreams();
      await calm();
      await pass(100);
      const triedAtMs = clock.monotonic();
      assert.deepEqual(vitals(), { listedAtMs, triedAtMs, lostAtMs, engineAnswers: false });
      engine.down = false;
      engine.fault = (request) => (request === 'listVolumes' ? new EngineError('driver gone', 500) : undefined);
      await pass(200);
      assert.deepEqual([vitals().lostAtMs, vitals().engineAnswers], [lostAtMs, true]);
      engine.fault = () => undefined;
      await pass(400);
      assert.equal(world.fresh, true);
      assert.deepEqual([vitals().lostAtMs, vitals().listedAtMs], [undefined, vitals().triedAtMs]);
    });

    it('waits 100 ms and twice as long each time, 5 s at most', () => {
      assert.deepEqual([1, 2, 3, 6, 7, 50].map(reconnectDelayMs), [100, 200, 400, 3_200, 5_000, 5_000]);
    });

    it('tries again in growing intervals, from the shortest again after a success', async () => {
      const { engine, clock, pass } = await setUp();
      engine.down = true;
      engine.breakStreams();
      await calm();
      assert.deepEqual(clock.planned, [100]);
      await pass(100);
      assert.deepEqual(clock.planned, [200]);
      engine.down = false;
      await pass(200);
      assert.deepEqual(clock.planned, []);
      engine.breakStreams();
      await calm();
      assert.deepEqual(clock.planned, [100]);
    });

    it('shows what it knew while disconnected, and announces after reconnecting only what differs', async () => {
      const { world, engine, takeHeard, pass } = await setUp((it) => {
        it.boxes.set('c1', aContainer());
        it.boxes.set('c2', aContainer({ id: 'c2', serviceName: 'db' }));
        it.vols.set('1_data', aVolume());
      });
      engine.breakStreams();
      await calm();
      assert.equal(world.fresh, false);
      assert.deepEqual(takeHeard(), ['all']);
      assert.equal(world.containers().length, 2);
      engine.boxes.set('c1', aContainer({ state: 'exited' }));
      engine.nets.set('n1', aNetwork());
      await pass(100);
      assert.deepEqual(takeHeard(), ['container c1', 'network net', 'all']);
      assert.equal(world.containersOf(1, 'web')[0]?.state, 'exited');
    });

    it('takes nothing for granted after it was deaf: edited limits do not show in a list', async () => {
      const { world, engine, takeHeard, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      engine.trusting = true;
      const edited = aContainer({ env: { EDITED: '1' } });
      engine.breakStreams();
      await calm();
      engine.boxes.set('c1', edited);
      await pass(100);
      assert.deepEqual(takeHeard(), ['all', 'container c1', 'all']);
      assert.deepEqual(world.containers(), [edited]);
    });

    it('takes the word of whoever looks after the engine: gives its connection up, says why, and tries again', async () => {
      const { world, pass, takeHeard } = await setUp();
      world.explain('The engine hangs');
      await calm();
      assert.deepEqual([world.fresh, world.trouble, world.vitals.engineAnswers], [false, 'The engine hangs', false]);
      world.explain('The engine has ended');
      assert.equal(world.trouble, 'The engine has ended');
      assert.deepEqual(takeHeard(), ['all', 'all'], 'documents are to say so');
      await pass(reconnectDelayMs(1) + COALESCE_MS);
      world.explain(undefined);
      assert.deepEqual([world.fresh, world.trouble], [true, undefined]);
    });

    it('believes nothing that a new connection shows while the engine is said not to be well, and lists again afterwards', async () => {
      const { world, engine, clock, pass, takeHeard } = await setUp();
      world.explain('Its containerd hangs');
      await pass(reconnectDelayMs(1) + COALESCE_MS);
      assert.equal(engine.listeners, 1, 'it is connected');
      assert.deepEqual([world.fresh, world.trouble], [false, 'Its containerd hangs']);
      assert.equal(world.vitals.engineAnswers, false);
      assert.ok(clock.monotonic() - (world.vitals.lostAtMs ?? Number.NaN) < 1_000);
      [engine.requests, takeHeard().length] = [[], 0];
      engine.boxes.set('c1', aContainer());
      world.explain(undefined);
      await calm();
      assert.deepEqual(engine.takeRequests(), LISTS);
      assert.deepEqual([world.fresh, world.vitals.engineAnswers], [true, true]);
      assert.deepEqual(takeHeard(), ['all', 'container c1']);
    });

    it('treats a stream that just ends as a lost connection', async () => {
      const { world, engine } = await setUp();
      engine.breakStreams(new Error('aborted'));
      await calm();
      assert.match(world.trouble ?? '', /aborted$/);
    });

    it('stops: closes its stream, plans nothing, asks nothing', async () => {
      const { world, engine, clock } = await setUp();
      engine.tell({ type: 'container', action: 'start', id: 'c9' });
      await calm();
      await world.stop();
      clock.advance(60_000);
      await calm();
      assert.equal(engine.listeners, 0);
      assert.deepEqual(clock.planned, []);
      assert.deepEqual(engine.takeRequests(), []);
    });

    it('stops while the engine is down, and while it starts', async () => {
      const { world, clock } = await setUp((it) => {
        it.down = true;
      });
      await world.stop();
      assert.deepEqual(clock.planned, []);
      const other = await setUp();
      const release = other.engine.hold('listContainers');
      const again = startWorld({ engine: other.engine, log: silent, clock });
      const starting = again.start();
      await calm();
      await again.stop();
      await starting;
      release();
    });
  });

  describe('listing again', () => {
    it('costs one request a type and announces nothing when nothing changed', async () => {
      const { world, engine, takeHeard } = await setUp((it) => {
        it.boxes.set('c1', aContainer());
        it.nets.set('n1', aNetwork());
        it.vols.set('1_data', aVolume());
        it.pics.set('sha256:a', anImage());
      });
      await world.relist();
      assert.deepEqual(engine.takeRequests(), LISTS);
      assert.deepEqual(takeHeard(), []);
    });

    it('notices what events did not tell', async () => {
      const { world, engine, takeHeard } = await setUp((it) => {
        it.boxes.set('c1', aContainer());
        it.nets.set('n1', aNetwork());
        it.vols.set('1_data', aVolume());
      });
      engine.boxes.delete('c1');
      engine.boxes.set('c2', aContainer({ id: 'c2' }));
      engine.nets.set('n1', aNetwork({ gateway: '172.17.0.1' }));
      engine.vols.clear();
      engine.pics.set('sha256:a', anImage());
      await world.relist();
      assert.deepEqual(takeHeard(), ['container c1', 'container c2', 'network net', 'volume 1_data', 'image']);
      assert.equal(world.network('net')?.gateway, '172.17.0.1');
      assert.equal(world.volume('1_data'), undefined);
    });

    it('takes nothing for granted about a container that an event was about', async () => {
      const { world, engine } = await setUp((it) => {
        it.boxes.set('c1', aContainer());
        it.boxes.set('c2', aContainer({ id: 'c2' }));
      });
      engine.trusting = true;
      changeContainer(engine, 'die', { state: 'exited' });
      engine.boxes.set('c2', aContainer({ id: 'c2', state: 'exited' }));
      await calm();
      await world.relist();
      const states = world.containers().map(({ id, state }) => `${id} ${state}`);
      assert.deepEqual(states, ['c1 exited', 'c2 running']);
    });

    it('loses the connection when the engine is gone, without throwing', async () => {
      const { world, engine, takeHeard } = await setUp();
      engine.down = true;
      await world.relist();
      assert.equal(world.fresh, false);
      assert.deepEqual(takeHeard(), ['all']);
    });

    it('tries to connect at once when disconnected', async () => {
      const { world, engine } = await setUp((it) => {
        it.down = true;
      });
      await calm();
      engine.down = false;
      await world.relist();
      assert.equal(world.fresh, true);
    });

    it('does not bring back a container that was destroyed while the list was made', async () => {
      const { world, engine } = await setUp((it) => it.boxes.set('c1', aContainer()));
      const release = engine.hold('listContainers');
      const relisted = world.relist();
      await calm();
      engine.boxes.clear();
      engine.tell({ type: 'container', action: 'destroy', id: 'c1' });
      await calm();
      release();
      await relisted;
      assert.deepEqual(world.containers(), []);
    });

    it('does not hide a container that was refreshed while the list was made', async () => {
      const { world, engine } = await setUp();
      const release = engine.hold('listContainers');
      const relisted = world.relist();
      await calm();
      engine.boxes.set('c1', aContainer());
      await world.refreshContainer('c1', never);
      release();
      await relisted;
      assert.equal(world.containers().length, 1);
    });

    it('looks again when an older list and a newer event both know something', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      engine.boxes.set('c1', aContainer({ error: 'told by no event' }));
      const release = engine.hold('listContainers');
      const relisted = world.relist();
      await pass(5);
      changeContainer(engine, 'health_status: healthy', { health: 'healthy' });
      await calm();
      release();
      await relisted;
      await pass(COALESCE_MS);
      assert.deepEqual(world.containers(), [aContainer({ error: 'told by no event', health: 'healthy' })]);
    });
  });

  describe('hearing of containers', () => {
    it('inspects once for a burst', async () => {
      const { world, engine, takeHeard, pass } = await setUp();
      changeContainer(engine, 'create', { state: 'created' });
      changeContainer(engine, 'start', { state: 'running' });
      await pass(COALESCE_MS - 5);
      changeContainer(engine, 'die', { state: 'exited' });
      await pass(60);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
      assert.deepEqual(takeHeard(), ['container c1']);
      assert.equal(world.containersOf(1, 'web')[0]?.state, 'exited');
    });

    it('inspects once more for everything that comes while it inspects', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      const release = engine.hold('inspectContainer c1');
      changeContainer(engine, 'die', { state: 'exited' });
      await pass(COALESCE_MS + 5);
      for (const state of ['running', 'exited', 'running'] as const) {
        changeContainer(engine, state === 'running' ? 'start' : 'die', { state });
        await pass(5);
      }
      release();
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1', 'inspectContainer c1']);
      assert.equal(world.containersOf(1, 'web')[0]?.state, 'running');
    });

    const free: {
      it: string;
      action: string;
      attributes?: Record<string, string>;
      want: Parameters<typeof aContainer>[0];
    }[] = [
      { it: 'a health check', action: 'health_status: unhealthy', want: { health: 'unhealthy' } },
      { it: 'a rename', action: 'rename', attributes: { name: 'new', oldName: '/old' }, want: { name: 'new' } },
    ];
    for (const { it: what, action, attributes, want } of free) {
      it(`takes ${what} from the event, without a request`, async () => {
        const { world, engine, takeHeard, pass } = await setUp((engine) => engine.boxes.set('c1', aContainer()));
        engine.tell({ type: 'container', action, id: 'c1', attributes: attributes ?? {} });
        await pass(100);
        assert.deepEqual(engine.takeRequests(), []);
        assert.deepEqual(takeHeard(), ['container c1']);
        assert.deepEqual(world.containers(), [aContainer(want)]);
        engine.tell({ type: 'container', action, id: 'c1', attributes: attributes ?? {} });
        await pass(100);
        assert.deepEqual(takeHeard(), [], 'the same again is no change');
      });
    }

    it('removes a destroyed one without a request, with the services it was found under', async () => {
      const { world, engine, takeHeard, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      assert.equal(world.containersOf(1, 'web').length, 1);
      engine.boxes.clear();
      engine.tell({ type: 'container', action: 'die', id: 'c1' });
      engine.tell({ type: 'container', action: 'destroy', id: 'c1' });
      await pass(100);
      assert.deepEqual(engine.takeRequests(), []);
      assert.deepEqual(takeHeard(), ['container c1']);
      assert.deepEqual(world.containersOf(1, 'web'), []);
    });

    it('does not bring a destroyed one back by an inspection that began before', async () => {
      const { world, engine } = await setUp((it) => it.boxes.set('c1', aContainer()));
      const release = engine.hold('inspectContainer c1');
      const refreshed = world.refreshContainer('c1', never);
      await calm();
      engine.tell({ type: 'container', action: 'destroy', id: 'c1' });
      await calm();
      release();
      assert.equal(await refreshed, undefined);
      assert.deepEqual(world.containers(), []);
    });

    it('does not go back to the health that an inspection saw before the event', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer({ health: 'starting' })));
      const release = engine.hold('inspectContainer c1');
      const refreshed = world.refreshContainer('c1', never);
      await pass(5);
      const seen: unknown[] = [];
      world.onChange(() => seen.push(world.containers()[0]?.health));
      changeContainer(engine, 'health_status: healthy', { health: 'healthy' });
      await calm();
      release();
      await refreshed;
      await pass(100);
      assert.deepEqual([...new Set(seen)], ['healthy']);
    });

    const ignored: { it: string; event: Parameters<ScriptedEngine['tell']>[0] }[] = [
      { it: 'runs of health checks', event: { type: 'container', action: 'exec_start: /bin/sh -c true', id: 'c1' } },
      { it: 'signals', event: { type: 'container', action: 'kill', id: 'c1' } },
      { it: 'mounted volumes', event: { type: 'volume', action: 'mount', id: '1_data' } },
      { it: 'anonymous volumes', event: { type: 'volume', action: 'create', id: 'ab'.repeat(32) } },
      { it: 'pushed images', event: { type: 'image', action: 'push', id: 'busybox:latest' } },
      {
        it: "other people's containers on a network",
        event: { type: 'network', action: 'connect', id: 'n1', attributes: { container: 'foreign', name: 'net' } },
      },
    ];
    for (const { it: what, event } of ignored) {
      it(`spends nothing on ${what}`, async () => {
        const { engine, takeHeard, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
        engine.tell(event);
        await pass(100);
        assert.deepEqual(engine.takeRequests(), []);
        assert.deepEqual(takeHeard(), []);
      });
    }

    it("spends nothing on other people's containers", async () => {
      const { clock, engine, pass } = await setUp();
      const timeNano = `${clock.now()}000000`;
      for (const action of ['create', 'start', 'die', 'rename', 'health_status: healthy', 'destroy']) {
        engine.tellRaw({ type: 'container', action, id: 'foreign', timeNano, attributes: { name: 'x' } });
      }
      await pass(100);
      assert.deepEqual(engine.takeRequests(), []);
    });

    it('inspects the container that joins or leaves a network', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      engine.boxes.set('c1', aContainer({ networks: { net: { id: 'n1' } } }));
      engine.tell({ type: 'network', action: 'connect', id: 'n1', attributes: { container: 'c1', name: 'net' } });
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
      assert.deepEqual(
        world.attachedTo('net').map(({ id }) => id),
        ['c1'],
      );
      assert.deepEqual(world.attachedTo('toString'), []);
    });

    it('orders the containers of a service, newest first', async () => {
      const { world } = await setUp((it) => {
        for (const [id, createdAt] of [
          ['old', '2026-01-01T00:00:00.000Z'],
          ['new', '2026-01-03T00:00:00.000Z'],
          ['mid', '2026-01-02T00:00:00.000Z'],
        ] as const)
          it.boxes.set(id, aContainer({ id, createdAt }));
        it.boxes.set('other', aContainer({ id: 'other', appId: 2 }));
      });
      assert.deepEqual(
        world.containersOf(1, 'web').map(({ id }) => id),
        ['new', 'mid', 'old'],
      );
    });

    it('shows one that does not say whose it is, and gives it to no service', async () => {
      const { world } = await setUp((it) => it.boxes.set('x', aContainer({ id: 'x', appId: undefined })));
      assert.equal(world.containers().length, 1);
      assert.deepEqual(world.containersOf(1, 'web'), []);
    });

    it('tries again when an inspection fails', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      engine.fault = (request) => (request.startsWith('inspect') ? new EngineError('busy', 500) : undefined);
      changeContainer(engine, 'die', { state: 'exited' });
      await pass(500);
      assert.equal(engine.takeRequests().length, 1);
      engine.fault = () => undefined;
      await pass(1_000);
      assert.equal(world.containers()[0]?.state, 'exited');
    });
  });

  describe('refreshing', () => {
    it('does not overwrite the answer to a later question', async () => {
      const { world, engine } = await setUp((it) => it.boxes.set('c1', aContainer()));
      const release = engine.hold('inspectContainer c1');
      const older = world.refreshContainer('c1', never);
      await calm();
      engine.boxes.set('c1', aContainer({ state: 'exited' }));
      const releaseNewer = engine.hold('inspectContainer c1');
      const newer = world.refreshContainer('c1', never);
      await calm();
      releaseNewer();
      assert.equal((await newer)?.state, 'exited');
      release();
      assert.equal((await older)?.state, 'exited');
      assert.equal(world.containers()[0]?.state, 'exited');
    });

    it('answers events that came before it', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      changeContainer(engine, 'die', { state: 'exited' });
      await calm();
      await world.refreshContainer('c1', never);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    });

    it('throws what the engine says, and looks again by itself', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      engine.boxes.set('c1', aContainer({ state: 'exited' }));
      engine.fault = () => new EngineError('busy', 500);
      await assert.rejects(world.refreshContainer('c1', never), /busy/);
      engine.fault = () => undefined;
      await pass(100);
      assert.equal(world.containers()[0]?.state, 'exited');
    });

    it('does not take a container without our label for one of ours', async () => {
      const { world, engine } = await setUp();
      engine.boxes.set('x', aContainer({ id: 'x', labels: {} }));
      assert.equal(await world.refreshContainer('x', never), undefined);
      assert.deepEqual(world.containers(), []);
    });

    it('shows every network of one name', async () => {
      const { world, engine, takeHeard } = await setUp();
      engine.nets.set('n1', aNetwork());
      engine.nets.set('n2', aNetwork({ id: 'n2' }));
      assert.equal((await world.refreshNetwork('net', never))?.name, 'net');
      assert.equal(world.networks('net').length, 2);
      assert.deepEqual(engine.takeRequests(), ['listNetworks']);
      assert.deepEqual(takeHeard(), ['network net', 'network net']);
    });

    it('announces a volume once it changed', async () => {
      const { world, engine, takeHeard } = await setUp();
      assert.equal(await world.refreshVolume('1_data', never), undefined);
      engine.vols.set('1_data', aVolume());
      assert.equal((await world.refreshVolume('1_data', never))?.name, '1_data');
      await world.refreshVolume('1_data', never);
      assert.deepEqual(takeHeard(), ['volume 1_data']);
    });

    it('leaves the others alone when one listener fails', async () => {
      const { world, engine, takeHeard } = await setUp();
      world.onChange(() => {
        throw new Error('mine');
      });
      const late: string[] = [];
      world.onChange((change) => late.push(change.type));
      engine.vols.set('1_data', aVolume());
      await world.refreshVolume('1_data', never);
      assert.deepEqual(takeHeard(), ['volume 1_data']);
      assert.deepEqual(late, ['volume']);
    });
  });

  describe('acting quietly', () => {
    const NAME = aContainer().name;
    /** What Docker tells while a container is created and started. */
    const lifeSigns = (engine: ScriptedEngine, atMs?: number) => {
      const attributes = { name: NAME };
      engine.tell({ type: 'container', action: 'create', id: 'c1', attributes }, atMs);
      engine.tell({ type: 'network', action: 'connect', id: 'n1', attributes: { container: 'c1', name: 'net' } }, atMs);
      engine.tell({ type: 'container', action: 'start', id: 'c1', attributes }, atMs);
    };

    it('creates and starts a container at the price of one inspection', async () => {
      const { world, engine, takeHeard, pass } = await setUp();
      await world.quietly(NAME, async () => {
        lifeSigns(engine);
        await pass(100);
        engine.boxes.set('c1', aContainer({ networks: { net: { id: 'n1' } } }));
      });
      await world.refreshContainer('c1', never);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
      assert.deepEqual(takeHeard(), ['container c1']);
    });

    it('the same when it is refreshed inside the action', async () => {
      const { world, engine, pass } = await setUp();
      await world.quietly(NAME, async () => {
        lifeSigns(engine);
        engine.boxes.set('c1', aContainer());
        await pass(20);
        await world.refreshContainer('c1', never);
      });
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    });

    for (const [when, lateMs] of [
      ['earlier', 3],
      ['in the same millisecond', 0],
    ] as const) {
      it(`the same when the events come after the refresh and happened ${when}`, async () => {
        const { world, engine, clock, pass } = await setUp();
        engine.boxes.set('c1', aContainer({ networks: { net: { id: 'n1' } } }));
        await world.quietly(NAME, async () => undefined);
        await world.refreshContainer('c1', never);
        lifeSigns(engine, clock.now() - lateMs);
        await pass(100);
        assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
      });
    }

    it('looks into a late event that the refresh cannot have seen', async () => {
      const { world, engine, clock, pass } = await setUp();
      engine.boxes.set('c1', aContainer());
      await world.refreshContainer('c1', never);
      engine.tell({ type: 'container', action: 'die', id: 'c1' }, clock.now());
      await pass(100);
      assert.equal(engine.takeRequests().length, 2, 'in the same millisecond, and the container still ran');
      engine.tell({ type: 'container', action: 'die', id: 'c1' }, clock.now());
      await pass(100);
      assert.equal(engine.takeRequests().length, 1, 'later');
    });

    it('looks into every late event when the clocks differ', async () => {
      const { world, engine, clock, pass } = await setUp(undefined, { sameClock: false });
      engine.boxes.set('c1', aContainer());
      await world.refreshContainer('c1', never);
      engine.tell({ type: 'container', action: 'start', id: 'c1' }, clock.now() - 3_000);
      await pass(100);
      assert.equal(engine.takeRequests().length, 2);
    });

    it('is not deaf for long after the clock was set back', async () => {
      const { world, engine, clock, pass } = await setUp();
      engine.boxes.set('c1', aContainer());
      await world.refreshContainer('c1', never);
      await pass(6_000);
      engine.takeRequests();
      engine.tell({ type: 'container', action: 'die', id: 'c1' }, clock.now() - 3_600_000);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    });

    it('looks by itself when nobody refreshed', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      await assert.rejects(
        world.quietly('c1', async () => {
          changeContainer(engine, 'die', { state: 'exited' });
          await pass(50);
          throw new Error('the step failed');
        }),
        /the step failed/,
      );
      assert.deepEqual(engine.takeRequests(), []);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
      assert.equal(world.containers()[0]?.state, 'exited');
    });

    it('stays quiet until the last of several actions ends', async () => {
      const { world, engine, pass } = await setUp((it) => it.boxes.set('c1', aContainer()));
      let end = (): void => undefined;
      const outer = world.quietly('c1', () => new Promise<void>((resolve) => (end = resolve)));
      await world.quietly('c1', async () => changeContainer(engine, 'die', { state: 'exited' }));
      await pass(100);
      assert.deepEqual(engine.takeRequests(), []);
      end();
      await outer;
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c1']);
    });

    it('removes a destroyed container at once, and hears of others', async () => {
      const { world, engine, pass } = await setUp((it) => {
        it.boxes.set('c1', aContainer());
        it.boxes.set('c2', aContainer({ id: 'c2', name: 'other' }));
      });
      await world.quietly('c1', async () => {
        engine.boxes.delete('c1');
        engine.tell({ type: 'container', action: 'die', id: 'c1' });
        engine.tell({ type: 'network', action: 'disconnect', id: 'n1', attributes: { container: 'c1', name: 'net' } });
        engine.tell({ type: 'container', action: 'destroy', id: 'c1' });
        changeContainer(engine, 'die', { id: 'c2', state: 'exited' });
        await pass(100);
        assert.deepEqual(
          world.containers().map(({ id, state }) => `${id} ${state}`),
          ['c2 exited'],
        );
      });
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectContainer c2']);
    });
  });

  describe('hearing of networks and volumes', () => {
    it('inspects a new network, drops a destroyed one without a request', async () => {
      const { world, engine, takeHeard, pass } = await setUp();
      engine.nets.set('n1', aNetwork());
      engine.tell({ type: 'network', action: 'create', id: 'n1', attributes: { name: 'net' } });
      await pass(100);
      assert.equal(world.network('net')?.id, 'n1');
      engine.nets.clear();
      engine.tell({ type: 'network', action: 'destroy', id: 'n1', attributes: { name: 'net' } });
      await pass(100);
      assert.equal(world.network('net'), undefined);
      assert.deepEqual(engine.takeRequests(), ['inspectNetwork n1']);
      assert.deepEqual(takeHeard(), ['network net', 'network net']);
    });

    it('spends nothing on the late event of a network that was refreshed since', async () => {
      const { world, engine, clock, pass } = await setUp();
      engine.nets.set('n1', aNetwork());
      await world.refreshNetwork('net', never);
      engine.tell({ type: 'network', action: 'create', id: 'n1', attributes: { name: 'net' } }, clock.now() - 1);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['listNetworks']);
    });

    it('looks at a volume that was made or removed', async () => {
      const { world, engine, takeHeard, pass } = await setUp();
      engine.vols.set('1_data', aVolume());
      engine.tell({ type: 'volume', action: 'create', id: '1_data' });
      await pass(100);
      assert.deepEqual(world.volume('1_data'), aVolume());
      engine.vols.clear();
      engine.tell({ type: 'volume', action: 'destroy', id: '1_data' });
      await pass(100);
      assert.equal(world.volume('1_data'), undefined);
      assert.deepEqual(takeHeard(), ['volume 1_data', 'volume 1_data']);
    });

    it('keeps a volume that was made again, when the word of its end comes late', async () => {
      const { world, engine, clock, pass } = await setUp((it) => it.vols.set('1_data', aVolume()));
      engine.vols.set('1_data', aVolume({ specHash: 'new' }));
      await world.refreshVolume('1_data', never);
      engine.tell({ type: 'volume', action: 'destroy', id: '1_data' }, clock.now() - 2);
      engine.tell({ type: 'volume', action: 'create', id: '1_data' }, clock.now() - 1);
      await pass(100);
      assert.equal(world.volume('1_data')?.specHash, 'new');
      assert.deepEqual(engine.takeRequests(), ['inspectVolume 1_data']);
    });
  });

  describe('knowing images', () => {
    it('looks one up when it is first asked for, and announces that', async () => {
      const { world, engine, takeHeard, pass } = await setUp((it) => it.pics.set('sha256:a', anImage()));
      assert.equal(world.image('busybox'), undefined);
      assert.equal(world.image('busybox'), undefined);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectImage sha256:a']);
      assert.deepEqual(takeHeard(), ['image']);
      assert.deepEqual(world.image('busybox'), anImage());
      assert.equal(
        world.image('busybox'),
        world.image('docker.io/library/busybox:latest'),
        'one object until it changes',
      );
    });

    it('asks once when somebody waits for it', async () => {
      const { world, engine, pass } = await setUp((it) => it.pics.set('sha256:a', anImage()));
      world.image('busybox:latest');
      assert.equal((await world.refreshImage('busybox:latest', never))?.id, 'sha256:a');
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectImage busybox:latest']);
    });

    it('asks nothing about an image that is not local', async () => {
      const { world, engine, pass } = await setUp();
      assert.equal(world.image('nobody/nothing'), undefined);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), []);
    });

    it('lists once for a burst of events', async () => {
      const { world, engine, takeHeard, pass } = await setUp((it) => it.pics.set('sha256:a', anImage()));
      await world.refreshImage('busybox:latest', never);
      engine.takeRequests();
      takeHeard();
      await pass(10);
      engine.pics.clear();
      engine.tell({ type: 'image', action: 'untag', id: 'sha256:a', attributes: { name: 'sha256:a' } });
      engine.tell({ type: 'image', action: 'delete', id: 'sha256:a' });
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['listImages']);
      assert.deepEqual(takeHeard(), ['image']);
      assert.equal(world.image('busybox:latest'), undefined);
    });

    it('spends nothing on the word of a pull that was refreshed since', async () => {
      const { world, engine, clock, pass } = await setUp();
      engine.pics.set('sha256:a', anImage());
      engine.tell({ type: 'image', action: 'pull', id: 'busybox:latest' }, clock.now() - 1);
      await calm();
      await world.refreshImage('busybox', never).catch(() => undefined);
      await world.refreshImage('busybox:latest', never);
      engine.tell({ type: 'image', action: 'pull', id: 'busybox:latest' }, clock.now() - 1);
      await pass(100);
      assert.deepEqual(engine.takeRequests(), ['inspectImage busybox', 'inspectImage busybox:latest']);
    });

    it('follows a tag that moves to another image', async () => {
      const { world, engine, clock, pass } = await setUp((it) => it.pics.set('sha256:a', anImage()));
      await world.refreshImage('busybox:latest', never);
      clock.advance(10);
      engine.pics.set('sha256:a', anImage({ tags: [] }));
      engine.pics.set('sha256:b', anImage({ id: 'sha256:b', config: { User: 'me' } }));
      engine.tell({ type: 'image', action: 'tag', id: 'sha256:b', attributes: { name: 'busybox:latest' } });
      await pass(100);
      assert.equal(world.image('busybox:latest')?.config.User, 'me');
      assert.deepEqual(world.image('sha256:a')?.tags, []);
    });

    it('does not lose a pulled image to a list that began before', async () => {
      const { world, engine } = await setUp();
      const release = engine.hold('listImages');
      const relisted = world.relist();
      await calm();
      engine.pics.set('sha256:a', anImage());
      await world.refreshImage('busybox:latest', never);
      release();
      await relisted;
      assert.equal(world.image('busybox:latest')?.id, 'sha256:a');
      await world.relist();
      assert.equal(world.image('busybox:latest')?.id, 'sha256:a');
      engine.pics.clear();
      await world.relist();
      assert.equal(world.image('busybox:latest'), undefined);
    });
  });
});
