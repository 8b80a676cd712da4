import type { Store } from '../../../api/store/store.js';
import type { EventReason } from '../../../crds/model/event-reasons.js';
import { keyOf, type Service } from '../../../crds/model/kinds.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { ContainerSpec } from '../container/container-options.js';
import type { HeldPorts } from '../container/held-ports.js';
import type { ServiceStep } from '../service-state.js';
import type { UpdateStep } from '../update/record.js';
import type { FailedAttempts } from './failed-attempts.js';

/** The input of a step, and how it reports while it runs. */
export interface StepContext {
  readonly service: Service;
  readonly appId: number;
  readonly serviceName: string;
  readonly containerSpec: (() => ContainerSpec) | undefined;
  readonly heldPorts: HeldPorts;
  readonly failures: FailedAttempts;
  /** Writes the step of an update into the status; does nothing while no update is under way. */
  reportReached(step: UpdateStep): void;
  /**
   * Writes into the status which provider runs a container that has just been started has joined. `before`: all
   * containers as they were before the start.
   */
  reportStart(container: string, before: readonly SeenContainer[]): void;
}

/** The step of that kind. */
export type StepOf<Do extends ServiceStep['do']> = Extract<ServiceStep, { do: Do }>;

/** Records a warning for something in the document that is left out. */
export const recordSkipped = (store: Store, { metadata }: Service, message: string): void =>
  store.record(keyOf('Service', metadata.name), { type: 'Warning', reason: 'LeftOut', message });

/** Records what was done. */
export const record = (store: Store, { metadata }: Service, reason: EventReason, message: string): void =>
  store.record(keyOf('Service', metadata.name), { type: 'Normal', reason, message });
