import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { convertProject } from '../../../../api/sources/compose/convert.js';
import { exportApp } from '../../../../api/sources/compose/export.js';
import { EXTENSION, type Level, WORDS } from '../../../../api/sources/compose/extension.js';
import { problemLine } from '../../../../api/sources/documents.js';
import { childrenOf } from '../../../../controllers/app/release/children.js';
import { readDefinition } from '../../../../controllers/service/container/definition.js';
import { specHash } from '../../../../controllers/service/container/spec-hash.js';
import { withDefaults } from '../../../../crds/model/defaults.js';
import { API_VERSION, type App } from '../../../../crds/model/kinds.js';
import { isMap, type Values } from '../../../../crds/model/maps.js';
import { referencesOf } from '../../../../crds/model/references.js';
import type { AppSpec } from '../../../../crds/model/types.js';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { anyFields } from '../../../controllers/service/any-fields.js';
import { allFiles, CORPUS, hasCorpus } from '../../../setup/compose-corpus.js';
import { anyApp } from '../../../simulation/any-app.js';

const EXAMPLES = new URL('../../../../examples/', import.meta.url).pathname;
const RUNS = { numRuns: 150, seed: 20_261_129 };

/** As a document comes in by any way. */
function parsed(name: string, spec: unknown): App {
  const result = parseDocument({ apiVersion: API_VERSION, kind: 'App', metadata: { name }, spec });
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.issues));
  assert.ok(result.document.kind === 'App');
  return withDefaults(result.document, { origin: 'files' }) as App;
}

/** The same as a target state, or a version of before, would have said it. */
const asSupervisor = ({ spec: { defaults: _, ...spec }, ...app }: App): App => ({ ...app, spec });

/** Reads what was exported as if it were in a folder of any name. */
async function readBack(text: string): Promise<App> {
  const readFile = async (path: string) => ({ text: path === '/any/compose.yaml' ? text : undefined });
  const converted = await convertProject({ folder: '/any', readFile }, parseDocument);
  assert.deepEqual(converted.problems.map(problemLine), [], text);
  assert.deepEqual(converted.warnings.map(problemLine), [], text);
  const { document } = converted;
  assert.ok(isMap(document) && isMap(document.metadata));
  return parsed(String(document.metadata.name), document.spec);
}

const roundTrip = ({ metadata, spec }: App): Promise<App> => readBack(exportApp(metadata.name, spec).text);

const unordered = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What an App comes to on a device, but for where it was declared: its networks, volumes, images, containers and rules. */
function meaningOf(app: App): unknown {
  const children = childrenOf(app).map((one) => {
    if (one.kind !== 'Service') return one;
    const { app: of, serviceName, appId = 0, appUuid = '', appName = '', serviceId = 0 } = one.spec;
    const identity = { appId, appUuid, appName, serviceId, serviceName };
    const { definition } = readDefinition(one.spec);
    const { dependencies, running } = definition;
    const { imageId, release, containerName, updateStrategy, restart_unhealthy, contract, pull_policy } = one.spec;
    return {
      container: specHash({
        definition,
        imageId: 'sha256:feed',
        identity: identity as never,
        api: undefined,
        cloud: undefined,
      }),
      ...{ of, identity, dependencies, running, imageId, release, containerName, updateStrategy, restart_unhealthy },
      ...{ contract, pull_policy },
    };
  });
  const { services: _, networks: __, volumes: ___, ...rules } = app.spec;
  const { appId, uuid, name, release, allowHostBinds = false, defaults: ____, ...others } = rules;
  return unordered({ children, ...others, allowHostBinds, release: release ?? null });
}

const comesBack = async (app: App): Promise<void> => {
  for (const one of [app, asSupervisor(app)]) {
    const again = await roundTrip(one);
    assert.deepEqual(meaningOf(again), meaningOf(one), exportApp(one.metadata.name, one.spec).text);
    assert.equal(again.spec.defaults, one.spec.defaults ?? 'supervisor');
  }
};

/** Fields of lists in which Compose counts what is there twice once. */
const ONCE = [
  'cap_add',
  'cap_drop',
  'security_opt',
  'group_add',
  'device_cgroup_rules',
  'dns',
  'dns_search',
  'dns_opt',
  'devices',
  'expose',
];

