import type { Engine } from './engine.js';
import type { EngineCache } from './engine-cache.js';
import type { Daemon } from './engine-keeper.js';

export interface LostContainersDeps {
  readonly daemon: Pick<Daemon, 'process'>;
  readonly cache: Pick<EngineCache, 'hasSynced' | 'containers' | 'onChange'>;
  readonly engine: Pick<Engine, 'inspectContainer'>;
  /** Kills the processes of a container; returns how many there were. */
  readonly kill: (id: string) => Promise<number>;
  /** Called for each container that was ended. */
  readonly emit: (message: string) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Ends containers that an engine of our own has forgotten: a killed one may lose the record of a running container,
 * which would then run on beside the one that is created in its place. Looks whenever the engine was listed again.
 * Containers that the engine knows, and those of other engines, are left alone. Returns how to stop.
 */
export function endLostContainers({
  daemon,
  cache,
  engine,
  kill,
  emit,
  failed,
}: LostContainersDeps): () => Promise<void> {
  const stopping = new AbortController();
  let turn: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const tasks = (await daemon.process?.tasks()) ?? [];
    // Those in the cache need no request: a settled device makes none.
    const listed = new Set(cache.containers().map(({ id }) => id));
    for (const id of tasks.filter((task) => !listed.has(task))) {
      if (stopping.signal.aborted || !cache.hasSynced) return;
      if ((await engine.inspectContainer(id, stopping.signal)) !== undefined) continue;
      const count = await kill(id);
      if (count > 0) emit(`Killed ${count} processes of container ${id}, which the engine does not know any more`);
    }
  };
  const lookNext = (): void => {
    if (!cache.hasSynced) return;
    turn = turn.then(look).catch((error: unknown) => {
      if (!stopping.signal.aborted) failed(error);
    });
  };
  const unwatch = cache.onChange(({ type }) => {
    if (type === 'all') lookNext();
  });
  lookNext();
  return async () => {
    unwatch();
    stopping.abort(new Error('The agent is stopping'));
    await turn;
  };
}
