import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledBlinker } from '../../../controllers/host/led.js';
import { until } from '../../setup/until.js';

describe('the LED', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'led-'));
    path = join(folder, 'brightness');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is lit and dark in turns for 15 s, once, and dark in the end', async () => {
    await writeFile(path, '0');
    const waits: number[] = [];
    const seen: string[] = [];
    let over: () => void;
    const ended = new Promise<void>((resolve) => {
      over = resolve;
    });
    const after = (ms: number, call: () => void): void => {
      waits.push(ms);
      void readFile(path, 'utf8').then((text) => {
        seen.push(text);
        call();
        if (waits.length === 75) over();
      });
    };
    const blink = ledBlinker({ path, log: { warn: assert.fail }, after });
    blink();
    blink();
    await ended;
    assert.equal(
      waits.reduce((sum, ms) => sum + ms, 0),
      15_000,
    );
    assert.deepEqual(
      seen,
      Array.from({ length: 75 }, (_, index) => (index % 2 === 0 ? '1' : '0')),
    );
    await until(
      'the LED is dark',
      () => readFile(path, 'utf8'),
      (text) => text === '0',
      { everyMs: 5 },
    );
  });

  it('is not missed', () => {
    ledBlinker({ path, log: { warn: assert.fail }, after: assert.fail })();
  });

  it('that cannot be written is given up', async () => {
    let warned: () => void;
    const warning = new Promise<void>((resolve) => {
      warned = resolve;
    });
    ledBlinker({ path: folder, log: { warn: () => warned() }, after: assert.fail })();
    await warning;
  });
});
