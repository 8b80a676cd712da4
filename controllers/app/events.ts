import type { EventReason } from '../../crds/model/event-reasons.js';
import { type App, keyOf } from '../../crds/model/kinds.js';
import type { AppDeps } from './observe.js';

/** Records an event about something that succeeded. */
export const event = ({ store }: AppDeps, { metadata }: App, reason: EventReason, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Normal', reason, message });

/** Records a warning about something that was requested or declared and is not done. */
export const warning = ({ store }: AppDeps, { metadata }: App, reason: EventReason, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Warning', reason, message });
