import { readFile, stat, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, totalmem, uptime } from 'node:os';
import type { DeviceUsage } from '../../../crds/model/stats.js';

/** Reads how much of the device is in use. Of paths on one file system only the first is listed; missing ones are not. */
export async function readUsage(paths: readonly string[]): Promise<DeviceUsage> {
  return {
    uptimeSeconds: Math.floor(uptime()),
    agentUptimeSeconds: Math.floor(process.uptime()),
    processors: availableParallelism(),
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
    memory: { totalBytes: totalmem(), availableBytes: await availableMemory() },
    disks: await disksOf(paths),
  };
}

/** Returns MemAvailable of proc(5): by free memory alone every device with a warm cache would count as full. */
async function availableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

async function disksOf(paths: readonly string[]): Promise<DeviceUsage['disks']> {
  const seen = new Set<number>();
  const disks: { path: string; totalBytes: number; availableBytes: number }[] = [];
  for (const path of paths) {
    try {
      const { dev } = await stat(path);
      if (seen.has(dev)) continue;
      seen.add(dev);
      const { bsize, blocks, bavail } = await statfs(path);
      disks.push({ path, totalBytes: blocks * bsize, availableBytes: bavail * bsize });
    } catch {
      // missing, or not ours to read: it is no disk that we can measure
    }
  }
  return disks;
}
