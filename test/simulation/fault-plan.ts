/**
 * What befalls one step of a simulated process. A step is a call to the engine, a disk write or a call to the lock files.
 *
 * - `none`: the step happens, and its answer arrives.
 * - `fail`: the step does not happen; the process gets an error.
 * - `lose`: the step happens, but its answer does not arrive; the process gets an error.
 * - `kill-before`: the process dies before the step happens.
 * - `kill-after`: the step happens; the process dies before its answer arrives.
 */
export type Fault = 'none' | 'fail' | 'lose' | 'kill-before' | 'kill-after';

/** Every fault that can be injected. */
export const FAULTS: readonly Fault[] = ['kill-before', 'kill-after', 'fail', 'lose'];

/**
 * Chooses the fault of the next step. It is asked once for each step, in order. `step` is a verb of the engine
 * (`startContainer`), `disk.<call>` (`disk.rename`) or `lock.<call>` (`lock.claim`).
 */
export type FaultPlan = (step: string) => Fault;

export const noFaults: FaultPlan = () => 'none';
