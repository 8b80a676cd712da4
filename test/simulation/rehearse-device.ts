import type { Store } from '../../api/store/store.js';
import { isRead, type Rehearsed, rehearse } from '../../controllers/agent/rehearsal/rehearsal.js';
import { startInformer } from '../../controllers/engine/cache/informer.js';
import { applicationLock } from '../../controllers/host/locks/lock-files.js';
import type { Agent, Device } from './device.js';

const LIMITS = { wallMs: 20_000, steps: 2_000 };

/**
 * Rehearses on a device of tests, whose registry tells what it has. `images`: of these it is known what they are, beside
 * those that documents name.
 */
export async function rehearseOn(
  { device, context, store }: Agent,
  declare: (store: Store) => Promise<void> = async () => undefined,
  images: readonly string[] = [],
): Promise<Rehearsed> {
  const wanted = () => [...[...store.list('Image'), ...store.list('Service')].map(({ spec }) => spec.image), ...images];
  const cache = startInformer({ engine: device.engine, log: context.log, clock: device.clock, wanted });
  await cache.start();
  await cache.stop();
  return rehearse(
    {
      ...{ context, cache, clock: device.clock },
      lockedBy: (appId) => applicationLock({ lockRoot: '/locks', hostRoot: device.folder }, appId),
      registry: async (reference) => device.engine.images.offered(reference) ?? {},
    },
    declare,
    LIMITS,
    new AbortController().signal,
  );
}

/** A call that changes something: `createContainer web_7_1_a {…}`. */
export interface Line {
  readonly object: string;
  readonly line: string;
}

/** Takes down what the device's engine is asked to do. */
export function followCalls({ engine }: Device): { readonly lines: readonly Line[]; readonly stop: () => void } {
  const lines: Line[] = [];
  const { before } = engine;
  const nameOf = (id: string): string =>
    engine.docker.findContainer(id)?.name ?? engine.docker.networks.find((one) => one.id === id)?.name ?? id;
  engine.before = (verb, args) => {
    if (!isRead(verb))
      lines.push(
        lineOf(
          verb,
          args.map((one) => (typeof one === 'string' ? nameOf(one) : one)),
        ),
      );
    return before?.(verb, args);
  };
  const stop = (): void => {
    engine.before = before;
  };
  return { lines, stop };
}

/** Ids of images and of containers in options are left out, and keys, which are made when they are needed, with the hashes that they are in. */
function lineOf(verb: string, [first, ...rest]: readonly unknown[]): Line {
  const object = String(first).replace(/^[0-9a-f]{8}_/, 'hash_');
  const text = JSON.stringify(rest)
    .replaceAll(/"[0-9a-f]{8}_/g, '"hash_')
    .replaceAll(/[0-9a-f]{64}/g, 'id')
    .replaceAll(/(_API_KEY=)\w+/g, '$1key');
  return { object, line: `${verb} ${object}${text === '[]' ? '' : ` ${text}`}` };
}

/** What was rehearsed, in the same form. */
export const rehearsedLines = ({ calls }: Rehearsed): readonly Line[] =>
  calls.map(({ verb, args }) => lineOf(verb, args));

/** The lines of each object, in order. A call that is repeated until it succeeds counts once. */
export function byObject(lines: readonly Line[]): Readonly<Record<string, readonly string[]>> {
  const objects: Record<string, string[]> = {};
  for (const { object, line } of lines) {
    const before = objects[object] ?? [];
    if (before.at(-1) !== line) objects[object] = [...before, line];
  }
  return Object.fromEntries(Object.entries(objects).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The calls in order. Those on containers that follow each other are made side by side for different services, so that
 * each container's own stand together.
 */
export function inOrder(lines: readonly Line[]): readonly string[] {
  const groups: Line[][] = [];
  for (const line of lines) {
    const group = groups.at(-1);
    const isContainer = / ?Container /.test(line.line);
    if (group && isContainer && /Container /.test(group[0]?.line ?? '')) group.push(line);
    else groups.push([line]);
  }
  const sorted = groups.flatMap((group) =>
    group.toSorted((a, b) => (a.object < b.object ? -1 : a.object > b.object ? 1 : 0)),
  );
  return sorted.map(({ line }) => line).filter((line, index, all) => all[index - 1] !== line);
}
