import { NO_COMMANDS } from '../../controllers/app/commands/commands.js';
import { NO_DISK_PRESSURE } from '../../controllers/app/images/disk-pressure.js';
import { NO_UNWANTED_IMAGES } from '../../controllers/app/images/image-retention.js';
import type { AppFacts } from '../../controllers/app/plan.js';

/** What an App without children finds when nothing is pending and nothing is in the way; `facts` says what differs. */
export const quietAppFacts = (facts: Partial<AppFacts> = {}): AppFacts => ({
  existing: [],
  desired: [],
  content: { name: 'hello.1', documents: [] },
  revisions: [],
  rollout: {
    declared: { name: 'hello.1', documents: [] },
    back: undefined,
    badMeanwhile: undefined,
    verdict: undefined,
    refusedBefore: undefined,
    refuge: undefined,
    onFailure: 'rollback',
    retry: undefined,
    approve: undefined,
    byHand: undefined,
  },
  when: { is: 'now', next: undefined },
  isInterrupted: false,
  issues: [],
  taken: [],
  missing: [],
  diskPressure: NO_DISK_PRESSURE,
  imageRetention: NO_UNWANTED_IMAGES,
  skipped: [],
  unsatisfied: [],
  needLock: [],
  locked: false,
  unswept: false,
  pending: NO_COMMANDS,
  ...facts,
});
