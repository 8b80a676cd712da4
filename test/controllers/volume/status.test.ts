import assert from 'node:assert/strict';
import { InvalidSpecError, TerminalError } from '../../../controllers/runtime/outcome.js';
import type { VolumeFacts } from '../../../controllers/volume/plan.js';
import { type VolumeResult, volumeStatus } from '../../../controllers/volume/status.js';
import { aVolume } from '../../setup/documents.js';

/** What the status of a volume says at the end of a pass. Each row is one that exists, and of which nothing is asked. */
interface Row {
  readonly it: string;
  readonly before?: object;
  readonly facts?: Partial<VolumeFacts>;
  /** Ids of requests that the volume was made after. */
  readonly madeAfter?: string;
  readonly result?: Partial<VolumeResult>;
  readonly error?: unknown;
  readonly want: object;
}

const THERE = { present: true, mountpoint: '/v' };
const FULL = { reason: 'Failed', message: 'the disk is full' } as const;
const REFUSED = { reason: 'Failed', message: 'no leave for /etc' };

const rows: readonly Row[] = [
  { it: 'is there', want: THERE },
  { it: 'is not there', facts: { seen: undefined }, want: { present: false } },
  {
    it: 'keeps what it has acknowledged',
    before: { handled: { 'app.purge': 'p' } },
    want: { ...THERE, handled: { 'app.purge': 'p' } },
  },
  { it: 'has not been purged while it is the old one', facts: { purge: 'p' }, want: THERE },
  { it: 'has not been purged while there is none', facts: { purge: 'p', seen: undefined }, want: { present: false } },
  {
    it: 'has been purged when it was made after that',
    facts: { purge: 'p' },
    madeAfter: 'o p',
    want: { ...THERE, handled: { 'app.purge': 'p' } },
  },
  {
    it: 'is not taken for purged by an earlier purge',
    facts: { purge: 'p' },
    madeAfter: 'o',
    want: THERE,
  },
  {
    it: 'acknowledges a purge that could not be carried out, and says why',
    facts: { purge: 'p' },
    result: { refused: FULL },
    want: { ...THERE, handled: { 'app.purge': 'p' }, refused: { 'app.purge': FULL } },
  },
  { it: 'says of no purge why it was not carried out', result: { refused: FULL }, want: THERE },
  {
    it: 'is not purged when it cannot be made as it is declared',
    facts: { purge: 'p' },
    error: new InvalidSpecError([{ path: 'spec.driver_opts', message: 'no leave for /etc' }]),
    want: { ...THERE, handled: { 'app.purge': 'p' }, refused: { 'app.purge': REFUSED } },
  },
  {
    it: 'waits with a purge when something else is wrong',
    facts: { purge: 'p' },
    error: new TerminalError('DataLossRefused', 'x'),
    want: THERE,
  },
  {
    it: 'forgets why an earlier purge failed with the next one',
    before: { handled: { 'app.purge': 'o' }, refused: { 'app.purge': FULL } },
    facts: { purge: 'p' },
    madeAfter: 'p',
    want: { ...THERE, handled: { 'app.purge': 'p' } },
  },
];

describe('the status of a volume', () => {
  for (const { it: says, before, facts, madeAfter, result = {}, error, want } of rows) {
    it(says, () => {
      const labels = madeAfter === undefined ? {} : { 'io.supercargo.made-after': madeAfter };
      const seen = { name: '1_data', mountpoint: '/v', labels } as unknown as VolumeFacts['seen'];
      const all = {
        seen,
        mountedBy: [],
        wantedElsewhere: false,
        otherApps: [],
        purge: undefined,
        refusedAccess: [],
        ...facts,
      };
      const volume = aVolume(before ? { status: before as never } : {});
      assert.deepEqual(volumeStatus(volume, all, { at: 'acted', result, error }), want);
    });
  }
});
