import type { Store } from '../../../api/store/store.js';
import type { EventReason } from '../../../crds/model/event-reasons.js';
import { keyOf, type Service } from '../../../crds/model/kinds.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { ContainerSpec } from '../container/container-options.js';
import type { HeldPorts } from '../container/held-ports.js';
import type { ServiceStep } from '../service-state.js';
import type { UpdateStep } from '../update/record.js';

/** What a step works on, and how it reports while it runs. */
export interface StepContext {
  readonly service: Service;
  readonly appId: number;
  readonly serviceName: string;
  readonly containerSpec: (() => ContainerSpec) | undefined;
  readonly heldPorts: HeldPorts;
  /** Writes into the status how far an update has come; nothing while none is under way. */
  reportReached(step: UpdateStep): void;
  /** Writes into the status in which runs of other containers one lives that has just been started. `before`: all containers as they were before that. */
  reportStart(container: string, before: readonly SeenContainer[]): void;
}

/** A step of that kind. */
export type StepOf<Do extends ServiceStep['do']> = Extract<ServiceStep, { do: Do }>;

/** Tells of something that the document says and that is not done. */
export const recordSkipped = (store: Store, { metadata }: Service, message: string): void =>
  store.record(keyOf('Service', metadata.name), { type: 'Warning', reason: 'LeftOut', message });

/** Tells what was done. */
export const record = (store: Store, { metadata }: Service, reason: EventReason, message: string): void =>
  store.record(keyOf('Service', metadata.name), { type: 'Normal', reason, message });
