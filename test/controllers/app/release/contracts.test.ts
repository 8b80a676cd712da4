import assert from 'node:assert/strict';
import { filterByContract } from '../../../../controllers/app/release/contracts.js';
import { capabilitiesOf } from '../../../../controllers/host/facts/capabilities.js';
import type { AppService } from '../../../../crds/model/types.js';
import { anApp } from '../../../setup/documents.js';

const offers = capabilitiesOf({
  facts: { deviceType: 'jetson-tx2', arch: 'aarch64' },
  supervisorVersion: '19.0.5',
  osRelease: 'ID="balena-os"\nVERSION="6.0.13+rev1"\n',
  kernel: { name: 'Linux', release: '4.9.140-l4t-r32.4' },
});
const image = 'busybox';
const requiring = (...requires: object[]): AppService => ({ image, contract: { type: 'sw.container', requires } });
const optional = { 'io.balena.features.optional': '1' };

describe('contracts', () => {
  it('know what the device offers', () => {
    assert.deepEqual(
      offers.map(({ type, slug = '', version = '' }) => `${type} ${slug} ${version}`.trim().replace(/ +/, ' ')),
      [
        'sw.supervisor 19.0.5',
        'hw.device-type jetson-tx2',
        'arch.sw aarch64',
        'sw.spec compose',
        'sw.os balena-os 6.0.13+rev1',
        'sw.kernel linux 4.9.140',
        'sw.l4t 32.4.0',
      ],
    );
  });

  it('know nothing of an operating system that does not say', () => {
    const some = capabilitiesOf({
      facts: { deviceType: 'x', arch: 'amd64' },
      supervisorVersion: '19.0.5',
      osRelease: '',
      kernel: { name: 'Linux', release: 'odd' },
    });
    assert.deepEqual(
      some.map(({ type }) => type),
      ['sw.supervisor', 'hw.device-type', 'arch.sw', 'sw.spec'],
    );
  });

  const cases: readonly (readonly [it: string, requires: readonly object[], unsatisfied?: string])[] = [
    ['nothing', []],
    ['this version of the Supervisor', [{ type: 'sw.supervisor', version: '>=10.6' }]],
    ['a later one', [{ type: 'sw.supervisor', version: '>=99' }], 'sw.supervisor >=99'],
    ['this type of device', [{ type: 'hw.device-type', slug: 'jetson-tx2' }]],
    ['another one', [{ type: 'hw.device-type', slug: 'raspberrypi4-64' }], 'hw.device-type raspberrypi4-64'],
    ['this architecture', [{ type: 'arch.sw', slug: 'aarch64' }]],
    ['another architecture', [{ type: 'arch.sw', slug: 'amd64' }], 'arch.sw amd64'],
    ['a version of L4T', [{ type: 'sw.l4t', version: '32.4.0' }]],
    ['a range of L4T', [{ type: 'sw.l4t', version: '<32.1' }], 'sw.l4t <32.1'],
    ['this system', [{ type: 'sw.os', slug: 'balena-os', version: '^6.0.0' }]],
    ['a kernel', [{ type: 'sw.kernel', version: '>=4.9.0' }]],
    [
      'one of two',
      [
        {
          or: [
            { type: 'arch.sw', slug: 'amd64' },
            { type: 'arch.sw', slug: 'aarch64' },
          ],
        },
      ],
    ],
    [
      'one of two that are both missing',
      [
        {
          or: [
            { type: 'arch.sw', slug: 'amd64' },
            { type: 'sw.l4t', version: '>40' },
          ],
        },
      ],
      'arch.sw amd64 or sw.l4t >40',
    ],
    [
      'all of two',
      [
        { type: 'arch.sw', slug: 'aarch64' },
        { type: 'arch.sw', slug: 'rpi' },
      ],
      'arch.sw rpi',
    ],
    ['something that nobody knows', [{ type: 'sw.magic' }], 'sw.magic'],
    ['a range that is none', [{ type: 'sw.supervisor', version: 'newest' }], 'sw.supervisor newest'],
  ];
  for (const [it_, requires, unsatisfied] of cases) {
    it(`may ask for ${it_}: ${unsatisfied === undefined ? 'met' : 'not met'}`, () => {
      const { unsatisfied: found } = filterByContract(
        anApp({ spec: { services: { web: requiring(...requires) } } }),
        offers,
      );
      assert.deepEqual(found, unsatisfied === undefined ? [] : [{ service: 'web', requirement: unsatisfied }]);
    });
  }

  it('leave an optional service out, and keep the rest', () => {
    const gpu = { ...requiring({ type: 'sw.l4t', version: '>40' }), labels: optional };
    const { app, skipped, unsatisfied } = filterByContract(
      anApp({ spec: { services: { web: { image }, gpu } } }),
      offers,
    );
    assert.deepEqual(Object.keys(app.spec.services ?? {}), ['web']);
    assert.deepEqual(skipped, [{ service: 'gpu', requirement: 'sw.l4t >40' }]);
    assert.deepEqual(unsatisfied, []);
  });

  it('read the legacy name of the label', () => {
    const gpu = { ...requiring({ type: 'sw.magic' }), labels: ['io.resin.features.optional=true'] };
    assert.deepEqual(filterByContract(anApp({ spec: { services: { gpu } } }), offers).unsatisfied, []);
  });
});
