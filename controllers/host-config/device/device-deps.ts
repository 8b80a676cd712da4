import type { PowerAnswer } from '../../host/power/power-request.js';
import type { ObserveDeps } from './observe.js';

/** What the steps of HostConfig `device` need beside what a look at the host needs. */
export interface PerformDeps extends ObserveDeps {
  /** Asks for a restart of the device, under the locks of all apps. */
  reboot(): Promise<PowerAnswer>;
  /** A system line for those who follow the logs. */
  say(message: string, isError?: boolean): void;
}

/** Adds an event to the document. */
export type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void;
