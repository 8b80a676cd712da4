import type { Logger } from 'pino';
import type { Engine } from '../engine.js';
import type { WorldChange } from '../world.js';
import type { RefreshQueue } from './refresh-queue.js';
import type { RequestTracker } from './request-tracker.js';

/** What the watches over containers, networks, volumes and images share. */
export interface Watching {
  readonly engine: Engine;
  readonly questions: RequestTracker;
  readonly inspections: RefreshQueue;
  readonly announce: (change: WorldChange) => void;
  readonly log: Logger;
}
