import type { EngineEvent } from '../engine.js';

/**
 * Filters of the event stream. Left out: `exec_*`, `mount`, `unmount`, `top`, `attach`, … (health checks alone make
 * three exec events a round), and `kill`, `stop`, `oom`, which `die` accompanies. Docker combines the two lists with
 * "and".
 */
export const EVENT_FILTERS = {
  type: ['container', 'network', 'volume', 'image'],
  event: [
    'create',
    'start',
    'die',
    'destroy',
    'rename',
    'pause',
    'unpause',
    'update',
    'health_status', // Docker compares it as a prefix: no other requested name is the beginning of an unwanted one
    'connect',
    'disconnect',
    'pull',
    'tag',
    'untag',
    'delete',
    'load',
    'import',
  ],
} as const;

interface EventMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
}

/** Parses one line of Docker's event stream; undefined for a type that was not requested. Pure. */
export function parseEvent(line: string): EngineEvent | undefined {
  const message = JSON.parse(line) as EventMessage;
  const { Type: type, Action: action, Actor } = message;
  if (type !== 'container' && type !== 'network' && type !== 'volume' && type !== 'image') return undefined;
  return { type, action, id: Actor.ID, attributes: Actor.Attributes ?? {}, timeNano: timeNano(line) };
}

/** Returns ns since the epoch as text: it is too large for a JavaScript number. */
const timeNano = (line: string): string => /"timeNano":(\d+)/.exec(line)?.[1] ?? '0';

/** Converts ns as text to Docker's `since`: `seconds.nanoseconds`. Pure. */
export function sinceSeconds(timeNanoText: string): string {
  const digits = timeNanoText.padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
