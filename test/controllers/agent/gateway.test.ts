import assert from 'node:assert/strict';
import type { Clock } from '../../../api/platform/clock.js';
import { Gateway } from '../../../controllers/agent/gateway.js';
import { apiNetwork } from '../../../controllers/app/release/children.js';
import { networkController } from '../../../controllers/network/controller.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import { API_NETWORK } from '../../../crds/model/names.js';
import type { NetworkSpec } from '../../../crds/model/types.js';
import { ControllerBench } from '../../setup/controller-bench.js';

const ADDRESS = '10.114.104.1:48484';

/** Listens nowhere: keeps count, and refuses what it is told to refuse. */
class FakeServer {
  readonly open: string[] = [];
  refusal: string | undefined;
  tries = 0;

  async listen(address: string): Promise<() => Promise<void>> {
    this.tries += 1;
    if (this.refusal !== undefined) throw new Error(this.refusal);
    this.open.push(address);
    return async () => void this.open.splice(this.open.indexOf(address), 1);
  }
}

describe('the listener on the gateway of supervisor0', () => {
  let bench: ControllerBench;
  let server: FakeServer;
  let gateway: Gateway;

  const start = async (before?: ControllerBench, isElsewhere = false): Promise<void> => {
    server = new FakeServer();
    bench = await ControllerBench.open((supplies) => {
      const { store } = supplies;
      const elapsedMs = () => bench.clock.now();
      const clock: Clock = { now: elapsedMs, monotonic: elapsedMs, after: (ms, call) => bench.clock.after(ms, call) };
      gateway = new Gateway({ store, server, port: 48484, isElsewhere, clock, elapsedMs, random: () => 0 });
      return [networkController({ ...supplies, apiReach: gateway })];
    }, before);
    gateway.start();
  };
  /** The same folder and engine, another process. */
  const restart = async (): Promise<void> => {
    await gateway.stop();
    await bench.halt();
    await start(bench);
  };
  afterEach(async () => {
    await gateway.stop();
    await bench.close();
  });

  const declare = (spec: NetworkSpec = apiNetwork.spec) => bench.declare(['Network', API_NETWORK, spec]);
  const condition = () => {
    const network = bench.store.get('Network', API_NETWORK);
    const { status, reason, message } = (network && conditionOf(network, 'ApiReachable')) ?? {};
    return status && `${status} ${reason}: ${message}`;
  };
  const events = () => bench.store.events(`Network/${API_NETWORK}`).map(({ type, reason }) => `${type} ${reason}`);
  const REACHED = `True Listening: Containers reach the API at ${ADDRESS}`;

  it('is there with the network, also in a new process that has nothing to change', async () => {
    await start();
    await declare();
    await bench.settle();
    assert.deepEqual([server.open, condition()], [[ADDRESS], REACHED]);
    await restart();
    await bench.settle();
    assert.deepEqual([server.open, condition()], [[ADDRESS], REACHED]);
    assert.deepEqual(await bench.again(), { acts: [], wrote: false });
  });

  it('goes with the network, and comes again with it', async () => {
    await start();
    await declare();
    await bench.settle();
    await bench.declare<'Network'>();
    await bench.settle();
    assert.deepEqual(server.open, []);
    await declare();
    await bench.settle();
    assert.deepEqual(server.open, [ADDRESS]);
  });

  it('moves when the gateway gets another address', async () => {
    await start();
    await declare();
    await bench.settle();
    await declare({ ...apiNetwork.spec, ipam: { config: [{ subnet: '10.9.0.0/24', gateway: '10.9.0.1' }] } });
    await bench.settle();
    assert.deepEqual(server.open, ['10.9.0.1:48484']);
    assert.equal(condition(), 'True Listening: Containers reach the API at 10.9.0.1:48484');
  });

  it('tries again by itself while it cannot listen, and says so', async () => {
    await start();
    server.refusal = 'listen EADDRNOTAVAIL';
    await declare();
    await bench.settle();
    assert.equal(
      condition(),
      `False NotListening: Containers cannot reach the API at ${ADDRESS}: listen EADDRNOTAVAIL`,
    );
    assert.equal(gateway.failure?.forMs, 0);
    const { tries } = server;
    bench.clock.advance(60_000);
    await bench.settle();
    assert.ok(server.tries > tries, 'it has tried again');
    assert.ok((gateway.failure?.forMs ?? 0) >= 60_000, 'health can count on it');
    server.refusal = undefined;
    bench.clock.advance(10_000);
    await bench.settle();
    assert.deepEqual([server.open, condition(), gateway.failure], [[ADDRESS], REACHED, undefined]);
    assert.deepEqual(events(), ['Normal Creating', 'Warning ApiUnreachable', 'Normal ApiReachable']);
  });

  it('is not missed while the engine is on another machine, or nobody has seen the network', async () => {
    await start(undefined, true);
    server.refusal = 'listen EADDRNOTAVAIL';
    await declare();
    await bench.settle();
    assert.equal(gateway.failure, undefined);
    assert.match(condition() ?? '', /^False/);
    await gateway.stop();
    await bench.halt();
    await start(bench);
    server.refusal = 'listen EADDRNOTAVAIL';
    await bench.declare<'Network'>();
    await bench.settle();
    assert.deepEqual([gateway.failure, condition()], [undefined, undefined]);
  });
});
