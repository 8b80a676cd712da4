import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { conditionOf } from '../../crds/model/conditions.js';
import type { RequestName } from '../../crds/model/kinds.js';
import { declareApp } from '../setup/declared.js';
import type { Punctuality } from '../setup/fake-clock.js';
import { type Agent, Device } from '../simulation/device.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

const CLOCKS: readonly { readonly when: string; readonly punctuality: Punctuality; readonly setMs: number }[] = [
  { when: 'timers fire 1 ms early', punctuality: '1 ms early', setMs: 0 },
  { when: 'timers fire 1 h late', punctuality: '1 h late', setMs: 0 },
  { when: 'the clock is set back by 8 h', punctuality: 'exact', setMs: -8 * HOUR_MS },
  { when: 'the clock is set forward by 2 days', punctuality: 'exact', setMs: 48 * HOUR_MS },
];

for (const { when, punctuality, setMs } of CLOCKS) {
  const isLate = punctuality === '1 h late';

  describe(`an application that holds its update lock, when ${when}`, () => {
    let device: Device;
    let agent: Agent;
    let file: string;

    beforeEach(async () => {
      device = new Device({ punctuality });
      file = join(device.folder, 'locks/1/web/updates.lock');
      device.engine.images.serve('web:1', { content: 'web 1' });
      agent = await device.boot();
      await agent.propose([declareApp({ web: { environment: { V: '1' } } })]);
      await agent.settle();
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
    });
    afterEach(() => device.stop());

    /** Lets time pass, one timer after the other. */
    const run = async (ms: number): Promise<void> => {
      const untilMs = device.clock.monotonic() + ms;
      for (;;) {
        const [nextMs = Number.POSITIVE_INFINITY] = device.clock.planned;
        if (device.clock.monotonic() + nextMs > untilMs) break;
        device.clock.step();
        await agent.quiet();
      }
      device.clock.advance(Math.max(0, untilMs - device.clock.monotonic()));
      await agent.quiet();
    };
    const update = async (): Promise<void> => {
      await agent.propose([declareApp({ web: { environment: { V: '2' } } })]);
      await agent.quiet();
      assert.equal(conditionOf(app(), 'Ready')?.reason, 'UpdatesLocked');
    };
    const ask = async (name: RequestName): Promise<string | undefined> => {
      await agent.store.request('App/hello', { [name]: {} });
      await agent.quiet();
      const { refused, handled } = app().status ?? {};
      return refused?.[name]?.reason ?? (handled?.[name] === app().requests[name]?.id ? 'handled' : undefined);
    };
    const app = () => agent.store.get('App', 'hello') ?? assert.fail('no App');
    const claims = (): number => agent.steps.filter((step) => step.startsWith('lock.claim')).length;
    const variable = () =>
      device.engine.docker.containers.map(({ options }) => options.Env?.find((one) => /^V=/.test(one)));
    const ids = () => device.engine.docker.containers.map(({ id }) => id);

    it('is asked again less and less often, and not interrupted', async () => {
      await update();
      device.clock.set(setMs);
      const before = claims();
      await run(10 * 60 * SECOND_MS);
      // After 1, 2, 4, 8, 16, 32 s, then every minute.
      const asked = claims() - before;
      assert.ok(isLate ? asked === 0 : asked >= 12 && asked <= 15, `asked ${asked} times`);
      assert.deepEqual(variable(), ['V=1']);
    });

    it('is updated at the next look once the lock is gone', async () => {
      await update();
      await run(5 * 60 * SECOND_MS);
      device.clock.set(setMs);
      rmSync(file);
      await run(61 * SECOND_MS + (isLate ? HOUR_MS : 0));
      await agent.settle();
      assert.deepEqual(variable(), ['V=2']);
    });

    it('is asked again though the clock is set while nobody looks', async () => {
      await update();
      await agent.flush();
      await device.halt();
      device.clock.set(setMs);
      agent = await device.boot();
      await agent.quiet();
      assert.equal(conditionOf(app(), 'Ready')?.reason, 'UpdatesLocked');
      rmSync(file);
      await run(61 * SECOND_MS + (isLate ? HOUR_MS : 0));
      await agent.settle();
      assert.deepEqual(variable(), ['V=2']);
    });

    it('refuses a command once and for all; the next one is carried out when the lock is gone', async () => {
      const [id] = ids();
      assert.equal(await ask('restart'), 'Locked');
      device.clock.set(setMs);
      rmSync(file);
      await run(2 * HOUR_MS);
      assert.deepEqual(ids(), [id], 'what was refused must not happen later');
      const starts = (): number => device.engine.verbs.filter((verb) => verb === 'startContainer').length;
      const before = starts();
      await agent.store.request('App/hello', { restart: {} });
      await agent.settle();
      assert.equal(starts(), before + 1);
      assert.equal(app().status?.refused?.restart, undefined);
    });
  });
}
