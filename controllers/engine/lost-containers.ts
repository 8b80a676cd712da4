import type { Engine } from './engine.js';
import type { EngineCache } from './engine-cache.js';
import type { Daemon } from './engine-keeper.js';

export interface LostContainersDeps {
  readonly daemon: Pick<Daemon, 'process'>;
  readonly cache: Pick<EngineCache, 'hasSynced' | 'containers' | 'onChange'>;
  readonly engine: Pick<Engine, 'inspectContainer'>;
  /** Kills what runs under the id of a container; returns how many processes there were. */
  readonly kill: (id: string) => Promise<number>;
  /** Told of each container that was ended. */
  readonly emit: (message: string) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Ends containers of an engine of our own that it has forgotten: one that is killed may lose the record of a container
 * that runs, and then that would run on beside the one that is made in its place. Looks whenever the engine has been listed
 * anew. Containers that the engine knows, and those of other engines, are left alone. Returns how to stop.
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
    // Of those in the cache nothing has to be asked: a settled device makes no request.
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