/** An App of one service with any fields, and of all that these name. */
function appWith(fields: Values): App {
  const once = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      ONCE.includes(name) && Array.isArray(value) ? [...new Set(value.map(String))] : value,
    ]),
  );
  const { dependsOn, networks = [], volumes } = referencesOf(once);
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));
  const needed = Object.fromEntries(
    dependsOn.filter(({ service }) => service !== 'web0').map(({ service }) => [service, { image: 'db:1' }]),
  );
  return parsed('hello', {
    allowHostBinds: true,
    services: { ...needed, web0: { image: 'web:1', ...once } },
    networks: named(networks),
    volumes: named(volumes),
  });
}

describe('an App as a Compose file', () => {
  const shop: AppSpec = {
    appId: 1234,
    release: { commit: 'abc', id: 7 },
    defaults: 'supervisor',
    services: {
      web: {
        image: 'web:1',
        command: 'serve "a b" $PORT',
        environment: ['A=costs $5', 'OCTAL=0777', 'ANSWER=yes', 'PATH'],
        ports: [80, '127.0.0.1:8080:80/udp', { target: 443 }],
        volumes: ['data:/data', 'd:/d:ro'],
        stop_grace_period: 90_000,
        network_mode: 'front',
        updateStrategy: 'rolling',
        running: false,
      },
      db: { image: 'db:1', entrypoint: ['/run', '-v'], tty: false, restart: 'no', user: 1000 },
    },
    networks: { front: { internal: true }, spare: { config_only: true } },
    volumes: { data: null, d: { name: 'mine' }, old: { external: true, name: 'theirs' } },
  };
  const file = `name: shop
services:
  web:
    image: web:1
    scale: 0
    command: [ serve, a b, $$PORT ]
    environment:
      A: costs $$5
      OCTAL: "0777"
      ANSWER: "yes"
    tty: true
    restart: always
    stop_grace_period: 1m30s
    ports: [ "80:80", 127.0.0.1:8080:80/udp, "443:443" ]
    networks: [ front ]
    volumes:
      - data:/data
      - type: volume
        source: d
        target: /d
        read_only: true
        volume: {}
    ipc: shareable
    x-supercargo:
      updateStrategy: rolling
      unset: [ PATH ]
  db:
    image: db:1
    entrypoint: [ /run, -v ]
    user: "1000"
    tty: false
    restart: "no"
    ipc: shareable
    x-supercargo:
      keepCommand: true
networks:
  default:
    name: 1234_default
  front:
    name: 1234_front
    internal: true
  spare:
    name: 1234_spare
    x-supercargo:
      config_only: true
      keep: true
volumes:
  data:
    name: 1234_data
  d:
    name: mine
  old:
    name: theirs
    external: true
    x-supercargo:
      keep: true
x-supercargo:
  appId: 1234
  uuid: "1234"
  release:
    commit: abc
    id: 7
  allowHostBinds: false
  defaults: supervisor
`;

  it('says what an App takes for granted, and under x-supercargo what Compose cannot say', () => {
    const { text, warnings } = exportApp('shop', parsed('shop', shop).spec);
    assert.equal(text, file);
    assert.deepEqual(warnings, [
      'services.web: variables of the image are not set here, and are by Docker Compose: PATH',
      'services.db: the command of the image is an argument of the entrypoint here, and left out by Docker Compose',
      'networks.spare: Docker Compose makes a bridge of it',
    ]);
  });

  it('leaves out what an App that means what Compose means leaves out', () => {
    const { defaults: _, ...spec } = shop;
    const { file: written, warnings } = exportApp('shop', parsed('shop', spec).spec);
    const { services, 'x-supercargo': own } = written as { services: Record<string, Values>; 'x-supercargo': Values };
    const { web = {}, db = {} } = services;
    assert.deepEqual([web.tty, web.ipc, web.restart], [undefined, undefined, 'always']);
    assert.deepEqual(web.ports, ['80', '127.0.0.1:8080:80/udp', '443']);
    assert.deepEqual([db.tty, db.ipc, db['x-supercargo']], [false, undefined, undefined]);
    assert.equal(own.defaults, undefined);
    assert.deepEqual(
      warnings.filter((line) => line.includes('command')),
      [],
    );
  });

  it('leaves out what Compose takes for granted, so that 1.29 reads it as well', () => {
    const [source, target] = ['/srv', '/data'];
    const { file } = exportApp('shop', {
      allowHostBinds: true,
      services: {
        db: { image: 'db' },
        web: {
          image: 'web',
          depends_on: { db: { condition: 'service_started', required: true, restart: false } },
          volumes: [
            { type: 'bind', source, target, read_only: true, bind: { create_host_path: true } },
            { type: 'bind', source, target: '/shared', bind: { propagation: 'rshared' } },
            { type: 'bind', source: '/srv:1', target: '/colon' },
            { type: 'bind', source, target: '/there', bind: { create_host_path: false } },
          ],
        },
      },
    });
    const { services } = file as { services: { web: Values } };
    assert.deepEqual(services.web.depends_on, ['db']);
    assert.deepEqual(services.web.volumes, [
      '/srv:/data:ro',
      { type: 'bind', source, target: '/shared', bind: { propagation: 'rshared', create_host_path: true } },
      { type: 'bind', source: '/srv:1', target: '/colon', bind: { create_host_path: true } },
      { type: 'bind', source, target: '/there', bind: { create_host_path: false } },
    ]);
  });

  it('keeps the letters of SELinux of volumes', async () => {
    const volumes = ['data:/data:z', 'd:/d:ro,Z'];
    await comesBack(
      parsed('shop', { services: { web: { image: 'web:1', volumes } }, volumes: { data: null, d: null } }),
    );
  });

  it('keeps numbers that come from the name when Compose has to write the name otherwise', async () => {
    const app = parsed('My.Shop', { services: { web: { image: 'web:1' } }, volumes: { data: null } });
    const again = await roundTrip(app);
    assert.equal(again.metadata.name, 'myshop');
    const documents = /(?<="(?:name|app|of)":")My\.Shop(?=[."])/g;
    assert.deepEqual(meaningOf(again), JSON.parse(JSON.stringify(meaningOf(app)).replace(documents, 'myshop')));
  });

  it('is the same App when it is read again: any field of a service', async () => {
    await fc.assert(
      fc.asyncProperty(anyFields, (fields) => comesBack(appWith(fields as Values))),
      RUNS,
    );
  });

  it('is the same App when it is read again: any App', async () => {
    await fc.assert(
      fc.asyncProperty(anyApp(7), ({ metadata, spec }) => comesBack(parsed(metadata.name, spec))),
      RUNS,
    );
  });

  it('is the same App when it is read again: the examples', async () => {
    const files = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
    const apps = files.flatMap((file) =>
      [...parseAllDocuments(readFileSync(join(EXAMPLES, file), 'utf8'))].map((one): unknown => one.toJS()),
    );
    let count = 0;
    for (const one of apps) {
      if (!isMap(one) || one.kind !== 'App' || !isMap(one.metadata)) continue;
      await comesBack(parsed(String(one.metadata.name), one.spec));
      count += 1;
    }
    assert.ok(count > 10);
  });

  it('is the same document when it came from a Compose file: those of real projects', async function () {
    this.timeout(120_000);
    if (!hasCorpus()) {
      console.log('      the files of real projects are not here (../shared/corpus/compose)');
      this.skip(); // files of many projects and licences, which this repository does not carry; the property tests run everywhere
    }
    const kept = allFiles();
    const textOf = (path: string): string | undefined =>
      existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
    let count = 0;
    for (const { file } of kept) {
      const folder = join(CORPUS, dirname(file));
      const readFile = async (path: string) => ({ text: textOf(path) ?? (/\.ya?ml$/.test(path) ? undefined : '') });
      const { document, name = '' } = await convertProject(
        { folder, files: [join(CORPUS, file)], readFile },
        parseDocument,
      );
      if (document === undefined) continue;
      const app = parsed(name, document.spec);
      const again = await roundTrip(app);
      assert.deepEqual(unordered(again.spec), unordered(app.spec), file);
      assert.deepEqual(meaningOf(again), meaningOf(app), file);
      count += 1;
    }
    console.log(`      ${count} of ${kept.length}, the others are not taken as they are`);
    assert.ok(count > 100);
  });

  it('has under x-supercargo what the guide says', () => {
    const guide = readFileSync(new URL('../../../../docs/guide/compose.md', import.meta.url), 'utf8');
    const rows = [...guide.matchAll(/^\| (?:the|a) (file|service|network|volume) \|([^|]*)\|([^|]*)\|$/gm)];
    const told = rows.map(([, where = '', fields = '', words = '']) => [
      where === 'file' ? 'app' : where,
      ...[fields, words].map((text) => [...text.matchAll(/`(\w+)(?=[`:])/g)].map(([, name]) => name)),
    ]);
    const levels = Object.keys(EXTENSION) as Level[];
    assert.deepEqual(
      told,
      levels.map((level) => [level, [...EXTENSION[level]], [...WORDS[level]]]),
    );
  });
});
