import assert from 'node:assert/strict';
import { NotEnoughDisk } from '../../../controllers/engine/images/disk-space.js';
import { ArchiveError } from '../../../controllers/engine/images/tar-file.js';
import { checkUnpacked } from '../../../controllers/image/archive-limits.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

describe('the limits of what an archive unpacks to', () => {
  const rows: readonly {
    readonly it: string;
    readonly bytes: number;
    readonly takes: number;
    readonly room?: number;
    readonly want: string;
  }[] = [
    { it: 'let a GiB come of nothing', bytes: GIB, takes: 0, want: 'fits' },
    {
      it: 'stop what is more than that',
      bytes: GIB + 1,
      takes: 0,
      want: 'ArchiveError: it unpacks to 1025 MB or more, which is no image: it takes 0 MB',
    },
    { it: 'let a file become a hundred times as large beside', bytes: GIB + 100 * MIB, takes: MIB, want: 'fits' },
    {
      it: 'stop what becomes larger',
      bytes: GIB + 100 * MIB + 1,
      takes: MIB,
      want: 'ArchiveError: it unpacks to 1125 MB or more, which is no image: it takes 1 MB',
    },
    { it: 'let the disk become full', bytes: 5 * MIB, takes: MIB, room: 5 * MIB, want: 'fits' },
    {
      it: 'stop what does not fit on the disk',
      bytes: 5 * MIB + 1,
      takes: MIB,
      room: 5 * MIB,
      want: 'NotEnoughDisk: not enough room: it unpacks to 6 MB or more, and 5 MB may be filled',
    },
    {
      it: 'call what is no image that, however full the disk is',
      bytes: 2 * GIB,
      takes: 0,
      room: 0,
      want: 'ArchiveError: it unpacks to 2048 MB or more, which is no image: it takes 0 MB',
    },
  ];
  for (const { it: do_, bytes, takes, room, want } of rows) {
    it(do_, () => assert.equal(reported(bytes, takes, room), want));
  }

  function reported(bytes: number, takes: number, room: number | undefined): string {
    try {
      checkUnpacked(bytes, takes, room);
      return 'fits';
    } catch (error) {
      if (error instanceof ArchiveError) return `ArchiveError: ${error.message}`;
      if (error instanceof NotEnoughDisk) return `NotEnoughDisk: ${error.message}`;
      throw error;
    }
  }
});
