import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type AgentContext, openAgent } from '../../../controllers/agent/agent-context.js';
import { readSettings } from '../../../controllers/agent/settings.js';
import { type Wiring, wire } from '../../../controllers/agent/wiring.js';
import { KINDS } from '../../../crds/model/kinds.js';

const reporter = {
  log: pino({ level: 'silent' }),
  print: () => undefined,
  follow: () => ({ look: () => undefined, stop: () => undefined }),
};

/** What keeps a process alive: timers, sockets, watched files, calls under way. */
const alive = (): readonly string[] => process.getActiveResourcesInfo().sort();

describe('an agent that is put together', () => {
  let folder: string;
  let context: AgentContext;
  let wiring: Wiring;
  let asBefore: readonly string[];
  let asAfter: readonly string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wiring-'));
    const data = join(folder, 'data');
    mkdirSync(data);
    const flags = ['--data', data, '--host-root', folder, '--manifests', join(folder, 'manifests')];
    const settings = readSettings([...flags, '--listen', '127.0.0.1:0'], { DOCKER_HOST: 'tcp://127.0.0.1:1' }, '/');
    assert.ok(typeof settings === 'object');
    context = await openAgent(settings, reporter);
    const were = alive();
    wiring = await wire(context);
    [asBefore, asAfter] = [were, alive()];
  });
  after(async () => {
    await context.store.close();
    context.unlockFolder();
    rmSync(folder, { recursive: true });
  });

  it('has begun nothing', () => {
    assert.deepEqual(asAfter, asBefore);
    assert.deepEqual(wiring.server.addresses, []);
    assert.equal(wiring.handle.vitals, undefined);
  });

  it('has a loop for every kind, those that others come after first', () => {
    const kinds = wiring.loops.map(({ controller }) => controller.kind);
    assert.deepEqual([...kinds].sort(), [...KINDS].sort());
    for (const { controller } of wiring.loops)
      for (const earlier of controller.after ?? [])
        assert.ok(kinds.indexOf(earlier) < kinds.indexOf(controller.kind), `${controller.kind} after ${earlier}`);
  });

  it('answers over HTTP before there is an engine', async () => {
    const ask = async (url: string) => (await wiring.server.inject({ url })).statusCode;
    assert.equal(await ask('/ping'), 200);
    assert.equal(await ask('/v1/healthy'), 200);
    assert.match(wiring.handle.failure ?? '', /still being looked for/);
  });
});
