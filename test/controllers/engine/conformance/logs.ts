import assert from 'node:assert/strict';
import type { EngineFixture } from './engine-fixture.js';

export function describeLogs(fixture: EngineFixture): void {
  const { signal, start } = fixture;

  describe('logs', () => {
    const printing = (): Promise<string> => start({ Cmd: ['sh', '-c', 'echo one; echo two >&2; exec sleep 1000'] });

    it('follows lines until the container stops', async () => {
      const id = await printing();
      await fixture.under.printed(id);
      const lines: string[] = [];
      for await (const { message, isStdErr, timestamp } of fixture.engine.followLogs(id, 0, signal)) {
        lines.push(`${isStdErr ? 'err' : 'out'} ${message}`);
        assert.ok(timestamp > Date.parse('2020-01-01'));
        if (lines.length === 2) await fixture.engine.stopContainer(id, signal);
      }
      assert.deepEqual(lines.sort(), ['err two', 'out one']);
    });

    it('begins where it is told to', async () => {
      const id = await printing();
      await fixture.under.printed(id);
      let last = 0;
      for await (const { timestamp } of fixture.engine.followLogs(id, 0, signal)) {
        if (last > 0) await fixture.engine.stopContainer(id, signal);
        last = timestamp;
      }
      const later: string[] = [];
      for await (const { message } of fixture.engine.followLogs(id, last / 1000 + 10, signal)) later.push(message);
      assert.deepEqual(later, []);
    });

    it('ends quietly with the signal, and at once without a container', async () => {
      const id = await printing();
      await fixture.under.printed(id);
      const stop = new AbortController();
      for await (const _ of fixture.engine.followLogs(id, 0, stop.signal)) stop.abort();
      for await (const _ of fixture.engine.followLogs(fixture.names.container(), 0, signal))
        assert.fail('there is no such container');
    });
  });

  describe('past logs', () => {
    it('ends with what was printed until now, from a moment on or the last lines', async () => {
      const id = await start({ Cmd: ['sh', '-c', 'echo one; echo two >&2; exec sleep 1000'] });
      await fixture.under.printed(id);
      const read = async (range: { since?: number; tail?: number }): Promise<string[]> => {
        const lines: string[] = [];
        for await (const { message } of fixture.engine.pastLogs(id, range, signal)) lines.push(message);
        return lines.sort();
      };
      assert.deepEqual(await read({}), ['one', 'two']);
      assert.equal((await read({ tail: 1 })).length, 1);
      assert.deepEqual(await read({ tail: 0 }), []);
      assert.deepEqual(await read({ since: Date.now() / 1000 + 1000 }), []);
    });

    it('has none without a container', async () => {
      for await (const _ of fixture.engine.pastLogs(fixture.names.container(), {}, signal))
        assert.fail('there is no such container');
    });
  });

  describe('statistics', () => {
    it('tells what a running container uses, and nothing of any other', async () => {
      const id = await start();
      const stats = await fixture.engine.containerStats(id, signal);
      assert.ok(stats);
      assert.ok(Date.parse(stats.at) > Date.parse('2020-01-01'));
      assert.ok(stats.memoryLimitBytes > 0);
      for (const figure of [stats.cpuNs, stats.memoryBytes, stats.processes])
        assert.ok(figure >= 0, JSON.stringify(stats));
      await fixture.engine.stopContainer(id, signal);
      assert.equal(await fixture.engine.containerStats(id, signal), undefined);
      assert.equal(await fixture.engine.containerStats(fixture.names.container(), signal), undefined);
    });
  });
}
