import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reader } from '../../../api/store/store.js';
import { folderFailure, type HealthFacts, healthChecks, healthFacts } from '../../../controllers/runtime/health.js';
import { anApp } from '../../setup/documents.js';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;
const loop = { kind: 'Service', oldestPassMs: 0, queuedForMs: 0 };
const vitals = { listedAtMs: NOW, triedAtMs: NOW, lostAtMs: undefined, engineAnswers: true };
const lost = (forMs: number, engineAnswers: boolean, triedMs = 0) => ({
  ...{ ...vitals, engineAnswers },
  ...{ lostAtMs: NOW - forMs, triedAtMs: NOW - triedMs },
});
const unavailableFor = (minutes: number, origin: 'files' | 'git/x' = 'files') => ({
  unavailableOrigins: [{ origin, forMs: minutes * MINUTE, message: 'The folder /m cannot be read' }],
  declaring: new Set([origin]),
});

/** What is told of a device, beside what is well; `!` before what makes it Unhealthy. */
const CASES: readonly { readonly it: string; readonly facts?: Partial<HealthFacts>; readonly want?: string }[] = [
  { it: 'is well at rest' },
  { it: 'is well before an engine is found', facts: { vitals: undefined } },
  { it: 'is well during a pass of nine minutes', facts: { loops: [{ ...loop, oldestPassMs: 9 * MINUTE }] } },
  {
    it: 'has a stuck pass',
    facts: { loops: [loop, { ...loop, kind: 'App', oldestPassMs: 11 * MINUTE }] },
    want: '!passes: A pass of the App controller has not ended for 11 minutes',
  },
  {
    it: 'has a stuck queue',
    facts: { loops: [{ ...loop, queuedForMs: 12.5 * MINUTE }] },
    want: '!queues: The Service controller has begun no pass for 12 minutes, though some are due',
  },
  { it: 'is well with a list of 15 minutes ago', facts: { vitals: { ...vitals, listedAtMs: NOW - 15 * MINUTE } } },
  {
    it: 'has missed three lists',
    facts: { vitals: { ...vitals, listedAtMs: NOW - 17 * MINUTE } },
    want: "!events: The engine's objects have not been listed for 17 minutes",
  },
  {
    it: 'tells of an engine that is down, however long',
    facts: { vitals: lost(90 * MINUTE, false) },
    want: 'engine: The engine does not answer',
  },
  {
    it: 'reports what an engine leaves unanswered that is followed',
    facts: { engineUnanswered: 'The engine has not answered to: start container web' },
    want: 'engine: The engine has not answered to: start container web',
  },
  {
    it: 'tells that an engine is down rather than what it leaves unanswered',
    facts: { vitals: lost(MINUTE, false), engineFailure: 'It hangs', engineUnanswered: 'start container web' },
    want: 'engine: It hangs',
  },
  {
    it: 'tells at first that nobody listens where containers call',
    facts: { apiFailure: { message: 'Containers cannot reach the API', forMs: 15_000 } },
    want: 'gateway: Containers cannot reach the API',
  },
  {
    it: 'is not well when nobody listens where containers call',
    facts: { apiFailure: { message: 'Containers cannot reach the API', forMs: 15_001 } },
    want: '!gateway: Containers cannot reach the API',
  },
  { it: 'waits while the engine starts', facts: { vitals: lost(4 * MINUTE, true) } },
  {
    it: 'is deaf to an engine that answers',
    facts: { vitals: lost(6 * MINUTE, true) },
    want: '!events: The engine answers, but its events have not been followed for 6 minutes',
  },
  {
    it: 'has given an engine up',
    facts: { vitals: lost(90 * MINUTE, false, 7 * MINUTE) },
    want: '!events: The engine has not been tried again for 7 minutes\nengine: The engine does not answer',
  },
  {
    it: 'has a full disk',
    facts: { folderFailure: '/data: the disk is full' },
    want: '!data: /data: the disk is full',
  },
  {
    it: 'gives a mount four minutes',
    facts: unavailableFor(4),
    want: 'source files: The folder /m cannot be read',
  },
  { it: 'misses its files', facts: unavailableFor(6), want: '!source files: The folder /m cannot be read' },
  {
    it: 'does not miss a folder that nobody uses',
    facts: { ...unavailableFor(6), declaring: new Set() },
    want: 'source files: The folder /m cannot be read',
  },
  {
    it: 'does not mind being offline',
    facts: unavailableFor(600, 'git/x'),
    want: 'source git/x: The folder /m cannot be read',
  },
];

describe('the health of the agent', () => {
  for (const { it: does, facts, want = '' } of CASES) {
    it(does, () => {
      const all = {
        nowMs: NOW,
        loops: [loop],
        vitals,
        apiFailure: undefined,
        folderFailure: undefined,
        unavailableOrigins: [],
        declaring: new Set<'files'>(),
      };
      const reported = healthChecks({ ...all, ...facts }).filter(({ ok, message }) => !ok || message !== undefined);
      assert.equal(reported.map(({ name, ok, message }) => `${ok ? '' : '!'}${name}: ${message}`).join('\n'), want);
    });
  }

  it('sees whether a folder can be written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'health-'));
    assert.equal(folderFailure(folder), undefined);
    rmSync(folder, { recursive: true });
    assert.match(folderFailure(folder) ?? '', /cannot be written: ENOENT/);
    assert.match(folderFailure('/proc') ?? '', /cannot be written|disk is full/);
  });
});

describe('what health looks at', () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'health-data-'));
  before(() => {
    for (const tree of ['documents', 'status']) mkdirSync(join(dataFolder, tree));
  });
  after(() => rmSync(dataFolder, { recursive: true }));

  const facts = (unavailableOrigins: HealthFacts['unavailableOrigins']) => {
    const asked: string[] = [];
    const list = (kind: string) => {
      asked.push(kind);
      return kind === 'App' ? [anApp()] : [];
    };
    const store = { unavailableOrigins: () => unavailableOrigins, list, diskFailure: undefined } as unknown as Reader;
    return {
      ...healthFacts({ dataFolder, store, loops: [], vitals: undefined, apiFailure: undefined }),
      asked,
    };
  };

  it('is whether the folder of the documents is still there', () => {
    assert.equal(facts([]).folderFailure, undefined);
    renameSync(join(dataFolder, 'documents'), join(dataFolder, 'away'));
    assert.match(facts([]).folderFailure ?? '', /documents is not there/);
    renameSync(join(dataFolder, 'away'), join(dataFolder, 'documents'));
  });

  it('is no document while every source is read', () => {
    assert.deepEqual(facts([]).asked, []);
  });

  it('is who has declared documents, when a source is not', () => {
    const { declaring } = facts([{ origin: 'files', forMs: 0, message: 'away' }]);
    assert.deepEqual([...declaring], [anApp().metadata.origin]);
  });
});
