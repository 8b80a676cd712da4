import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { isReady } from '../../../../crds/model/conditions.js';
import { FakeClock } from '../../../setup/fake-clock.js';
import { AFTER, BEFORE, DeviceBench, SPEC } from './device-bench.js';

/** The machine is switched off after so many calls that change something; then it is started again. */
describe('a device that is switched off while its settings change', () => {
  let bench: DeviceBench;
  afterEach(() => bench.close());

  const switchOffAfter = (calls: number): void => {
    bench.host.failAfter = bench.host.writes + calls;
  };
  const isOff = (): boolean => bench.host.writes >= bench.host.failAfter;
  const switchOn = async (clock: FakeClock): Promise<void> => {
    const text = await bench.configTxt();
    assert.ok(text === BEFORE || text === AFTER, `a torn file: ${text}`);
    bench.host.failAfter = Number.POSITIVE_INFINITY;
    await bench.startAgent(clock);
  };

  it('has what the document says in the end, wherever that was', async function () {
    this.timeout(180_000);
    bench = await DeviceBench.open();
    await bench.declare(SPEC);
    await bench.startDevice();
    const wanted = await bench.host.files();
    const calls = bench.host.writes;
    assert.ok(calls > 20);
    for (let at = 0; at < calls; at += 1) {
      await bench.close();
      bench = await DeviceBench.open();
      switchOffAfter(at);
      await bench.declare(SPEC);
      await bench.agent.stop();
      await switchOn(bench.agent.clock);
      const when = `switched off after ${at} calls`;
      assert.ok(bench.host.reported.includes('reboot'), `no restart: ${when}`);
      await bench.startDevice();
      assert.deepEqual(await bench.host.files(), wanted, when);
      assert.equal(bench.ready, 'True', when);
      assert.ok(isReady(bench.document), when);
    }
  });

  it('has what was there before in the end, when a change is taken back meanwhile', async function () {
    this.timeout(180_000);
    bench = await DeviceBench.open();
    await bench.bootWithoutRoute();
    await bench.agent.stop();
    const { host, folder } = bench;
    const { bootId, bootedAtMs } = host;
    const [now, monotonic] = [bench.agent.clock.now(), bench.agent.clock.monotonic()];
    const places = [host.root, folder];
    for (const place of places) await cp(place, `${place}-kept`, { recursive: true });

    for (let at = 0, wasOff = true; wasOff; at += 1) {
      for (const place of places) {
        await rm(place, { recursive: true });
        await cp(`${place}-kept`, place, { recursive: true });
      }
      Object.assign(host, { bootId, bootedAtMs });
      host.reported.length = 0;
      const clock = new FakeClock(now, 'exact', monotonic);
      switchOffAfter(at);
      await bench.startAgent(clock);
      await bench.pass(601_000);
      wasOff = isOff();
      await bench.agent.stop();
      await switchOn(clock);
      const when = `switched off after ${at} calls`;
      assert.equal(await bench.configTxt(), BEFORE, when);
      assert.ok(host.reported.includes('reboot'), `no restart: ${when}`);
      await bench.startDevice();
      assert.match(bench.ready, /^RolledBack: /, when);
      await bench.agent.stop();
    }
    for (const place of places) await rm(`${place}-kept`, { recursive: true });
    await bench.startAgent();
  });
});
