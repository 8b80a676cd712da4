import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** What stands in a line that times something by the clock that it was given. */
const BY_THE_CLOCK = /(?<!function )(?<![.\w])(?:pause|after|watchClock|repeat)\(|\.after\(/;
/** What stands in a line that takes a timer or the time of day of the machine itself. */
const BY_ITSELF = /\bset(?:Timeout|Interval)\(|\bDate\.now\b|\bnew Date\(\)|\bsetTimeout\b.*'node:timers\/promises'/;

/** The parts that time something by the clock they are given, and the test that has their timers fire early and late. */
const TESTS: Readonly<Record<string, string>> = {
  'api/cli/client/wait.ts': 'by the real clock: at each look it counts again how long is left',
  'api/cli/client/watch.ts': 'test/api/timers.test.ts',
  'api/http/resources/watch.ts': 'test/api/timers.test.ts',
  'api/http/supervisor/commands.ts': 'test/api/timers.test.ts',
  'api/http/supervisor/host-config-change.ts': 'test/api/timers.test.ts',
  'api/http/webhooks/stranger-bodies.ts': 'test/api/timers.test.ts',
  'api/platform/clock.ts': 'test/api/timers.test.ts',
  'api/sources/files/folder.ts': 'test/api/sources/files/folder-timers.test.ts',
  'api/sources/git/project-files.ts': 'test/api/sources/git/project-files-timers.test.ts',
  'controllers/agent/components.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/agent/gateway.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/agent/host.ts': 'test/controllers/timers.test.ts',
  'controllers/engine/cache/informer.ts': 'test/controllers/engine/cache/informer/punctuality.test.ts',
  'controllers/engine/cache/refresh-queue.ts': 'test/controllers/timers.test.ts',
  'controllers/engine/client/engine-streams.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/engine/engine-keeper.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/engine/engine-traits.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/engine/images/disk-space.ts': 'test/controllers/timers.test.ts',
  'controllers/engine/logs/log-follower.ts': 'test/controllers/engine/logs/log-follower.test.ts',
  'controllers/engine/request-watch.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/host/led.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/host/locks/all-locks.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/host/power/power-request.ts': 'test/controllers/timers.test.ts',
  'controllers/host/watch-files.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/image/archive-limits.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/image/side-loader.ts': 'test/controllers/image/side-loader.test.ts',
  'controllers/runtime/clock-watch.ts': 'test/controllers/runtime/clock-watch.test.ts',
  'controllers/runtime/delays.ts': 'test/controllers/runtime/timing.test.ts',
  'controllers/runtime/idle-gc.ts': 'test/controllers/timers.test.ts',
  'controllers/runtime/loop.ts': 'test/controllers/timers-of-the-engine.test.ts',
  'controllers/runtime/variables.ts': 'test/controllers/timers.test.ts',
  'controllers/service/orphans.ts': 'test/controllers/timers.test.ts',
  'controllers/service/output/service-logs.ts': 'test/controllers/service/output/service-logs.test.ts',
  'controllers/service/reboots.ts': 'test/controllers/timers.test.ts',
};

/** The parts that take the machine's own timers or time of day: in how many lines, and why they may. */
const OWN: Readonly<Record<string, { readonly lines: number; readonly why: string }>> = {
  'api/cli/client/peer-check.ts': { lines: 1, why: 'counts its tries, and keeps the command alive meanwhile' },
  'api/cli/client/session.ts': { lines: 1, why: 'the command is the root of its parts' },
  'api/cli/client/wait.ts': { lines: 1, why: 'has to keep the command alive between two tries' },
  'api/cli/client/watch.ts': { lines: 1, why: 'has to keep the command alive between two tries' },
  'api/cli/commands/top.ts': { lines: 1, why: 'has to keep the command alive between two looks' },
  'api/device-state/logs.ts': { lines: 1, why: 'a time that is shown' },
  'api/http/transport/listeners.ts': { lines: 1, why: 'cuts real connections; by how much too early is all the same' },
  'api/http/webhooks/hooks.ts': { lines: 1, why: 'test/controllers/timers.test.ts has it fire early and late' },
  'api/platform/clock.ts': { lines: 2, why: 'the clock itself' },
  'api/platform/run-program.ts': {
    lines: 3,
    why: 'real processes; test/api/timers.test.ts has them fire early and late',
  },
  'api/platform/time-limit.ts': {
    lines: 3,
    why: 'limits of single calls; test/api/timers.test.ts has them come early and late',
  },
  'api/store/persistence/status-files.ts': {
    lines: 1,
    why: 'test/controllers/timers.test.ts has it fire early and late',
  },
  'controllers/agent/end-process.ts': { lines: 1, why: 'the end of the process, when nothing else runs' },
  'controllers/agent/start.ts': { lines: 1, why: 'the end of the process, whatever hangs' },
  'controllers/engine/local/engine-daemon.ts': { lines: 1, why: 'looks at real processes again and again' },
  'controllers/git-source/plan.ts': { lines: 1, why: 'node-cron counts from the time of day of the machine' },
};

/** How many lines of each part have that in them; comments do not count. */
function linesWith(pattern: RegExp): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const folder of ['api', 'controllers']) {
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const path = join(folder, name);
      const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
      const count = lines.filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line) && pattern.test(line)).length;
      if (count > 0) found[path] = count;
    }
  }
  return found;
}

describe('timers of the product', () => {
  it('are those of the clock that a part is given, but for a few that say why', () => {
    const want = Object.fromEntries(Object.entries(OWN).map(([path, { lines }]) => [path, lines]));
    assert.deepEqual(
      linesWith(BY_ITSELF),
      want,
      'give the part the clock (api/platform/clock.ts), or say here why not',
    );
  });

  it('are all fired early and late by a test', () => {
    // Words of another meaning, and clocks that stand still until somebody moves them.
    const others = [
      ...['controllers/engine/local/engine-daemon.ts', 'controllers/engine/local/port-proxy.ts'],
      ...['controllers/engine/simulated/', 'controllers/runtime/stepped-clock.ts'],
      // The next time of a cron expression after another one.
      ...[
        'controllers/runtime/cron-times.ts',
        'controllers/service/jobs/due.ts',
        'controllers/service/jobs/observe.ts',
      ],
    ];
    const timed = Object.keys(linesWith(BY_THE_CLOCK)).filter(
      (path) => !others.some((one) => path.startsWith(one)) && !(path in OWN),
    );
    const named = Object.keys(TESTS).filter((path) => !(path in OWN));
    assert.deepEqual(timed.toSorted(), named.toSorted(), 'name the test that has its timers fire early and late');
    for (const test of Object.values(TESTS)) {
      if (!test.startsWith('test/')) continue;
      assert.match(readFileSync(join(ROOT, test), 'utf8'), /of PUNCTUALITIES\)/, test);
    }
  });
});
