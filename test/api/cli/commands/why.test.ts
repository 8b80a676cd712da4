import assert from 'node:assert/strict';
import { reasonsOfApp, reasonsOfService } from '../../../../api/cli/commands/why.js';
import type { Revision } from '../../../../crds/model/revisions.js';
import type { RevisionSpec, RevisionStatus, ServiceStatus } from '../../../../crds/model/types.js';
import { aDocument, anApp, notReady, ready } from '../../../setup/documents.js';

const NOW = Date.parse('2026-01-01T02:00:00Z');

const aRevision = (
  number: number,
  environment: Readonly<Record<string, string>>,
  status: Partial<RevisionStatus>,
  from: Partial<RevisionSpec['from']> = {},
): Revision =>
  aDocument(
    'Revision',
    `hello.r${number}`,
    {
      ...{ app: 'hello', number, promotedAt: `2026-01-01T0${number - 1}:00:00Z`, release: null },
      from: { origin: 'files', file: '/etc/supercargo/hello.yaml', line: 3, ...from },
      documents: [
        {
          kind: 'Service',
          name: 'hello.web',
          spec: { app: 'hello', serviceName: 'web', image: 'web:1', environment, release: { commit: `c${number}` } },
        },
      ],
    },
    { status: { attempt: number, ...status } },
  );
const first = aRevision(1, { MODE: 'slow' }, { phase: 'Good' });
const second = aRevision(
  2,
  { MODE: 'fast', API_TOKEN: 'abc' },
  { phase: 'Bad', reason: 'CrashLoop', message: 'web exited with 1' },
  { origin: 'git/fleet', commit: '0123456789', author: 'Ada', subject: 'Go "faster"' },
);
const web = (status: ServiceStatus) =>
  aDocument('Service', 'hello.web', { app: 'hello', serviceName: 'web', image: 'web:1' }, { status });

describe('why a service is as it is', () => {
  it('says since when it runs, which commit changed what, how it was replaced, and that it is ready', () => {
    const service = web({
      ...ready(),
      ...{ state: 'running', runningSince: '2026-01-01T01:00:10.000Z', restarts: 2 },
      container: {
        ...{ id: 'c1', name: 'web_1', createdAt: '2026-01-01T01:00:00.000Z', restartCount: 0, image: 'sha256:1' },
      },
      unhealthyRestarts: { container: 'c1', count: 1, recent: [] },
      update: { strategy: 'download-then-kill', because: 'spec changed', steps: [], downtimeMs: 1_234 },
      lastAction: { reason: 'Starting', because: 'it was made and not started yet', at: '2026-01-01T01:00:10.000Z' },
    });
    assert.deepEqual(reasonsOfService(service, [second, first], NOW), {
      object: 'Service/hello.web',
      sentences: [
        'Container web_1 of web:1 has run for 59m (since 2026-01-01T01:00:10.000Z); it was restarted 2 times after it had exited; it was restarted once because it was unhealthy.',
        'As it is declared it came with revision hello.r2 (number 2, 60m ago, from git/fleet 0123456 (Ada): "Go \\"faster\\""), which changed:',
        '  services.web.environment.MODE: "slow" → "fast"',
        '  services.web.environment.API_TOKEN: (none) → ***',
        'Its container was last replaced by download-then-kill, because: spec changed; it was down for 1.2 s.',
        'What was last done to it: Starting, 59m ago, because: it was made and not started yet.',
        'It has been ready for 120m now.',
      ],
    });
  });

  it('says when and of what its container was made in the place of another one, and what the promotion does not tell', () => {
    const replaced = {
      ...{ container: 'web_2', previous: 'web_1', because: 'spec changed', at: '2026-01-01T01:00:00.000Z' },
      ...{ revision: 'hello.r2', from: second.spec.from },
      fields: ['services.web.environment.MODE: "slow" → "fast"', 'services.web.user: (none) → "1"'],
    };
    const lines = (status: ServiceStatus, revisions: readonly Revision[]) =>
      reasonsOfService(web(status), revisions, NOW).sentences.slice(1, -1);
    const update = { strategy: 'rolling' as const, because: 'spec changed', steps: [], downtimeMs: 0 };
    const made = 'Its container was last replaced by rolling 60m ago, in the place of web_1, because: spec changed';
    assert.deepEqual(lines({ replaced, update }, [second, first]).slice(-2), [
      `${made}; it was down for 0.0 s. Since the one before had changed:`,
      '  services.web.user: (none) → "1"',
    ]);
    assert.equal(
      lines({ replaced, update }, [])[0],
      `${made}; it was made of revision hello.r2; it was down for 0.0 s. Since the one before had changed:`,
    );
    // The history is gone: the Service still says it. An update before that has nothing to do with it.
    const repaired = {
      container: 'web_2',
      because: 'was removed',
      at: replaced.at,
      from: { origin: 'files', file: '/a/b.yaml', line: 3 },
    };
    assert.deepEqual(lines({ replaced: repaired, update }, []), [
      'Its container was last replaced 60m ago, because: was removed; it was declared by files b.yaml:3.',
    ]);
    const sent = { ...repaired, from: { origin: 'api', by: 'ada@laptop (from 10.0.0.7)' } };
    assert.deepEqual(lines({ replaced: sent, update }, []), [
      'Its container was last replaced 60m ago, because: was removed; it was declared by api by ada@laptop (from 10.0.0.7).',
    ]);
  });

  const brought = (...revisions: readonly Revision[]): readonly string[] =>
    reasonsOfService(web({}), revisions, NOW).sentences.slice(1, -1);

  it('names the first revision that has it, and says when an older one is not kept', () => {
    const since = 'As it is declared it came with revision hello.r';
    assert.deepEqual(brought(first), [
      `${since}1 (number 1, 120m ago, from files hello.yaml:3), which was the first with this service.`,
    ]);
    assert.match(brought(second)[0] ?? '', /^As it is .*, or before: no older one is kept\.$/);
    // The third promotes another service; that one stays as it was.
    const third = aRevision(3, { MODE: 'fast', API_TOKEN: 'abc' }, { phase: 'Candidate' });
    assert.match(brought(third, second, first)[0] ?? '', /hello\.r2 .*, which changed:$/);
    assert.deepEqual(brought(), []);
  });

  it('says that there is no container, that one does not run, and what it waits for', () => {
    assert.deepEqual(reasonsOfService(web({}), [], NOW).sentences, [
      'It has no container.',
      'The agent has not looked at it as it is declared now.',
    ]);
    const container = { id: 'c1', name: 'web_1', createdAt: '', restartCount: 0, image: 'sha256:1' };
    const ended = web({ ...notReady('Failed'), state: 'exited', exitCode: 3, container });
    assert.match(
      reasonsOfService(ended, [], NOW).sentences[0] ?? '',
      /^Container web_1 of web:1 does not run: exited, exited with 3\.$/,
    );
    assert.match(
      reasonsOfService(ended, [], NOW).sentences.at(-1) ?? '',
      /^It has not been ready for 120m now: Failed: /,
    );
  });
});

