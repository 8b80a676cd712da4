import type { Logger } from 'pino';
import type { Engine } from '../engine.js';
import type { WorldChange } from '../world.js';
import type { Inspections } from './inspections.js';
import type { Questions } from './questions.js';

/** What the watches over containers, networks, volumes and images share. */
export interface Watching {
  readonly engine: Engine;
  readonly questions: Questions;
  readonly inspections: Inspections;
  readonly announce: (change: WorldChange) => void;
  readonly log: Logger;
}
