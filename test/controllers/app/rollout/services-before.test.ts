import assert from 'node:assert/strict';
import { servicesNow } from '../../../../controllers/app/rollout/services-before.js';
import type { AnyResource } from '../../../../crds/model/kinds.js';
import type { ServiceSpec, ServiceStatus } from '../../../../crds/model/types.js';
import { aDocument } from '../../../setup/documents.js';

const SPEC = { app: 'shop', serviceName: 'web', image: 'web:1', release: { commit: 'a', id: 1 } };
const container = { id: 'c1', name: 'web', createdAt: '2026-01-01T00:00:00Z', restartCount: 0, image: 'sha256:1' };
const ready = (status: 'True' | 'False'): ServiceStatus['conditions'] => [
  {
    ...{ type: 'Ready', status, reason: 'Unhealthy', message: 'it is' },
    ...{ lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 },
  },
];
const revision = (spec: object) => ({ documents: [{ kind: 'Service' as const, name: 'shop.web', spec: { ...spec } }] });

describe('how services are when a release is promoted', () => {
  const rows: readonly {
    readonly it: string;
    readonly status?: ServiceStatus;
    readonly promoted?: object;
    readonly good?: object | undefined;
    readonly want: object;
  }[] = [
    {
      it: 'holds the container that runs',
      status: { container, conditions: ready('True') },
      want: { container: 'c1' },
    },
    {
      it: 'holds how often it was restarted',
      status: { container, restarts: 5 },
      want: { container: 'c1', restarts: 5 },
    },
    { it: 'says ill of what is not well', status: { conditions: ready('False') }, want: { ill: true } },
    {
      it: 'says it whatever the number of the release',
      status: { container, conditions: ready('False') },
      promoted: { ...SPEC, release: { commit: 'b', id: 2 } },
      want: { container: 'c1', ill: true },
    },
    {
      it: 'does not say it of what the last good one has otherwise: going back may mend it',
      status: { container, conditions: ready('False') },
      good: { ...SPEC, image: 'web:0' },
      want: { container: 'c1' },
    },
    {
      it: 'does not say it of what the release changes',
      status: { container, conditions: ready('False') },
      promoted: { ...SPEC, image: 'web:2' },
      want: { container: 'c1' },
    },
    {
      it: 'does not say it where nothing was good yet',
      status: { container, conditions: ready('False') },
      good: undefined,
      want: { container: 'c1' },
    },
  ];
  for (const row of rows) {
    const { it: what, status, promoted = SPEC, want } = row;
    it(what, () => {
      const good = 'good' in row ? row.good : SPEC;
      const service = { ...aDocument('Service', 'shop.web', SPEC as ServiceSpec), ...(status ? { status } : {}) };
      const now = servicesNow([service as AnyResource], revision(promoted), good && revision(good));
      assert.deepEqual(now, { web: want });
    });
  }

  it('leaves out what has not been looked at', () => {
    assert.deepEqual(
      servicesNow([aDocument('Service', 'shop.web', SPEC as ServiceSpec)], revision(SPEC), undefined),
      {},
    );
  });
});
