import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Disk } from '../../api/platform/disk.js';
import type { Engine } from '../../controllers/engine/engine.js';
import { type Life, never } from './life.js';
import type { MemoryEngine, Verb } from './memory-engine/memory-engine.js';

/** A disk that never loses power, only processes: synchronous, so that what happens when does not depend on the machine. */
export function mortalDisk(life: Life): Disk {
  return {
    create: (path, text) =>
      life.meet('disk.create', [path], async () => writeFileSync(path, text, { flag: 'wx', mode: 0o600 })),
    rename: (from, to) => life.meet('disk.rename', [from, to], async () => renameSync(from, to)),
    remove: (path) => life.meet('disk.remove', [path], async () => rmSync(path, { force: true })),
    syncFolder: (path) => life.meet('disk.syncFolder', [path], async () => undefined),
  };
}

/** The engine as one agent sees it: every verb meets the weather; nothing comes back to the dead. */
export function mortalEngine(engine: MemoryEngine, life: Life): Engine {
  const streams: readonly Verb[] = ['events', 'followLogs'];
  /** The engine gives up what nobody listens to any more. */
  const whileListening: readonly Verb[] = ['pullImage', 'loadImages'];
  const bounded = (args: readonly unknown[]): unknown[] => {
    const closing = new AbortController();
    void life.end.then(() => closing.abort());
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
          return life.meet(verb, args, () => method.apply(target, given) as Promise<unknown>);
        };
      }
      return async function* (...args: unknown[]) {
        await life.meet(verb, args, async () => undefined);
        for await (const one of method.apply(target, bounded(args)) as AsyncIterable<unknown>) {
          if (life.dead) break;
          yield one;
        }
        if (life.dead) await never();
      };
    },
  });
}
