import { ifActive } from '../../../crds/model/active.js';
import { canonical } from '../../../crds/model/hash.js';
import {
  type AnyDeclared,
  type App,
  type Declared,
  type HostConfig,
  keyOf,
  type Metadata,
} from '../../../crds/model/kinds.js';
import { DEFAULT_DEVICE_NAME, DEVICE_DOCUMENT } from '../../../crds/model/names.js';
import { StorageError } from '../../platform/disk.js';
import type { Store } from '../../store/store.js';
import type { Log, Parse } from '../documents.js';
import { appIdOf, renderTargetState, shownConfig, type TargetDevice } from './render-target-state.js';
import { deviceDocument, type ParsedTarget, parseTargetState } from './target-state.js';

export interface LocalOriginDeps {
  readonly store: Pick<Store, 'get' | 'list' | 'propose' | 'request' | 'touch'>;
  readonly device: TargetDevice;
  readonly parse: Parse;
  readonly log: Log;
}

type TargetAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly status: 400 | 503; readonly message: string };

/** The origin `local`: target states that are posted to this device. */
export interface LocalOrigin {
  /** Takes a target state that `caller` posts, where that is known, as a whole or not at all. When it resolves with ok, it is on disk and passes are due. */
  accept(body: unknown, caller?: string): Promise<TargetAnswer>;
  /** Returns the present target state as GET shows it. */
  render(): object;
}

type Target = Extract<ParsedTarget, { ok: true }>;

/** Creates the origin `local`. Posts are carried out one after another. */
export function localOrigin({ store, device, parse, log }: LocalOriginDeps): LocalOrigin {
  let last: Promise<unknown> = Promise.resolve();

  const take = async (body: unknown, caller: string | undefined): Promise<TargetAnswer> => {
    const target = parseTargetState(body, { deviceUuid: device.uuid, parse });
    if (!target.ok) return { ok: false, status: 400, message: target.message };
    const hostConfig = planHostConfig(target, ifActive(store.get('HostConfig', DEVICE_DOCUMENT)), device);
    if (hostConfig === 'foreign') {
      return refused(['The name and configuration of this device are declared elsewhere; change them there']);
    }
    const apps = target.apps ?? keptApps(store.list('App'));
    const collisions = planCollisions(target.apps ?? [], store.list('App'));
    if (collisions.length > 0) return refused(collisions);
    for (const warning of target.warnings) log.warn({ origin: 'local' }, `Target state: ${warning}`);

    const documents: AnyDeclared[] = [...apps, ...(hostConfig ? [hostConfig] : [])];
    const accepted = await store.propose({
      origin: 'local',
      documents: documents.map((document) => ({ document, ...(caller === undefined ? {} : { declaredBy: caller }) })),
    });
    if (accepted.refused.length > 0) return refused(accepted.refused.map(({ message }) => message));

    for (const app of apps) {
      const key = keyOf('App', app.metadata.name);
      if (target.force) await store.request(key, { force: {} });
      // Whoever posts an app is a person who asks: what was refused is tried again, also when nothing of it is new.
      const isSame = target.apps !== undefined && !accepted.changed.includes(key) && !accepted.created.includes(key);
      if (isSame && store.get('App', app.metadata.name)?.status?.rollback) await store.request(key, { retry: {} });
      store.touch(key);
    }
    return { ok: true };
  };

  return {
    accept(body, caller) {
      const answer = last.then(() => take(body, caller)).catch(unlessStored);
      last = answer.catch(() => undefined); // its caller gets the error; the next post does not depend on it
      return answer;
    },
    render: () => renderTargetState(store, device),
  };
}

const refused = (lines: readonly string[]): TargetAnswer => ({ ok: false, status: 400, message: lines.join('\n') });

/** Returns the refusal of a disk as an answer; throws anything else. */
function unlessStored(error: unknown): TargetAnswer {
  if (error instanceof StorageError) return { ok: false, status: 503, message: error.message };
  throw error;
}

/** Returns the apps that were posted before, for a post that leaves out apps. Pure. */
const keptApps = (apps: readonly App[]): readonly Declared<'App'>[] =>
  apps
    .filter(({ metadata }) => metadata.origin === 'local' && metadata.deletionTimestamp === undefined)
    .map(({ apiVersion, kind, metadata: { name, labels, annotations }, spec }) => ({
      apiVersion,
      kind,
      metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
      spec,
    }));

/** Returns why posted apps cannot be taken beside those of other origins. Pure. */
export function planCollisions(posted: readonly Declared<'App'>[], present: readonly App[]): readonly string[] {
  const foreign = present.filter(({ metadata }) => metadata.origin !== 'local');
  return posted.flatMap((app) => {
    const other = foreign.find((one) => one.metadata.name === app.metadata.name || appIdOf(one) === appIdOf(app));
    if (!other) return [];
    const where = other.metadata.source ? ` in ${other.metadata.source.file}` : '';
    return [
      `The app ${appIdOf(app)} is already there: App ${other.metadata.name}, declared by ${other.metadata.origin}${where}`,
    ];
  });
}

/**
 * Returns the HostConfig that a target state asks for; what it leaves out stays. `foreign`: another origin declares it,
 * and the target wants something else than is there (clients send back what they read, which claims nothing). Pure.
 */
export function planHostConfig(
  target: Pick<Target, 'name' | 'config'>,
  present: (Pick<HostConfig, 'spec'> & { readonly metadata: Pick<Metadata, 'origin'> }) | undefined,
  device: TargetDevice,
): Declared<'HostConfig'> | 'foreign' | undefined {
  const spec = present?.spec;
  if (present && present.metadata.origin !== 'local') {
    const sameName = target.name === undefined || target.name === (spec?.name ?? DEFAULT_DEVICE_NAME);
    const shown = shownConfig(spec?.config, device);
    const sameConfig = target.config === undefined || canonical(target.config) === canonical(shown);
    return sameName && sameConfig ? undefined : 'foreign';
  }
  return deviceDocument(target.name ?? spec?.name, target.config ?? spec?.config);
}
