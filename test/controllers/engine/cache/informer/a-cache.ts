import { startInformer } from '../../../../../controllers/engine/cache/informer.js';
import type { EngineChange } from '../../../../../controllers/engine/engine-cache.js';
import { FakeClock } from '../../../../setup/fake-clock.js';
import { aContainer, flush, ScriptedEngine, silent } from '../../scripted-engine.js';

/** Events about one object within this time are one look at it, ms. */
export const COALESCE_MS = 15;
/** What a (re)connection asks the engine for. */
export const LISTS = ['listContainers', 'listNetworks', 'listVolumes', 'listImages'];

/** A change as the cache announces it: `container c1`, `network net`, `image`, `all`. */
function changeText(change: EngineChange): string {
  switch (change.type) {
    case 'container':
      return `container ${change.id}`;
    case 'network':
    case 'volume':
      return `${change.type} ${change.name}`;
    default:
      return change.type;
  }
}

/**
 * The cache of the engine, started on a scripted engine. The test is the engine: it puts objects into `engine.containers`,
 * `.networks`, `.volumes`, `.images`, tells events with `engine.tell`, and holds or fails requests. What the cache does is
 * seen in `engine.takeRequests()` (what it asked for) and `takeChanges()` (what it announced); both begin empty after the
 * start, and each call takes what came since the last.
 */
export async function aCache(
  fill: (engine: ScriptedEngine) => void = () => undefined,
  options: { sameClock?: boolean } = {},
) {
  const clock = new FakeClock();
  const engine = new ScriptedEngine(() => clock.now());
  fill(engine);
  const cache = startInformer({ engine, log: silent, clock, coalesceMs: COALESCE_MS, ...options });
  let changes: string[] = [];
  cache.onChange((change) => changes.push(changeText(change)));
  await cache.start();
  const first = { requests: engine.takeRequests(), changes };
  changes = [];
  // Everything that happens from here on happens well after the first list.
  clock.advance(1_000);
  return {
    clock,
    engine,
    cache,
    /** What the start asked for and announced. */
    first,
    takeChanges: () => changes.splice(0),
    /** Time passes, in small steps, and whatever it started ends. */
    pass: async (ms: number) => {
      for (let left = ms; left > 0; left -= 5) {
        clock.advance(Math.min(5, left));
        await flush();
      }
    },
  };
}

/** The engine changes a container, and says so. */
export function changeContainer(engine: ScriptedEngine, action: string, over: Parameters<typeof aContainer>[0]): void {
  const container = aContainer({ ...engine.containers.get(over?.id ?? 'c1'), ...over });
  engine.containers.set(container.id, container);
  engine.emit({ type: 'container', action, id: container.id, attributes: { name: container.name } });
}
