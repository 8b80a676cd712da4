import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnyDeclared, Declared } from '../../crds/model/kinds.js';
import { anyApp } from './any-app.js';
import { type Agent, Device } from './device.js';
import { byObject, followCalls, inOrder, type Line, rehearsedLines, rehearseOn } from './rehearse-device.js';
import { ScenarioRun } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

const imagesIn = (documents: readonly AnyDeclared[]): readonly string[] =>
  documents.flatMap((one) =>
    one.kind === 'App' ? Object.values(one.spec.services ?? {}).map(({ image }) => image) : [],
  );

const rehearsed = (agent: Agent, documents: readonly AnyDeclared[]) =>
  rehearseOn(
    agent,
    async (store) => {
      await store.propose({ origin: 'files', documents: documents.map((document) => ({ document })) });
    },
    imagesIn(documents),
  );

/** What a file of images brings is not known before it is read; until then the registry is asked again and again. */
function withoutFiles(lines: readonly Line[]): readonly Line[] {
  const short = lines.map(({ object, line }) => ({ object, line: line.split(' ', 2).join(' ') }));
  const first = (line: Line, at: number): boolean => short.findIndex((one) => one.line === line.line) === at;
  return short.filter(
    (one, at) => !one.line.startsWith('loadImages') && (!one.line.startsWith('pullImage') || first(one, at)),
  );
}

/**
 * Services that hand a port of the host to each other are left out: they stop and start side by side, and whether the
 * port is free in time is chance, on a device as in a rehearsal.
 */
function withoutPorts(app: Declared<'App'>): Declared<'App'> {
  const services = Object.entries(app.spec.services ?? {}).map(([name, { ports: _, ...service }]) => [name, service]);
  return { ...app, spec: { ...app.spec, services: Object.fromEntries(services) } };
}

/** Whether a guest looks before or after its host has its new container is chance, and with it whether its own is created ahead. */
const BY_CHANCE = new Set(['follows a changed service with the one that shares its network']);

describe('a rehearsal', () => {
  for (const scenario of SCENARIOS) {
    if (scenario.it === 'waits for an engine that has gone away') continue; // then nothing is known, and nothing is planned
    if (scenario.unforeseen) continue;
    it(`says what is then done, and nothing afterwards: ${scenario.it}`, async function () {
      if (BY_CHANCE.has(scenario.it)) this.retries(3);
      const run = new ScenarioRun(scenario);
      try {
        const agent = await run.prepare({ halted: scenario.byHand !== undefined && !scenario.noticed });
        const plan = await rehearsed(agent, scenario.target);
        assert.ok(plan.complete);
        const calls = followCalls(run.device);
        await run.apply();
        calls.stop();
        const form = scenario.settings?.sideLoads ? withoutFiles : (lines: readonly Line[]) => lines;
        const [output, done] = [form(rehearsedLines(plan)), form(calls.lines)];
        assert.deepEqual(byObject(output), byObject(done));
        assert.deepEqual(inOrder(output), inOrder(done));
        if (scenario.asksAgain?.includes('createContainer')) return; // that the engine goes on refusing cannot be foreseen
        const again = await rehearseOn(run.device.agent ?? assert.fail('no agent'));
        assert.deepEqual(rehearsedLines(again), [], 'a plan when it is done');
      } finally {
        await run.end();
      }
    });
  }

  it('says what is then done of generated apps, from nothing and from one to another', async function () {
    this.timeout(300_000);
    await fc.assert(
      fc.asyncProperty(fc.array(anyApp(7).map(withoutPorts), { minLength: 3, maxLength: 3 }), async (versions) => {
        const device = new Device();
        try {
          for (const image of ['web:1', 'db:1', 'web']) device.engine.images.add(image);
          // What is never healthy is rolled back, which no rehearsal foresees.
          device.engine.after = (verb, [id]) => {
            if (verb === 'startContainer') device.engine.docker.setHealth(String(id), 'healthy');
          };
          const agent = await device.boot();
          for (const version of versions) {
            const plan = await rehearsed(agent, [version]);
            const calls = followCalls(device);
            await agent.propose([version]);
            await agent.settle();
            calls.stop();
            assert.deepEqual(byObject(rehearsedLines(plan)), byObject(calls.lines));
            assert.deepEqual(rehearsedLines(await rehearseOn(agent)), []);
          }
        } finally {
          device.discard();
        }
      }),
      { numRuns: 34, seed: 7 },
    );
  });

  it('changes nothing: no call, no document, no status, no event, no system line, no file', async () => {
    const run = new ScenarioRun(
      SCENARIOS.find((one) => one.it.startsWith('pulls the image of a new release')) ?? assert.fail(),
    );
    try {
      const agent = await run.prepare();
      const { steps, store } = agent;
      const before = { steps: steps.length, version: store.resourceVersion, events: store.events().length };
      const lines: unknown[] = [];
      agent.logs.listen((line) => lines.push(line));
      run.device.engine.forgetCalls();
      const plan = await rehearsed(
        agent,
        SCENARIOS.find(({ it }) => it.startsWith('pulls the image of a new release'))?.target ?? [],
      );
      assert.ok(plan.calls.length > 3);
      await agent.quiet();
      assert.deepEqual({ steps: steps.length, version: store.resourceVersion, events: store.events().length }, before);
      assert.deepEqual(lines, []);
    } finally {
      await run.end();
    }
  });
});
