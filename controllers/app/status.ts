import { withFacts } from '../../crds/model/conditions.js';
import type { App } from '../../crds/model/kinds.js';
import { handlingOf, withHandled } from '../../crds/model/requests.js';
import { suspensionDealt } from '../../crds/model/suspend.js';
import type { AppStatus } from '../../crds/model/types.js';
import type { AppDeps, Done } from './pass.js';
import { identityOf } from './release/children.js';
import { imagesOfRelease } from './release/release-images.js';

/** Writes the App's status, but not over that of another App which has taken its name. */
export function report(
  { store, locks }: AppDeps,
  app: App,
  now: Done & {
    readonly phase: AppStatus['phase'];
    readonly settled?: boolean;
    /** Optional services that do not run here. */
    readonly leftOut: readonly string[];
  },
): void {
  const current = store.get('App', app.metadata.name);
  if (current?.metadata.uid !== app.metadata.uid) return;
  const { appId, release } = identityOf(app);
  const images = now.committed || now.settled ? imagesOfRelease(store, app) : current.status?.images;
  const completed = now.committed ? (release ?? undefined) : current.status?.release;
  const force = now.handledForce || now.settled ? app.requests.force?.id : undefined;
  const suspension = suspensionDealt(app);
  const dealt = { ...suspension.ids, ...now.dealt, ...(force === undefined ? {} : { force }) };
  const handling = withHandled(handlingOf(current.status), dealt, { ...suspension.refused, ...now.refused });
  const begun = Object.fromEntries(
    Object.entries({ ...current.status?.begun, ...now.begun }).filter(([name, id]) => handling.handled?.[name] !== id),
  );
  const lock: AppStatus['lock'] = locks.isHeld(appId)
    ? { state: 'Held' }
    : now.blockedBy !== undefined
      ? { state: 'Blocked', blockedBy: now.blockedBy }
      : undefined;
  store.setStatus(
    current,
    withFacts<AppStatus>(current, {
      appId,
      ...(now.phase ? { phase: now.phase } : {}),
      ...(completed ? { release: completed } : {}),
      ...(images && Object.keys(images).length > 0 ? { images } : {}),
      ...(now.leftOut?.length ? { leftOut: [...now.leftOut] } : {}),
      ...(lock ? { lock } : {}),
      ...(Object.keys(begun).length > 0 ? { begun } : {}),
      ...handling,
    }),
  );
}
