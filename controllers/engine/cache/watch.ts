import type { Logger } from 'pino';
import type { Engine } from '../engine.js';
import type { EngineChange } from '../engine-cache.js';
import type { RefreshQueue } from './refresh-queue.js';
import type { RequestTracker } from './request-tracker.js';

/** What the watches over containers, networks, volumes and images share. */
export interface Watching {
  readonly engine: Engine;
  readonly tracker: RequestTracker;
  readonly refreshQueue: RefreshQueue;
  readonly announce: (change: EngineChange) => void;
  readonly log: Logger;
}
