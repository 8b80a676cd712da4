import { keyOf } from '../../crds/model/kinds.js';
import { isUndecided, type Revision } from '../../crds/model/revisions.js';
import type { Controller } from '../runtime/controller.js';
import { reconciler } from '../runtime/reconciler.js';
import { executeRevisionStep, type RevisionResult } from './execute.js';
import { type Memory, observeRevision, type RevisionDeps, type RevisionFacts } from './observe.js';
import { planRevision, type RevisionPlan } from './plan.js';
import { revisionStatus } from './status.js';
import { WatchTime } from './watch-time.js';

/** Revisions: what was promoted of an App, and whether it is any good. Looks, and acts upon nothing. */
export function revisionController(deps: RevisionDeps): Controller {
  const { store, cache, now } = deps;
  const memory: Memory = { time: new WatchTime(deps) };
  return {
    kind: 'Revision',
    workers: 2,
    after: ['Image', 'Network', 'Volume', 'Service'],
    reconcile: reconciler<'Revision', RevisionFacts, RevisionPlan, RevisionResult>({
      kind: 'Revision',
      store,
      now,
      observe: (revision) => observeRevision(deps, memory, revision),
      plan: planRevision,
      execute: (revision, step) => executeRevisionStep(deps, revision, step),
      status: (revision, facts, progress) => revisionStatus(revision, facts, progress, now()),
    }),
    watches: (wake) => {
      const wakeUndecided = (revisions: readonly Revision[]): void => {
        for (const one of revisions) if (isUndecided(one) || one.status?.phase === 'Bad') wake(one.metadata.name);
      };
      const revisionsOf = (app: string): readonly Revision[] => store.owned(keyOf('App', app), 'Revision');
      const stopStore = store.watch(({ object, type, parts }) => {
        if (object.kind === 'Revision') {
          if (type === 'DELETED') memory.time.forget(object.metadata.name);
          wakeSiblings(object, wake);
          return;
        }
        if (type === 'MODIFIED' && parts.length === 0) return;
        if (object.kind === 'App') wakeUndecided(revisionsOf(object.metadata.name));
        else if ('app' in object.spec && object.spec.app !== undefined) wakeUndecided(revisionsOf(object.spec.app));
      });
      const stopCache = cache.onChange((change) => {
        if (change.type === 'all') wakeUndecided(store.list('Revision'));
      });
      return () => {
        stopStore();
        stopCache();
      };
    },
  };

  /** What was promoted later, and what came of it, is part of what the others say. */
  function wakeSiblings({ metadata, spec }: Revision, wake: (name: string) => void): void {
    for (const one of store.owned(keyOf('App', spec.app), 'Revision'))
      if (one.metadata.name !== metadata.name && one.spec.number < spec.number) wake(one.metadata.name);
  }
}
