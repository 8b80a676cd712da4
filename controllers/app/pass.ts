import type { LogStream } from '../../api/device-state/logs.js';
import { type App, keyOf } from '../../crds/model/kinds.js';
import type { Refusal } from '../../crds/model/requests.js';
import type { Ages } from '../runtime/ages.js';
import type { Outcome } from '../runtime/outcome.js';
import type { Observed } from './observe.js';

export interface AppDeps extends Observed {
  readonly logs: LogStream;
}

/** What the controller remembers while the process lives; all of it may be lost. */
export interface Memory {
  /** Apps whose lock files of an earlier process have been removed. */
  readonly swept: Set<number>;
  /** Apps whose lock is given back as soon as a step under it has ended: said once. */
  readonly releasing: Set<number>;
  /** How often in a row the lock of an app was found taken for the same document and request, and when to look again by the monotonic clock. */
  readonly refusals: Map<string, { readonly of: string; readonly count: number; readonly dueMs: number }>;
  /** Of images that nothing uses any more. */
  readonly ages: Ages;
}

/** What steps brought about that their objects do not show. */
export interface Done {
  /** Instead of what was planned. */
  readonly outcome?: Outcome;
  readonly blockedBy?: string;
  readonly handledForce?: boolean;
  /** Ids of commands for which the lock was given. */
  readonly begun?: Readonly<Record<string, string>>;
  /** Ids of requests that were dealt with, and which of them were not carried out. */
  readonly dealt?: Readonly<Record<string, string>>;
  readonly refused?: Readonly<Record<string, Refusal>>;
  readonly committed?: boolean;
}

/** Tells as an event of the App what went as it should. */
export const event = ({ store }: AppDeps, { metadata }: App, reason: string, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Normal', reason, message });

/** Tells as an event of the App what was asked for or declared and is not done. */
export const warning = ({ store }: AppDeps, { metadata }: App, reason: string, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Warning', reason, message });
