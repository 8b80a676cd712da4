import type { Controller } from '../runtime/controller.js';
import { Delays } from '../runtime/delays.js';
import { type GitSourceDeps, type Memory, reconcileGitSource } from './reconcile.js';
import { Schedule } from './schedule.js';

/** Talks with servers take seconds: several at once, so that a slow one holds up nobody. */
const WORKERS = 4;
/** An app that comes up changes its status often: the status branch hears of it once, ms. */
const STATUS_DELAY_MS = 15_000;

/** GitSources: looks at repositories when it is time, when the device changes, and when somebody asks. */
export function gitSourceController(deps: GitSourceDeps): Controller {
  const { store, clock } = deps;
  const memory: Memory = {
    ...{ inputs: new Map(), retrying: new Set(), pushed: new Map() },
    ...{ schedule: new Schedule(clock), due: new Delays(clock) },
  };
  const news = new Delays(clock);
  let wake: (name: string) => void = () => undefined;
  const all = () => store.list('GitSource').map(({ metadata, spec }) => ({ name: metadata.name, spec }));
  return {
    kind: 'GitSource',
    workers: WORKERS,
    reconcile: reconcileGitSource(deps, memory, (name) => wake(name)),
    wakes(wakeOne) {
      wake = wakeOne;
      const stop = store.watch(({ object, parts }) => {
        if (object.kind === 'HostConfig' && parts.includes('spec')) for (const { name } of all()) wakeOne(name);
        if (object.kind !== 'App' || !parts.includes('status')) return;
        for (const { name, spec } of all()) {
          if (spec.statusBranch !== undefined) news.plan(name, STATUS_DELAY_MS, () => wakeOne(name));
        }
      });
      return () => {
        stop();
        memory.due.cancelAll();
        news.cancelAll();
      };
    },
  };
}
