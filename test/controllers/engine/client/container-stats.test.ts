import assert from 'node:assert/strict';
import { containerStats, type DockerStats } from '../../../../controllers/engine/client/container-stats.js';

const AT = '2026-01-01T00:00:00Z';
const stats = (more: Partial<DockerStats> = {}): DockerStats => ({
  read: AT,
  cpu_stats: { cpu_usage: { total_usage: 7 } },
  memory_stats: { usage: 100, limit: 1_000 },
  ...more,
});

describe("Docker's figures of a container", () => {
  it('are converted, summed over networks and devices', () => {
    const found = containerStats(
      stats({
        memory_stats: { usage: 100, limit: 1_000, stats: { inactive_file: 30 } },
        networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
        blkio_stats: {
          io_service_bytes_recursive: [
            { op: 'Read', value: 5 },
            { op: 'read', value: 6 },
            { op: 'Write', value: 7 },
            { op: 'Total', value: 99 },
          ],
        },
        pids_stats: { current: 3 },
      }),
    );
    assert.deepEqual(found, {
      at: AT,
      cpuNs: 7,
      memoryBytes: 70,
      memoryLimitBytes: 1_000,
      receivedBytes: 11,
      sentBytes: 22,
      readBytes: 11,
      writtenBytes: 7,
      processes: 3,
    });
  });

  it('are zeros where Docker tells nothing', () => {
    const found = containerStats({
      read: AT,
      memory_stats: { usage: 0 },
      blkio_stats: { io_service_bytes_recursive: null },
      networks: { eth0: {} },
    });
    assert.deepEqual(found, {
      at: AT,
      cpuNs: 0,
      memoryBytes: 0,
      memoryLimitBytes: 0,
      receivedBytes: 0,
      sentBytes: 0,
      readBytes: 0,
      writtenBytes: 0,
      processes: 0,
    });
  });

  const runs: readonly { it: string; stats: DockerStats; want: boolean }[] = [
    {
      it: 'are none of a container that does not run: zeros and no memory',
      stats: { read: AT, cpu_stats: { cpu_usage: { total_usage: 0 } } },
      want: false,
    },
    { it: 'are none when Docker tells nothing at all', stats: { read: AT }, want: false },
    {
      it: 'are some when only processor time is told',
      stats: { read: AT, cpu_stats: { cpu_usage: { total_usage: 1 } } },
      want: true,
    },
    {
      it: 'are some of one that has not used the processor yet',
      stats: { read: AT, memory_stats: { usage: 1 } },
      want: true,
    },
  ];
  for (const { it: what, stats, want } of runs) it(what, () => assert.equal(containerStats(stats) !== undefined, want));

  const memory: readonly { it: string; of: Readonly<Record<string, number>>; want: number }[] = [
    { it: 'leave out cache that nobody touched, in cgroups v2', of: { inactive_file: 40 }, want: 60 },
    {
      it: 'leave it out in cgroups v1, which tells the total beside it',
      of: { total_inactive_file: 50, inactive_file: 40 },
      want: 50,
    },
    { it: 'count all when the cache is said to be as large as the whole', of: { inactive_file: 100 }, want: 100 },
    { it: 'count all when no cache is told', of: {}, want: 100 },
  ];
  for (const { it: what, of, want } of memory) {
    it(what, () => assert.equal(containerStats(stats({ memory_stats: { usage: 100, stats: of } }))?.memoryBytes, want));
  }
});
