import type { Reader } from '../../../api/store/store.js';
import { changedFields } from '../../../crds/model/changed-fields.js';
import {
  type AnyResource,
  type Key,
  KINDS,
  type Kind,
  keyOf,
  type Resource,
  splitKey,
} from '../../../crds/model/kinds.js';
import type { ActionName, PlannedAction } from '../../../crds/model/plan.js';
import type { Verb } from '../../engine/simulated/memory-engine.js';
import { isKeptName } from '../../image/kept-names.js';
import type { Rehearsed, RehearsedCall } from './rehearsal.js';

const WORDS: Partial<Readonly<Record<Verb, string>>> = {
  createContainer: 'create container',
  startContainer: 'start container',
  stopContainer: 'stop container',
  restartContainer: 'restart container',
  removeContainer: 'remove container',
  renameContainer: 'rename container',
  updateContainer: 'update container',
  unpauseContainer: 'unpause container',
  createNetwork: 'create network',
  removeNetwork: 'remove network',
  connectNetwork: 'connect',
  disconnectNetwork: 'disconnect',
  releaseEndpoint: 'release an endpoint of network',
  createVolume: 'create volume',
  removeVolume: 'remove volume',
  pullImage: 'pull',
  tagImage: 'tag',
  removeImage: 'remove image',
};

/** The name of what is done where these calls are made: the first row that fits. */
const ACTIONS: readonly (readonly [ActionName, readonly Verb[]])[] = [
  ['replace', ['removeContainer', 'createContainer']],
  ['replace', ['removeNetwork', 'createNetwork']],
  ['replace', ['removeVolume', 'createVolume']],
  ['create', ['createContainer']],
  ['create', ['createNetwork']],
  ['create', ['createVolume']],
  ['remove', ['removeContainer']],
  ['remove', ['removeNetwork']],
  ['remove', ['removeVolume']],
  ['download', ['pullImage']],
  ['remove', ['removeImage']],
  ['tag', ['tagImage']],
  ['restart', ['restartContainer']],
  ['restart', ['stopContainer', 'startContainer']],
  ['stop', ['stopContainer']],
  ['start', ['startContainer']],
  ['rename', ['renameContainer']],
];

/** What is known of a download. */
export interface Download {
  readonly bytes?: number;
}

/** What was rehearsed, an action for each document, in the order in which they begin; settings and repositories come last. Pure. */
export function plannedActions(
  before: Reader,
  { calls, reasons, store: after }: Rehearsed,
  downloads: ReadonlyMap<string, Download>,
): readonly PlannedAction[] {
  const groups = new Map<Key, RehearsedCall[]>();
  // Names of ours follow from what is done to services, and change nothing that anybody would want to know before.
  const shown = calls.filter(({ args }) => !args.some((one) => typeof one === 'string' && isKeptName(one)));
  for (const call of shown) if (call.key) groups.set(call.key, [...(groups.get(call.key) ?? []), call]);
  return [
    ...[...groups].map(([key, made]): PlannedAction => {
      const verbs = made.map(({ verb }) => verb);
      const [action = 'update'] = ACTIONS.find(([, wanted]) => wanted.every((one) => verbs.includes(one))) ?? [];
      const [was, is] = [found(before, key), found(after, key)];
      const fields = action === 'remove' ? [] : changedFields(was, is);
      const bytes = action === 'download' ? downloads.get(key)?.bytes : undefined;
      return {
        object: key,
        action,
        because: fields.length > 0 ? fields : (reasons.get(key) ?? []),
        steps: made.map(stepText),
        ...(bytes === undefined ? {} : { bytes }),
        ...downtimeOf(action, verbs, was),
      };
    }),
    ...hostActions(before, after),
  ];
}

const found = (store: Reader, key: Key): Resource | undefined => {
  const { kind, name } = splitKey(key);
  return store.get(kind, name);
};

function stepText({ verb, args: [object, other] }: RehearsedCall): string {
  const words = `${WORDS[verb] ?? verb} ${String(object)}`;
  if (verb === 'renameContainer' || verb === 'tagImage') return `${words} as ${String(other)}`;
  if (verb === 'connectNetwork') return `connect ${String(other)} to network ${String(object)}`;
  if (verb === 'disconnectNetwork') return `disconnect ${String(other)} from network ${String(object)}`;
  return words;
}

/** None where the new container runs before the old one is stopped; otherwise what the last update took. */
function downtimeOf(
  action: ActionName,
  verbs: readonly Verb[],
  was: Resource | undefined,
): Pick<PlannedAction, 'downtimeSeconds'> {
  if (was?.kind !== 'Service' || (action !== 'replace' && action !== 'restart')) return {};
  const [started, stopped] = [verbs.indexOf('startContainer'), verbs.indexOf('stopContainer')];
  const isCovered = action === 'replace' && started >= 0 && (stopped < 0 || started < stopped);
  if (isCovered) return { downtimeSeconds: 0 };
  const last = (was as Resource<'Service'>).status?.update?.downtimeMs;
  return last === undefined ? {} : { downtimeSeconds: Math.round(last / 100) / 10 };
}

const UNREHEARSED: Readonly<Partial<Record<Kind, ActionName>>> = { HostConfig: 'configure', GitSource: 'fetch' };

/** Settings of the host and repositories whose documents have changed. */
function hostActions(before: Reader, after: Reader): readonly PlannedAction[] {
  return KINDS.flatMap((kind) => {
    const action = UNREHEARSED[kind];
    if (!action) return [];
    return (after.list(kind) as readonly AnyResource[]).flatMap((is): readonly PlannedAction[] => {
      const was = before.get(kind, is.metadata.name);
      if (was?.metadata.generation === is.metadata.generation && was.metadata.uid === is.metadata.uid) return [];
      const because = was ? changedFields(was, is) : ['there was none'];
      return [{ object: keyOf(kind, is.metadata.name), action, because, steps: [] }];
    });
  });
}
