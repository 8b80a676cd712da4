import assert from 'node:assert/strict';
import { illBefore, partsOf } from '../../../controllers/revision/parts.js';
import { WatchTime } from '../../../controllers/revision/watch-time.js';
import type { Service } from '../../../crds/model/kinds.js';
import type { RevisionSpec, ServiceSpec } from '../../../crds/model/types.js';
import { aDocument } from '../../setup/documents.js';

const SPEC = { app: 'shop', serviceName: 'web', image: 'web:1' } as ServiceSpec;
const time = new WatchTime({ now: () => 0, monotonic: () => 0 });
const web = (restarts: number): Service => ({
  ...aDocument('Service', 'shop.web', SPEC),
  status: {
    ...{ observedGeneration: 1, restarts },
    container: { id: 'c2', name: 'web', createdAt: '2026-01-01T00:00:00Z', restartCount: 0, image: 'sha256:1' },
  },
});
const revision = (servicesBefore: RevisionSpec['servicesBefore']): RevisionSpec => ({
  ...{ app: 'shop', number: 2, promotedAt: '2026-01-01T00:00:00Z', from: { origin: 'files' }, documents: [] },
  ...(servicesBefore ? { servicesBefore } : {}),
});

describe('restarts of a service count', () => {
  const rows: readonly { it: string; before: RevisionSpec['servicesBefore']; want: number }[] = [
    { it: 'from none, where nothing was noted', before: undefined, want: 5 },
    {
      it: 'all, of a container that was made for the release, whenever somebody first looks',
      before: { web: { container: 'c1', restarts: 3 } },
      want: 5,
    },
    {
      it: 'from those that the container had before the promotion',
      before: { web: { container: 'c2', restarts: 3 } },
      want: 2,
    },
    {
      it: 'from none after somebody has started it again, which sets the count back',
      before: { web: { container: 'c2', restarts: 9 } },
      want: 0,
    },
  ];
  for (const { it: what, before, want } of rows) {
    it(what, () => {
      const [part] = partsOf({ spec: revision(before) }, [], [web(5)], time);
      assert.equal(part?.restarts, want);
    });
  }

  it('not at all while it is as ill as before', () => {
    const spec = revision({ web: { ill: true }, db: { container: 'c9' } });
    assert.deepEqual(illBefore(spec), ['web']);
    const [part] = partsOf({ spec }, illBefore(spec), [web(5)], time);
    assert.deepEqual(part, { name: 'web', restarts: 0, isExcused: true });
  });
});

describe('a service that the engine does not restart', () => {
  const part = (spec: Partial<ServiceSpec>, status: Partial<Service['status']> = {}) => {
    const service: Service = {
      ...aDocument('Service', 'shop.web', { ...SPEC, restart: 'no', ...spec } as ServiceSpec),
      status: { observedGeneration: 1, state: 'running', ...status },
    };
    const [found] = partsOf({ spec: revision(undefined) }, [], [service], time);
    return found?.isToEnd === true;
  };

  it('is expected to end', () => assert.ok(part({})));
  it('also when its health is not known yet', () => assert.ok(part({}, { health: 'starting' })));
  it('has ended when it has', () => assert.ok(!part({}, { state: 'exited' })));
  it('goes on when it says that it is healthy', () => assert.ok(!part({}, { health: 'healthy' })));
  it('goes on when it publishes a port', () => assert.ok(!part({ ports: ['80:80'] })));
  it('ends where no port is left of the list', () => assert.ok(part({ ports: [] })));
  it('goes on when the engine restarts it', () => assert.ok(!part({ restart: 'always' })));
});
