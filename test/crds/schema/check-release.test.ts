import assert from 'node:assert/strict';
import type { Origin } from '../../../crds/model/kinds.js';
import type { AppSpec } from '../../../crds/model/types.js';
import { checkRelease } from '../../../crds/schema/check-release.js';
import { anApp } from '../../setup/documents.js';

const image = 'busybox';
const issuesOf = (spec: Partial<AppSpec>, origin: Origin = 'files') =>
  checkRelease(anApp({ spec, origin })).map(({ path, message }) => `${path.replace('spec.services.', '')}: ${message}`);

describe('checkRelease', () => {
  const cases: ReadonlyArray<{
    it: string;
    spec: Partial<AppSpec>;
    want?: readonly string[];
    lenient?: readonly string[];
  }> = [
    { it: 'passes a plain app', spec: {} },
    { it: 'passes an app without services', spec: { services: {} } },
    {
      it: 'passes what is declared',
      spec: {
        services: {
          a: { image, depends_on: ['b'], networks: ['back', 'default'], volumes: ['data:/data', '/anonymous'] },
          b: { image, networks: { back: { aliases: ['x'] } } },
          c: { image, network_mode: 'service: a' },
          d: { image, network_mode: 'host' },
          e: { image, network_mode: 'back' },
        },
        networks: { back: null },
        volumes: { data: {} },
      },
    },
    {
      it: 'passes free ports of several services',
      spec: {
        defaults: 'compose',
        services: {
          a: { image, ports: ['80', '127.0.0.1::80'] },
          b: { image, ports: [80, '0:80', { target: 80 }, '127.0.0.1::80'] },
        },
      },
    },
    {
      it: 'names the same port of several services, where a port without one of the host is that',
      spec: { services: { a: { image, ports: ['80'] }, b: { image, ports: [{ target: 80 }] } } },
      want: ['b.ports[0]: port 80/tcp of the host is published by a already: publish another one'],
      lenient: [],
    },
    {
      it: 'names an IPC namespace that another service shares and that is not shareable',
      spec: {
        defaults: 'compose',
        services: {
          a: { image },
          b: { image, ipc: 'service:a' },
          c: { image, ipc: 'service:d' },
          d: { image, ipc: 'shareable' },
        },
      },
      want: ['a.ipc: b shares the IPC namespace of a, which has it for itself: write ipc: shareable'],
      lenient: ['a.ipc: b shares the IPC namespace of a, which has it for itself: write ipc: shareable'],
    },
    {
      it: 'passes a shared IPC namespace as a Supervisor has it',
      spec: { services: { a: { image }, b: { image, ipc: 'service:a' } } },
    },
    {
      it: 'names a cycle from its first service on',
      spec: {
        services: {
          a: { image, depends_on: ['b'] },
          b: { image, depends_on: { c: null } },
          c: { image, depends_on: ['b'] },
        },
      },
      want: ['b.depends_on: services wait for each other: b → c → b'],
      lenient: ['b.depends_on: services wait for each other: b → c → b'],
    },
    {
      it: 'names a service that waits for itself',
      spec: { services: { a: { image, depends_on: ['a'] } } },
      want: ['a.depends_on: services wait for each other: a → a'],
      lenient: ['a.depends_on: services wait for each other: a → a'],
    },
    {
      it: 'counts a shared network as waiting',
      spec: { services: { a: { image, network_mode: 'service:b' }, b: { image, depends_on: ['a'] } } },
      want: ['a.depends_on: services wait for each other: a → b → a'],
      lenient: ['a.depends_on: services wait for each other: a → b → a'],
    },
    {
      it: 'does not take a diamond for a cycle',
      spec: {
        services: {
          a: { image, depends_on: ['b', 'c'] },
          b: { image, depends_on: ['d'] },
          c: { image, depends_on: ['d'] },
          d: { image },
        },
      },
    },
    {
      it: 'names a dependency that nobody declares',
      spec: { services: { a: { image, depends_on: ['x'] } } },
      want: ['a.depends_on: there is no service x'],
      lenient: [],
    },
    {
      it: 'passes one that is not required',
      spec: { services: { a: { image, depends_on: { x: { required: false } } } } },
    },
    {
      it: 'names a network that nobody declares',
      spec: { services: { a: { image, networks: ['x'] } } },
      want: ['a.networks: x is not declared: add it under spec.networks'],
      lenient: ['a.networks: x is not declared: add it under spec.networks'],
    },
    {
      it: 'names volumes that nobody declares, each once',
      spec: { services: { a: { image, volumes: ['x:/x', 'x:/y:ro', { type: 'volume', source: 'y', target: '/z' }] } } },
      want: [
        'a.volumes: x is not declared: add it under spec.volumes',
        'a.volumes: y is not declared: add it under spec.volumes',
      ],
      lenient: [],
    },
    {
      it: 'does not take paths and other mounts for named volumes',
      spec: {
        services: {
          a: {
            image,
            volumes: [
              '/a:/a',
              './b:/b',
              '~/c:/c',
              '/d',
              { type: 'tmpfs', target: '/t' },
              { type: 'volume', target: '/v' },
            ],
          },
        },
        allowHostBinds: true,
      },
      lenient: ['a.volumes: /a of the host is not mounted for a target state: use a volume'],
    },
    {
      it: 'refuses one image for two platforms',
      spec: {
        services: {
          a: { image, platform: 'linux/arm64' },
          b: { image: `${image}:latest`, platform: 'linux/amd64' },
          c: { image, platform: 'linux/arm64' },
          d: { image: 'other', platform: 'linux/amd64' },
        },
      },
      want: ['b.platform: a asks for busybox:latest as linux/arm64: name them by different references'],
      lenient: ['b.platform: a asks for busybox:latest as linux/arm64: name them by different references'],
    },
    {
      it: 'refuses paths of the host that the App does not allow',
      spec: { services: { a: { image, volumes: [{ type: 'bind', source: '/etc', target: '/x' }] } } },
      want: ['a.volumes: /etc of the host is mounted only with spec.allowHostBinds: true; say so, or use a volume'],
      lenient: ['a.volumes: /etc of the host is not mounted for a target state: use a volume'],
    },
    {
      it: 'refuses other ways into the host, but not those of a target state',
      spec: {
        services: { a: { image, labels: ['io.balena.features.procfs=1'], ipc: 'container:x' } },
        volumes: { d: { driver_opts: { type: 'none', o: 'bind', device: '/etc' } }, e: null },
      },
      want: [
        'a.labels["io.balena.features.procfs"]: the label io.balena.features.procfs mounts /proc of the host only with spec.allowHostBinds: true; say so, or leave the label out',
        'a.ipc: ipc shares the namespace of container x only with spec.allowHostBinds: true; say so, or use service:<name>',
        'spec.volumes.d.driver_opts.device: the option device mounts /etc of the host only with spec.allowHostBinds: true; say so, or leave the option out for a volume that the engine keeps',
      ],
      lenient: [],
    },
    {
      it: 'refuses two ways to say the network',
      spec: { services: { a: { image, networks: ['default'], network_mode: 'host' } } },
      want: ['a.network_mode: cannot stand beside networks: keep one of the two'],
      lenient: [],
    },
    {
      it: 'refuses the network of a container',
      spec: { services: { a: { image, network_mode: 'container:x' } } },
      want: ['a.network_mode: cannot share the network of a container by its name: use service:<name>'],
      lenient: ['a.network_mode: cannot share the network of a container by its name: use service:<name>'],
    },
    {
      it: 'refuses the network of a service that does not exist',
      spec: { services: { a: { image, network_mode: 'service:x' } } },
      want: ['a.network_mode: there is no service x'],
      lenient: ['a.network_mode: there is no service x'],
    },
    {
      it: 'refuses a network mode that is no network',
      spec: { services: { a: { image, network_mode: 'hsot' } } },
      want: ['a.network_mode: hsot is neither host, bridge, none nor a declared network'],
      lenient: ['a.network_mode: hsot is neither host, bridge, none nor a declared network'],
    },
    {
      it: 'does not look at an app without a release',
      spec: { release: null, services: { a: { image, depends_on: ['a'] } } },
    },
  ];
  for (const { it: does, spec, want = [], lenient = want } of cases) {
    it(does, () => {
      assert.deepEqual(issuesOf(spec), want);
      assert.deepEqual(issuesOf(spec, 'local'), lenient);
      assert.deepEqual(issuesOf(spec, 'cloud'), lenient);
    });
  }

  it('knows standalone documents of the app', () => {
    const app = anApp({ spec: { services: { a: { image, depends_on: ['s'], networks: ['n'], volumes: ['v:/v'] } } } });
    assert.deepEqual(checkRelease(app, { services: ['s'], networks: ['n'], volumes: ['v'] }), []);
  });

  it('ends on a hundred services that all wait for all', () => {
    const names = Array.from({ length: 100 }, (_, at) => `s${at}`);
    const services = Object.fromEntries(names.map((name) => [name, { image, depends_on: names }]));
    assert.ok(issuesOf({ services }).length > 0);
  });
});
