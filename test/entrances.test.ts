import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchFolders } from '../api/sources/files/folder.js';
import type { Store } from '../api/store/store.js';
import { conditionOf } from '../crds/model/conditions.js';
import type { AppService } from '../crds/model/types.js';
import { parseDocument } from '../crds/schema/parse.js';
import { SourceBench } from './api/sources/git/a-source.js';
import { CommandProcess } from './setup/command.js';
import { TestRepository } from './setup/git.js';
import { needPrograms } from './setup/programs.js';
import { until } from './setup/until.js';
import { type MemoryAgent, startMemoryAgent } from './simulation/memory-agent.js';

type Services = Readonly<Record<string, AppService>>;

/** A way by which a document comes to the device. Returns what it answers. */
type Entrance = (services: Services) => Promise<{ readonly reported: string; readonly store: Store }>;

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const image = 'web:1';
const APPS = '/apis/supercargo.io/v1/apps';

describe('the entrances of documents', function () {
  this.timeout(120_000);
  let agent: MemoryAgent;
  let command: CommandProcess;
  before(async () => {
    await needPrograms('git');
    command = await CommandProcess.make();
  });
  after(() => command.remove());
  beforeEach(async () => {
    agent = await startMemoryAgent();
    agent.engine.images.add(image);
  });
  afterEach(() => agent.close());

  const documentOf = (services: Services) => ({
    ...{ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'shop' } },
    spec: { appId: 1, services },
  });
  const ask = async (method: string, path: string, body: unknown, type = 'application/json'): Promise<string> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${agent.host}${path}`, { method, headers: { 'content-type': type }, body: text });
    return `${answer.status} ${await answer.text()}`;
  };
  const http =
    (
      method: string,
      path: string,
      bodyOf: (document: object) => unknown = (document) => document,
      type?: string,
    ): Entrance =>
    async (services) => ({
      reported: await ask(method, path, bodyOf(documentOf(services)), type),
      store: agent.store,
    });
  const cli =
    (...words: readonly string[]): Entrance =>
    async (services) => {
      const input = JSON.stringify(documentOf(services));
      const { code, out, err } = await command.run([...words, '-f', '-'], {
        env: { SUPERCARGO_HOST: agent.host },
        input,
      });
      return { reported: `${code} ${out} ${err}`, store: agent.store };
    };

  /** Every entrance that answers its caller; each gets the document alone. */
  const entrances: Readonly<Record<string, Entrance>> = {
    PUT: http('PUT', `${APPS}/shop`),
    POST: http('POST', APPS),
    'a dry run': http('PUT', `${APPS}/shop?dryRun=All`),
    'a plan': http('POST', '/apis/supercargo.io/v1/plan', (document) => ({ documents: [document] })),
    'a plan of YAML': http('POST', '/apis/supercargo.io/v1/plan', JSON.stringify, 'application/yaml'),
    'apply --dry-run': cli('apply', '--dry-run'),
    apply: cli('apply', '--no-wait'),
    'a watched folder': async (services) => {
      const folder = mkdtempSync(join(tmpdir(), 'supercargo-entrances-'));
      writeFileSync(join(folder, 'shop.yaml'), JSON.stringify(documentOf(services)));
      const deviceUuid = '0'.repeat(32);
      const source = watchFolders({
        ...{ folders: [folder], parse: parseDocument, deviceUuid, log: quiet, settleMs: 0 },
        store: agent.store,
      });
      await source.start();
      await source.stop();
      rmSync(folder, { recursive: true });
      return { reported: JSON.stringify(agent.store.problems()), store: agent.store };
    },
    git: async (services) => {
      const repository = TestRepository.make();
      const bench = await SourceBench.make({ url: repository.bare, branch: 'main' });
      repository.commit({ 'shop.yaml': JSON.stringify(documentOf(services)) }, 'Begin');
      const { failure } = await bench.sync();
      await bench.close();
      repository.remove();
      return { reported: JSON.stringify([failure, bench.store.problems()]), store: bench.store };
    },
  };

  const contradictions: readonly { it: string; services: Services; field: string; says: RegExp }[] = [
    {
      it: 'services that wait for each other',
      services: { a: { image, depends_on: ['b'] }, b: { image, depends_on: ['a'] } },
      field: 'spec.services.a.depends_on',
      says: /services wait for each other: a → b → a/,
    },
    {
      it: 'a port of the host twice',
      services: { a: { image, ports: ['80:80'] }, b: { image, ports: ['80:81'] } },
      field: 'spec.services.b.ports[0]',
      says: /is published by a already/,
    },
    {
      it: 'an image for two processors',
      services: { a: { image, platform: 'linux/amd64' }, b: { image, platform: 'linux/arm64' } },
      field: 'spec.services.b.platform',
      says: /name them by different references/,
    },
    {
      it: 'the network of the host beside others',
      services: { a: { image, network_mode: 'host', networks: ['default'] } },
      field: 'spec.services.a.network_mode',
      says: /cannot stand beside networks/,
    },
    {
      it: 'a label that mounts something of the host without permission',
      services: { a: { image, labels: { 'io.balena.features.sysfs': '1' } } },
      field: 'spec.services.a.labels',
      says: /mounts \/sys of the host only with spec\.allowHostBinds: true/,
    },
    {
      it: 'a path of the host without permission',
      services: { a: { image, volumes: ['/etc:/etc'] } },
      field: 'spec.services.a.volumes',
      says: /allowHostBinds/,
    },
  ];

  for (const [name, entrance] of Object.entries(entrances)) {
    for (const { it: what, services, field, says } of contradictions) {
      it(`${name} refuses ${what}`, async () => {
        const { reported, store } = await entrance(services);
        assert.match(reported, says);
        assert.ok(reported.includes(field), reported);
        assert.equal(store.get('App', 'shop'), undefined, reported);
      });
    }
  }

  // Another document may still bring the name, by any entrance: docs/design/rollout.md §1.1.
  const undeclared: Services = { a: { image, networks: ['later'] } };
  for (const name of ['a dry run', 'a plan', 'a plan of YAML', 'apply --dry-run']) {
    it(`${name} refuses a name that nobody declares`, async () => {
      const { reported } = (await entrances[name]?.(undeclared)) ?? { reported: '' };
      assert.match(reported, /later is not declared: add it under spec\.networks/);
      assert.equal(agent.store.get('App', 'shop'), undefined, reported);
    });
  }
  for (const name of ['PUT', 'POST', 'apply', 'a watched folder', 'git']) {
    it(`${name} ${name === 'apply' ? 'asks before, and refuses' : 'takes'} a name that nobody declares yet`, async () => {
      const { reported, store } = (await entrances[name]?.(undeclared)) ?? { reported: '', store: agent.store };
      assert.equal(store.get('App', 'shop') === undefined, name === 'apply', reported);
    });
  }

  it('POST of a target state takes what a Supervisor takes; the App says it then', async () => {
    const service = (name: string, other: string) => ({
      ...{ serviceName: name, imageId: 1, image, environment: {}, labels: {}, depends_on: [other] },
    });
    const app = { name: 'shop', commit: 'a', releaseId: 1, volumes: {}, networks: {} };
    const apps = { 1: { ...app, services: { 1: service('a', 'b'), 2: service('b', 'a') } } };
    assert.match(await ask('POST', '/v2/local/target-state', { local: { name: 'd', config: {}, apps } }), /^200 /);
    const stalled = await until(
      'the app says what is wrong',
      () => agent.store.list('App')[0],
      (seen) => seen !== undefined && conditionOf(seen, 'Stalled')?.status === 'True',
    );
    assert.match(JSON.stringify(conditionOf(stalled as never, 'Stalled')), /InvalidRelease.*wait for each other/);
  });
});
