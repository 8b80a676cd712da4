import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processClock } from '../setup/clock.js';
import { TestRepository } from '../setup/git.js';
import { needPrograms } from '../setup/programs.js';
import { Scene } from '../setup/scene.js';

const DAY_MS = 86_400_000;
/** Longer than anything here waits by itself: 10 s for a rolling update, 8 s for the fifth download. */
const PATIENCE = { withinMs: 90_000 };

/** A device without a clock of its own, whose time is put right by NTP; the engine and the file system keep the true one. */
describe('an agent whose clock is set while it works', function () {
  this.timeout(400_000);
  const cases = [
    { it: 'back by a year', from: '+365d', to: '+0', aheadMs: 0 },
    { it: 'back by eight hours', from: '+8h', to: '+0', aheadMs: 0 },
    { it: 'forward by two days', from: '+0', to: '+2d', aheadMs: 2 * DAY_MS },
  ];
  for (const { it: what, from, to, aheadMs } of cases) {
    it(`goes on when it is set ${what}`, async () => {
      await needPrograms('git');
      const folder = await mkdtemp(join(tmpdir(), 'supercargo-clock-'));
      const clock = await processClock(folder, from);
      const repository = TestRepository.make();
      const scene = await Scene.open({ env: clock.env });
      try {
        repository.commit({ 'x.yaml': '# nothing' });
        const spec = { url: `file://${repository.bare}`, branch: 'main', interval: '3s' };
        await scene.agent.ask('/apis/supercargo.io/v1/gitsources/fleet', { method: 'PUT', body: { spec } });
        const [name, appId] = [`${scene.prefix}-web`, scene.appId()];
        const web = (version: string) => ({
          appId,
          services: {
            web: scene.service({
              updateStrategy: 'rolling',
              environment: { VERSION: version },
              command: ['sh', '-c', 'while :; do echo tick $VERSION; sleep 1; done'],
            }),
          },
        });
        const stream = await scene.agent.stream('/v2/local/logs');
        const ticks = (version: string) => stream.lines.filter((line) => line.includes(`tick ${version}`)).length;
        await scene.put(name, web('1'));
        await scene.put(`${scene.prefix}-none`, {
          appId: scene.appId(),
          services: { none: { image: '127.0.0.1:9/none:1' } },
        });
        await scene.untilReady(name, PATIENCE);
        await scene.until(
          'lines of the first',
          () => ticks('1'),
          (seen) => seen >= 2,
          PATIENCE,
        );
        const failures = async (): Promise<number> => {
          const [image] = (await scene.agent.ask('/apis/supercargo.io/v1/images'))
            .json<{ items: { spec: { image: string }; status?: { failures?: number } }[] }>()
            .items.filter((one) => one.spec.image.includes('none'));
          return image?.status?.failures ?? 0;
        };
        await scene.until('two failed downloads', failures, (seen) => seen >= 2, PATIENCE);
        await scene.put(name, web('2'));
        await scene.until(
          'both run',
          () => scene.containers(appId),
          (seen) => seen.length === 2,
          PATIENCE,
        );

        await clock.set(to);
        const failed = await failures();
        const source = async () => (await scene.agent.document('GitSource', 'fleet'))?.status;
        repository.commit({ 'x.yaml': '# nothing new' });
        await scene.until(
          'the new commit',
          source,
          (seen) => (seen as { applied?: { commit: string } }).applied?.commit === repository.head(),
          PATIENCE,
        );
        await scene.until('another download', failures, (seen) => seen > failed, PATIENCE);
        await scene.until(
          'the old one has gone',
          () => scene.containers(appId),
          (seen) => seen.length === 1,
          PATIENCE,
        );
        await scene.untilReady(name, PATIENCE);
        const before = ticks('2');
        await scene.until(
          'more lines of the second',
          () => ticks('2'),
          (seen) => seen >= before + 2,
          PATIENCE,
        );
        await scene.until(
          'it is noticed',
          () => scene.agent.lines.filter(({ msg }) => msg.startsWith('The clock was set')),
          (seen) => seen.length > 0,
          PATIENCE,
        );
        const { checkedAt = '' } = ((await source()) ?? {}) as { checkedAt?: string };
        assert.ok(Math.abs(Date.parse(checkedAt) - aheadMs - Date.now()) < 60_000, checkedAt);
        assert.equal((await scene.agent.ask('/v1/healthy')).status, 200);
        stream.close();
      } finally {
        await scene.close();
        repository.remove();
        await rm(folder, { recursive: true });
      }
    });
  }
});
