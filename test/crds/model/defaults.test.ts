import assert from 'node:assert/strict';
import { COMPOSE } from '../../../crds/model/compose.js';
import { type Defaults, spelledOut, unlikeSupervisor, withDefaults } from '../../../crds/model/defaults.js';
import {
  type AnyDeclared,
  type AnyResource,
  API_VERSION,
  type Origin,
  type Source,
} from '../../../crds/model/kinds.js';
import { bareAddress, portParts } from '../../../crds/model/port-text.js';
import type { AppService, AppSpec } from '../../../crds/model/types.js';

const anApp = (services: Readonly<Record<string, Partial<AppService>>>, more: Partial<AppSpec> = {}): AnyDeclared => ({
  apiVersion: API_VERSION,
  kind: 'App',
  metadata: { name: 'shop' },
  spec: { ...more, services: services as AppSpec['services'] & {} },
});
const present = (document: AnyDeclared, metadata: object = {}): AnyResource =>
  ({ ...document, metadata: { ...document.metadata, ...metadata } }) as AnyResource;

/** The same App, as it comes of a Compose file. */
const ofCompose = (web: Partial<AppService>): AnyDeclared => {
  const annotations = { [COMPOSE.files]: 'compose.yaml' };
  const app = anApp({ web: { image: 'web:1', ...web } });
  return { ...app, metadata: { ...app.metadata, annotations } } as AnyDeclared;
};
const FREE = { target: 80, protocol: 'tcp' } as const;

