import assert from 'node:assert/strict';
import { app, document, issuesOf, service } from './a-document.js';

describe('what a schema refuses hides nothing that further checks find', () => {
  const cases: readonly { it: string; value: unknown; want: readonly string[] }[] = [
    {
      it: 'beside an unknown field of the same service',
      value: service({ attach: true, volumes: ['./a:/b'] }),
      want: ['spec.services.web.attach', 'spec.services.web.volumes[0]'],
    },
    {
      it: 'beside a malformed item of the same list, with the place in the whole list',
      value: service({ ports: [true, '70000:80', { target: 'x' }, '80:0'] }),
      want: [
        'spec.services.web.ports[0]',
        'spec.services.web.ports[2].target',
        'spec.services.web.ports[1]',
        'spec.services.web.ports[3]',
      ],
    },
    {
      it: 'in a service without an image',
      value: app({ services: { web: { cap_add: ['NOTHING'] } } }),
      want: ['spec.services.web.image', 'spec.services.web.cap_add[0]'],
    },
    {
      it: 'in another service',
      value: app({ services: { a: 'busybox', b: { image: 'b', network_mode: 'container:x' } } }),
      want: ['spec.services.a', 'spec.services.b.network_mode'],
    },
    {
      it: 'as contradictions of services that are well-formed',
      value: app({
        services: {
          a: { image: 'a', depends_on: ['b'] },
          b: { image: 'b', depends_on: ['a'] },
          c: { image: 'c', x: 1 },
        },
      }),
      want: ['spec.services.c.x', 'spec.services.a.depends_on'],
    },
    {
      it: 'in a map of a HostConfig',
      value: document('HostConfig', 'network', { hostname: '-a-', proxy: 5 }),
      want: ['spec.proxy', 'spec.hostname'],
    },
    {
      it: 'beside a name that is none',
      value: { ...service({ volumes: ['./a:/b'] }), metadata: { name: '-' } },
      want: ['metadata.name', 'spec.services.web.volumes[0]'],
    },
  ];
  for (const { it: title, value, want } of cases) {
    it(title, () => {
      const paths = issuesOf(value).map((issue) => issue.split(': ')[0]);
      assert.deepEqual(paths, want, issuesOf(value).join('\n'));
    });
  }

  const alone: readonly { it: string; value: unknown; want: string }[] = [
    {
      it: 'takes a malformed permission for one',
      value: app({ allowHostBinds: 'yes', services: { web: { image: 'a', volumes: ['/a:/b'] } } }),
      want: 'spec.allowHostBinds',
    },
    {
      it: 'does not miss what is malformed',
      value: service({ mem_limit: true, memswap_limit: '2g' }),
      want: 'spec.services.web.mem_limit',
    },
    {
      it: 'does not read the rest of a test as another one',
      value: service({ healthcheck: { test: [5, 'curl'] } }),
      want: 'spec.services.web.healthcheck.test[0]',
    },
    {
      it: 'does not take ports of a service that does not run for taken',
      value: app({
        services: { a: { image: 'a', ports: ['80:80'], running: 'no' }, b: { image: 'b', ports: ['80:80'] } },
      }),
      want: 'spec.services.a.running',
    },
    {
      it: 'does not miss a window that is malformed',
      value: app({ rollout: { apply: 'window', window: { cron: '0 2 * * *' } } }),
      want: 'spec.rollout.window.duration',
    },
    {
      it: 'says nothing of a repository whose address is missing',
      value: document('GitSource', 'fleet', { branch: 'main' }),
      want: 'spec.url',
    },
    {
      it: 'does not miss credentials that are malformed',
      value: document('GitSource', 'fleet', { url: 'ssh://git@example.com/a.git', branch: 'main', credentials: 5 }),
      want: 'spec.credentials',
    },
  ];
  for (const { it: title, value, want } of alone) {
    it(title, () => {
      const paths = issuesOf(value).map((issue) => issue.split(': ')[0]);
      assert.deepEqual(paths, [want], issuesOf(value).join('\n'));
    });
  }
});
