import assert from 'node:assert/strict';
import { hasFinished } from '../../../../controllers/service/health/finished.js';
import { aContainer } from '../service-states.js';

describe('a container has finished for good', () => {
  type Row = {
    readonly it: string;
    readonly policy: string;
    readonly most?: number;
    readonly code?: number;
    readonly restarts?: number;
    readonly error?: string;
    readonly state?: 'running' | 'created';
    readonly want: boolean;
  };
  const rows: readonly Row[] = [
    { it: 'when it was to run once and ended well', policy: 'no', want: true },
    { it: 'when it was to run once and failed', policy: 'no', code: 1, want: true },
    {
      it: 'not when its only start failed: it has not run',
      policy: 'no',
      code: 127,
      error: 'no such file',
      want: false,
    },
    { it: 'not while it runs', policy: 'no', state: 'running', want: false },
    { it: 'not before it was started', policy: 'no', state: 'created', want: false },
    { it: 'when on-failure ended well', policy: 'on-failure', want: true },
    { it: 'not when on-failure failed', policy: 'on-failure', code: 1, want: false },
    { it: 'not when the last start of on-failure failed', policy: 'on-failure', error: 'no such file', want: false },
    {
      it: 'when on-failure failed as often as it may',
      policy: 'on-failure',
      most: 3,
      restarts: 3,
      code: 1,
      want: true,
    },
    {
      it: 'also when the last of those starts failed',
      policy: 'on-failure',
      most: 3,
      restarts: 3,
      error: 'x',
      want: true,
    },
    { it: 'not one failure earlier', policy: 'on-failure', most: 3, restarts: 2, code: 1, want: false },
    { it: 'not when it may fail without limit', policy: 'on-failure', most: 0, restarts: 99, code: 1, want: false },
    { it: 'never under always, whoever stopped it', policy: 'always', want: false },
    { it: 'never under unless-stopped', policy: 'unless-stopped', want: false },
    { it: 'not under always for a count that is of on-failure', policy: 'always', most: 3, restarts: 3, want: false },
  ];
  for (const { it: what, policy, most = 0, code = 0, restarts, error = '', state = 'exited', want } of rows) {
    it(what, () => {
      const container = aContainer({
        state,
        exitCode: code,
        error,
        ...(restarts === undefined ? {} : { restartCount: restarts }),
      });
      assert.equal(hasFinished({ Name: policy, MaximumRetryCount: most }, container), want);
    });
  }
});
