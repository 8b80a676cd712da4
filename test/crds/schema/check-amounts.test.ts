import assert from 'node:assert/strict';
import { parseDocument } from '../../../crds/schema/parse.js';

const issuesOf = (fields: object): readonly string[] => {
  const spec = { services: { web: { image: 'busybox', ...fields } } };
  const parsed = parseDocument({ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'a' }, spec });
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`);
};

describe('an amount that the engine cannot count is refused', () => {
  const cases: readonly [string, object][] = [
    ['healthcheck.interval', { healthcheck: { test: ['CMD', 'true'], interval: '9999999999h' } }],
    ['healthcheck.timeout', { healthcheck: { test: ['CMD', 'true'], timeout: 1e300 } }],
    ['healthcheck.start_period', { healthcheck: { test: ['CMD', 'true'], start_period: '107000d' } }],
    ['stop_grace_period', { stop_grace_period: '9999999999h' }],
    ['mem_limit', { mem_limit: '9999999999g' }],
    ['memswap_limit', { mem_limit: '1g', memswap_limit: '9999999999g' }],
    ['shm_size', { shm_size: 1e19 }],
    ['cpus', { cpus: '9999999999999' }],
    ['cpu_shares', { cpu_shares: '99999999999999999999' }],
    ['pids_limit', { pids_limit: 1e19 }],
    ['cpu_rt_runtime', { cpu_rt_runtime: '99999999999999999999s' }],
    ['ulimits.nofile', { ulimits: { nofile: 1e19 } }],
    [
      'blkio_config.device_read_bps[0].rate',
      { blkio_config: { device_read_bps: [{ path: '/dev/sda', rate: '9999999999g' }] } },
    ],
    ['volumes[0].tmpfs.size', { volumes: [{ type: 'tmpfs', target: '/x', tmpfs: { size: '9999999999g' } }] }],
  ];
  for (const [path, fields] of cases) {
    it(path, () => {
      const issues = issuesOf(fields).join();
      assert.ok(issues.startsWith(`spec.services.web.${path}: Too large: `), issues);
    });
  }

  it('and one that it can is taken', () => {
    assert.deepEqual(
      issuesOf({
        healthcheck: { test: ['CMD', 'true'], interval: '106000d', retries: 3 },
        ...{ mem_limit: '8589934591g', memswap_limit: -1, cpus: 0.5, ulimits: { nofile: { soft: -1, hard: -1 } } },
        volumes: ['data:/data', { type: 'tmpfs', target: '/x', tmpfs: { size: '64m' } }],
      }),
      [],
    );
  });
});