describe('why an App is as it is', () => {
  it('says what was promoted, what was tried before and what came of that', () => {
    const third = aRevision(3, { MODE: 'slow' }, { phase: 'Candidate' });
    const { object, sentences } = reasonsOfApp(anApp({ status: ready() }), [third, second, first], NOW);
    assert.equal(object, 'App/hello');
    assert.deepEqual(sentences, [
      'What runs is revision hello.r3 (number 3, 0s ago, from files hello.yaml:3); it is not decided yet whether it is good.',
      'Before that, revision hello.r2 (number 2, 60m ago, from git/fleet 0123456 (Ada): "Go \\"faster\\"") was tried; it is Bad: CrashLoop (web exited with 1).',
      'It has been ready for 120m now.',
    ]);
    const next = { revision: 'hello.r4', since: '2026-01-01T01:00:00Z' };
    const nextOf = (more: object) =>
      reasonsOfApp(anApp({ status: { ...ready(), next: { ...next, ...more } } }), [third], NOW).sentences[1];
    const asked = 'Its document has asked for revision hello.r4 for 60m';
    assert.equal(nextOf({}), `${asked}, and is not promoted yet.`);
    assert.equal(nextOf({ reason: 'AwaitingReboot' }), `${asked}, and waits: AwaitingReboot.`);
    const until = '2026-01-02T02:00:00.000Z';
    assert.equal(nextOf({ reason: 'OutsideWindow', until }), `${asked}, and waits: OutsideWindow until ${until}.`);
    const approved = { by: 'ada@laptop (from this device)', at: '2026-01-01T01:58:00Z' };
    assert.equal(nextOf({ approved }), `${asked}; ada@laptop (from this device) let it go ahead 2m ago.`);
    const rollback = {
      ...{ from: 'hello.r2', to: 'hello.r3', reason: 'CrashLoop', message: 'web exited with 1' },
      at: '2026-01-01T01:30:00Z',
    };
    assert.equal(
      reasonsOfApp(anApp({ status: { ...ready(), rollback } }), [third, second, first], NOW).sentences[1],
      'Its document asks for revision hello.r2, which has been refused for 30m: CrashLoop (web exited with 1). hello.r3 runs instead.',
    );
    assert.match(
      reasonsOfApp(anApp({ status: { ...ready(), rollback } }), [second, first], NOW).sentences[1] ?? '',
      /hello\.r3 is to run instead, and does not yet\.$/,
    );
    assert.equal(reasonsOfApp(anApp({}), [], NOW).sentences[0], 'Nothing of it has been promoted yet.');
  });
});
