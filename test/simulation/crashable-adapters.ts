import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Disk } from '../../api/platform/disk.js';
import type { Engine } from '../../controllers/engine/engine.js';
import type { MemoryEngine, Verb } from '../../controllers/engine/simulated/memory-engine.js';
import { type CrashableProcess, never } from './crashable-process.js';

/** A disk that never loses power, only processes: synchronous, so that what happens when does not depend on the machine. */
export function crashableDisk(process: CrashableProcess): Disk {
  return {
    create: (path, text) =>
      process.perform('disk.create', [path], async () => writeFileSync(path, text, { flag: 'wx', mode: 0o600 })),
    rename: (from, to) => process.perform('disk.rename', [from, to], async () => renameSync(from, to)),
    remove: (path) => process.perform('disk.remove', [path], async () => rmSync(path, { force: true })),
    syncFolder: (path) => process.perform('disk.syncFolder', [path], async () => undefined),
  };
}

/** The engine as one agent sees it: every verb is a step of the process; nothing comes back to the dead. */
export function crashableEngine(engine: MemoryEngine, process: CrashableProcess): Engine {
  const streams: readonly Verb[] = ['events', 'followLogs', 'pastLogs'];
  /** The engine gives up what nobody listens to any more. */
  const whileListening: readonly Verb[] = ['pullImage', 'loadImages'];
  const bounded = (args: readonly unknown[]): unknown[] => {
    const closing = new AbortController();
    void process.end.then(() => closing.abort());
    return args.map((one) => (one instanceof AbortSignal ? AbortSignal.any([one, closing.signal]) : one));
  };
  return new Proxy<Engine>(engine, {
    get(target, name) {
      const verb = name as Verb;
      const method: unknown = Reflect.get(target, verb);
      if (typeof method !== 'function') return method;
      if (!streams.includes(verb)) {
        return (...args: unknown[]) => {
          const given = whileListening.includes(verb) ? bounded(args) : args;
          return process.perform(verb, args, () => method.apply(target, given) as Promise<unknown>);
        };
      }
      return async function* (...args: unknown[]) {
        await process.perform(verb, args, async () => undefined);
        for await (const one of method.apply(target, bounded(args)) as AsyncIterable<unknown>) {
          if (process.dead) break;
          yield one;
        }
        if (process.dead) await never();
      };
    },
  });
}
