import type { EngineEvent, SeenContainer } from '../engine.js';
import { SUPERVISED } from '../labels.js';

/** What the cache does about an event. */
export type Effect =
  | { readonly do: 'ignore' }
  | { readonly do: 'inspect-container'; readonly id: string }
  /** Only if it is one of ours: the event does not contain its labels. */
  | { readonly do: 'inspect-known-container'; readonly id: string }
  | { readonly do: 'patch-container'; readonly id: string; readonly patch: Partial<SeenContainer> }
  | { readonly do: 'drop-container'; readonly id: string }
  | { readonly do: 'inspect-network'; readonly id: string }
  | { readonly do: 'drop-network'; readonly id: string }
  | { readonly do: 'inspect-volume'; readonly name: string }
  /** `reference` when the event is about that one only. */
  | { readonly do: 'look-at-images'; readonly reference: string | undefined };

/**
 * Container events after which an inspection may differ. `stop`, `restart` and `kill` come together with `die` and
 * `start`; `exec_*` comes with every healthcheck and changes nothing.
 */
const TELLING = new Set(['create', 'start', 'die', 'pause', 'unpause', 'update']);
const IMAGE_ACTIONS = new Set(['pull', 'tag', 'untag', 'delete', 'load', 'import']);
/** Docker's name for a volume without one, 64 hex digits: never ours. */
const ANONYMOUS_VOLUME = /^[0-9a-f]{64}$/;
const IGNORE: Effect = { do: 'ignore' };

/** Returns what to do about an event. Pure. */
export function effectOf(event: EngineEvent): Effect {
  switch (event.type) {
    case 'container':
      return containerEffect(event);
    case 'network':
      return networkEffect(event);
    case 'volume':
      if (event.action !== 'create' && event.action !== 'destroy') return IGNORE;
      return ANONYMOUS_VOLUME.test(event.id) ? IGNORE : { do: 'inspect-volume', name: event.id };
    case 'image':
      return IMAGE_ACTIONS.has(event.action) ? { do: 'look-at-images', reference: imageReferenceOf(event) } : IGNORE;
  }
}

function containerEffect({ id, action, attributes }: EngineEvent): Effect {
  if (attributes[SUPERVISED] === undefined) return IGNORE;
  if (action === 'destroy') return { do: 'drop-container', id };
  if (action.startsWith('health_status')) {
    const health = action.slice('health_status'.length).replace(/^:\s*/, '');
    return health === 'healthy' || health === 'unhealthy' || health === 'starting'
      ? { do: 'patch-container', id, patch: { health } }
      : { do: 'inspect-container', id };
  }
  if (action === 'rename') {
    const { name } = attributes;
    return name
      ? { do: 'patch-container', id, patch: { name: name.replace(/^\//, '') } }
      : { do: 'inspect-container', id };
  }
  return TELLING.has(action) ? { do: 'inspect-container', id } : IGNORE;
}

function networkEffect({ id, action, attributes }: EngineEvent): Effect {
  switch (action) {
    case 'create':
      return { do: 'inspect-network', id };
    case 'destroy':
    case 'remove':
      return { do: 'drop-network', id };
    // A stopping container disconnects too, and stays attached for an inspection: only that shows.
    case 'connect':
    case 'disconnect':
      return attributes.container ? { do: 'inspect-known-container', id: attributes.container } : IGNORE;
    default:
      return IGNORE;
  }
}

/** Returns the reference of an image event. `pull` has it as id, `tag` as name; `untag` and `delete` only name the image. */
function imageReferenceOf({ id, action, attributes }: EngineEvent): string | undefined {
  if (action === 'pull') return id;
  return action === 'tag' && attributes.name && !attributes.name.startsWith('sha256:') ? attributes.name : undefined;
}

/** Tells whether a container looks as it does just after the event. For events and inspections of the same millisecond. Pure. */
export function agrees({ type, id, action, attributes }: EngineEvent, seen: SeenContainer): boolean {
  if (type === 'network') {
    const attached =
      Object.hasOwn(seen.networks, attributes.name ?? '') && seen.networks[attributes.name ?? '']?.id === id;
    return (action === 'connect') === attached;
  }
  switch (action) {
    case 'create':
      return true;
    case 'start':
    case 'unpause':
      return seen.state === 'running';
    case 'die':
      return seen.state === 'exited' || seen.state === 'dead' || seen.state === 'restarting';
    case 'pause':
      return seen.state === 'paused';
    default:
      return false;
  }
}