describe('whose meaning a document has', () => {
  const web = { web: { image: 'web:1' } };
  const file: Source = { file: 'a.yaml' };
  const rows: readonly {
    readonly it: string;
    readonly origin?: Origin;
    readonly source?: Source;
    readonly document?: AnyDeclared;
    readonly before?: AnyResource;
    readonly want: Defaults | undefined;
    /** What it says is that of before, too. */
    readonly isAsBefore?: true;
  }[] = [
    { it: 'is Compose’s of a new document', want: 'compose' },
    { it: 'is Compose’s of a new document from git', origin: 'git/fleet', want: 'compose' },
    { it: 'is Compose’s of a new document of the API', origin: 'api', want: 'compose' },
    { it: 'is a Supervisor’s of a target state', origin: 'local', want: undefined },
    { it: 'is a Supervisor’s of a target state in a file', source: { ...file, isTargetState: true }, want: undefined },
    { it: 'is what it says', document: anApp(web, { defaults: 'supervisor' }), want: 'supervisor' },
    {
      it: 'is what a target state says',
      origin: 'local',
      document: anApp(web, { defaults: 'compose' }),
      want: 'compose',
    },
    { it: 'stays what it was before while the services are the same', before: present(anApp(web)), want: undefined },
    {
      it: 'stays what it was before whatever else changes',
      document: anApp(web, { suspend: true, volumes: { data: {} } }),
      before: present(anApp(web)),
      want: undefined,
    },
    {
      it: 'is Compose’s once a service changes',
      document: anApp({ web: { image: 'web:2' } }),
      before: present(anApp(web)),
      want: 'compose',
    },
    {
      it: 'is Compose’s once another service comes',
      document: anApp({ ...web, db: { image: 'db' } }),
      before: present(anApp(web)),
      want: 'compose',
    },
    {
      it: 'is Compose’s where the one before is being deleted',
      before: present(anApp(web), { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      want: 'compose',
    },
    { it: 'stays Compose’s', before: present(anApp(web, { defaults: 'compose' })), want: 'compose' },
    {
      it: 'becomes Compose’s again when it does not say the other any more',
      before: present(anApp(web, { defaults: 'supervisor' })),
      want: 'compose',
    },
    {
      it: 'stays what it was of a Compose file whose free ports were only exposed, and whose letters of SELinux were lost',
      document: ofCompose({ ports: [FREE, { target: 1, published: 2 }], volumes: ['data:/data:ro,z', '/a:/b:z'] }),
      before: present(
        ofCompose({ ports: [{ target: 1, published: 2 }], expose: ['80/tcp'], volumes: ['data:/data:ro', '/a:/b:z'] }),
      ),
      want: undefined,
      isAsBefore: true,
    },
    {
      it: 'is Compose’s of a document that publishes what it exposed',
      document: anApp({ web: { image: 'web:1', ports: [FREE] } }),
      before: present(anApp({ web: { image: 'web:1', expose: ['80/tcp'] } })),
      want: 'compose',
    },
  ];
  for (const { it: name, origin = 'files', source = file, document = anApp(web), before, want, isAsBefore } of rows) {
    it(name, () => {
      const meant = withDefaults(document, { origin, source }, before);
      assert.equal((meant.spec as AppSpec).defaults, want);
      const { defaults: _, ...rest } = meant.spec as AppSpec;
      const { defaults: __, ...written } = ((isAsBefore && before) || document).spec as AppSpec;
      assert.deepEqual(rest, written);
      // Twice comes to the same.
      assert.deepEqual(withDefaults(meant, { origin, source }, present(meant)), meant);
    });
  }

  it('is asked of Apps and Services alone, and not of what an App makes', () => {
    const service: AnyDeclared = {
      apiVersion: API_VERSION,
      kind: 'Service',
      metadata: { name: 'shop.web' },
      spec: { app: 'shop', serviceName: 'web', image: 'web:1' },
    };
    assert.equal(withDefaults(service, { origin: 'App/shop' }), service);
    assert.deepEqual(withDefaults(service, { origin: 'api' }).spec, { defaults: 'compose', ...service.spec });
    assert.equal(withDefaults(service, { origin: 'api' }, present(service)), service);
    const source: AnyDeclared = {
      apiVersion: API_VERSION,
      kind: 'GitSource',
      metadata: { name: 'v' },
      spec: { url: 'https://example.com/x' },
    };
    assert.equal(withDefaults(source, { origin: 'api' }), source);
  });
});

describe('what is left out', () => {
  const fields = { entrypoint: ['/x'], ports: [80, '127.0.0.1:81', '8080:82', { target: 83 }, '[::1]:84/udp'] };

  it('is spelt out as Compose means it', () => {
    assert.deepEqual(spelledOut({ defaults: 'compose', ...fields }), {
      ...{ entrypoint: ['/x'], command: [], tty: false, ipc: undefined },
      ports: ['0:80', '127.0.0.1:0:81', '8080:82', { target: 83, published: 0 }, '[::1]:0:84/udp'],
    });
  });

  it('is spelt out as a Supervisor means it', () => {
    assert.deepEqual(spelledOut(fields), {
      ...{ entrypoint: ['/x'], tty: true, ipc: 'shareable' },
      ports: ['80:80', '127.0.0.1:81:81', '8080:82', { target: 83, published: 83 }, '[::1]:84:84/udp'],
    });
  });

  for (const [what, service, want] of [
    ['nothing', {}, ['tty', 'ipc']],
    ['all', fields, ['tty', 'ipc', 'command', 'ports']],
    ['none of what it says', { tty: true, ipc: 'private', entrypoint: '/x', command: 'y', ports: ['80:80'] }, []],
    ['no command beside an empty entrypoint', { tty: false, ipc: 'host', entrypoint: [] }, []],
  ] as const) {
    it(`differs for a service that says ${what}`, () => assert.deepEqual(unlikeSupervisor(service as never), want));
  }
});

describe('portParts', () => {
  for (const [text, address, host, container, protocol = 'tcp'] of [
    ['80', '', undefined, '80'],
    ['80/udp', '', undefined, '80', 'udp'],
    ['8080:80', '', '8080', '80'],
    ['0:80', '', '0', '80'],
    ['8000-8002:80-82', '', '8000-8002', '80-82'],
    ['127.0.0.1:8080:80', '127.0.0.1', '8080', '80'],
    ['127.0.0.1:80', '127.0.0.1', undefined, '80'],
    ['127.0.0.1::80', '127.0.0.1', '', '80'],
    ['[::1]:8080:80', '[::1]', '8080', '80'],
    ['[::1]:80', '[::1]', undefined, '80'],
    ['::1:8080:80', '::1', '8080', '80'],
  ] as const) {
    it(text, () => assert.deepEqual(portParts(text), { address, host, container, protocol }));
  }
  for (const text of ['', 'web', '80:', ':80', '80:80:80', 'host:80:80', '80-', 'a:80'])
    it(`has none in ${JSON.stringify(text)}`, () => assert.equal(portParts(text), undefined));
  it('has addresses without brackets', () => assert.equal(bareAddress('[::1]'), '::1'));
});
