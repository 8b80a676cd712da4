import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { journalArguments, openJournal } from '../../../controllers/host/journal.js';

describe('the journal', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'journal-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const program = async (script: string): Promise<string> => {
    const path = join(folder, 'journalctl');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };

  it('is asked for with everything that was wanted', () => {
    const query = {
      all: true,
      follow: true,
      unit: 'a',
      containerId: 'b',
      count: 5,
      since: 'c',
      until: 'd',
      format: 'e',
    };
    assert.deepEqual(journalArguments(query, '/'), [
      ...['--no-pager', '--all', '--follow', '--unit=a', '--identifier=b', '--lines=5', '--since=c', '--until=d'],
      '--output=e',
    ]);
    assert.deepEqual(journalArguments({}, '/mnt/root'), ['--no-pager', '--root=/mnt/root', '--output=short']);
  });

  it('never takes a value for an option', () => {
    const known = /^--(?:no-pager|all|follow|(?:root|unit|identifier|lines|since|until|output)=[\s\S]*)$/;
    const value = fc.option(fc.oneof(fc.string(), fc.constantFrom('--vacuum-size=1', '-D/x', '\n--rotate')), {
      nil: undefined,
    });
    fc.assert(
      fc.property(value, value, value, (unit, since, format) => {
        const given = journalArguments({ unit, since, format }, '/');
        assert.ok(given.every((argument) => known.test(argument)));
        assert.ok(unit === undefined || given.includes(`--unit=${unit}`));
      }),
    );
  });

  it('is what the program prints, without a shell in between', async () => {
    const path = await program('for one; do echo "$one"; done');
    const reading = await openJournal(
      { unit: '$(id); `id` "' },
      { hostRoot: '/', program: path, log: { warn: assert.fail } },
    );
    assert.equal(await text(reading.output), '--no-pager\n--unit=$(id); `id` "\n--output=short\n');
  });

  it('ends when nobody wants it any more', async () => {
    const path = await program('echo begun; exec sleep 600');
    const reading = await openJournal({}, { hostRoot: '/', program: path, log: { warn: () => undefined } });
    await once(reading.output, 'data');
    const closed = once(reading.output, 'close');
    reading.stop();
    await closed;
  });

  it('is refused without a program', async () => {
    const log = { warn: assert.fail };
    await assert.rejects(
      openJournal({}, { hostRoot: '/', program: join(folder, 'none'), log }),
      /could not be started/,
    );
  });

  it('leaves complaints to the log', async () => {
    const path = await program('echo "bad unit" >&2; exit 3');
    let noted: (details: object) => void;
    const warning = new Promise<object>((resolve) => {
      noted = resolve;
    });
    const reading = await openJournal({}, { hostRoot: '/', program: path, log: { warn: (details) => noted(details) } });
    assert.equal(await text(reading.output), '');
    assert.deepEqual(await warning, { code: 3, complaint: 'bad unit' });
  });
});
