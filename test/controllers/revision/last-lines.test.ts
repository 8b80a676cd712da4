import assert from 'node:assert/strict';
import { executeRevisionStep } from '../../../controllers/revision/execute.js';
import type { RevisionDeps } from '../../../controllers/revision/observe.js';
import { aDocument } from '../../setup/documents.js';

describe('the last lines of a container that condemns its release', () => {
  async function lastLines(spec: object, ...printed: readonly string[]): Promise<readonly string[] | undefined> {
    const pastLogs = async function* () {
      for (const message of printed) yield { message, isStdErr: false, timestamp: 0 };
    };
    const revision = aDocument('Revision', 'hello.1', {
      ...{ app: 'hello', number: 1, promotedAt: '2026-01-01T00:00:00Z', release: null, from: { origin: 'files' } },
      documents: [{ kind: 'Service', name: 'hello.web', spec }],
    } as never);
    const deps = { engine: { pastLogs } } as unknown as Pick<RevisionDeps, 'engine' | 'cache'>;
    return (await executeRevisionStep(deps, revision, { do: 'read', container: 'c1' })).lastLines;
  }

  const rows: readonly { it: string; environment: unknown; printed: string; want: string }[] = [
    {
      it: 'hide a long value of a variable',
      environment: { PLACE: 'hushhush' },
      printed: 'at hushhush',
      want: 'at ***',
    },
    { it: 'keep a short one: it may be a word', environment: { MODE: 'door' }, printed: 'no door', want: 'no door' },
    {
      it: 'hide a short one whose name says secret',
      environment: { DB_PASSWORD: 'abc' },
      printed: 'abc?',
      want: '***?',
    },
    { it: 'hide it in a list of variables', environment: ['DB_PASSWORD=a=c'], printed: 'with a=c', want: 'with ***' },
    { it: 'hide nothing for an empty value', environment: { DB_PASSWORD: null }, printed: 'no key', want: 'no key' },
  ];
  for (const { it: what, environment, printed, want } of rows) {
    it(what, async () => assert.deepEqual(await lastLines({ environment }, printed), [want]));
  }

  it('hide the secrets of arguments', async () => {
    const arguments_ = { command: ['serve', '--token', 'one'], entrypoint: 'sh -c "x --password=two"' };
    assert.deepEqual(await lastLines(arguments_, 'no one, no two'), ['no ***, no ***']);
  });

  it('are the last three, made visible and cut', async () => {
    const lines = await lastLines({}, 'a', 'b', '\u001b[31mred', 'c'.repeat(300));
    assert.equal(lines?.length, 3);
    assert.ok(!lines?.join().includes('\u001b'));
    assert.equal(lines?.[2]?.length, 200);
  });
});
