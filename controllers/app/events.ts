import type { EventReason } from '../../crds/model/event-reasons.js';
import { type App, keyOf } from '../../crds/model/kinds.js';
import type { AppDeps } from './observe.js';

/** Tells as an event of the App what went as it should. */
export const event = ({ store }: AppDeps, { metadata }: App, reason: EventReason, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Normal', reason, message });

/** Tells as an event of the App what was asked for or declared and is not done. */
export const warning = ({ store }: AppDeps, { metadata }: App, reason: EventReason, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Warning', reason, message });
