import assert from 'node:assert/strict';
import { EngineError, type SeenImage } from '../../../../controllers/engine/engine.js';
import type { Archives } from '../../../../controllers/engine/images/archives.js';
import { PullQueue } from '../../../../controllers/engine/images/pull-queue.js';
import { CredentialsError } from '../../../../controllers/engine/images/registry-auth.js';
import type { Credentials } from '../../../../controllers/engine/images/registry-credentials.js';
import { anImage, flush, ScriptedEngine, silent } from '../scripted-engine.js';

function setUp(options: { credentials?: Credentials; archives?: Pick<Archives, 'bring'> } = {}) {
  const engine = new ScriptedEngine(() => 0);
  /** What the cache says when it is asked to look again. */
  const local = new Map<string, SeenImage | Error>();
  const refreshed: string[] = [];
  const cache = {
    async refreshImage(reference: string) {
      refreshed.push(`${reference} while ${pulls.state(reference).is}`);
      const answer = local.get(reference);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const pulls = new PullQueue({ engine, cache, log: silent, ...options });
  const events: string[] = [];
  pulls.onChange((reference) => {
    const state = pulls.state(reference);
    events.push(`${reference} ${state.is === 'running' ? state.percent : state.is}`);
  });
  const started = () => engine.requests.map((request) => request.replace('pullImage ', ''));
  return { engine, pulls, local, refreshed, started, takeEvents: () => events.splice(0) };
}

describe('The pull queue', () => {
  it('knows nothing about a reference that nobody started', () => {
    const { pulls } = setUp();
    assert.deepEqual(pulls.state('busybox'), { is: 'none' });
    pulls.forget('busybox');
    assert.deepEqual(pulls.state('busybox'), { is: 'none' });
  });

  it('pulls three at once, the others in their turn', async () => {
    const { engine, pulls, local, started } = setUp();
    for (const name of ['a:1', 'b:1', 'c:1', 'd:1', 'e:1']) {
      local.set(name, anImage());
      pulls.start(name);
    }
    await flush();
    assert.deepEqual(started(), ['a:1', 'b:1', 'c:1']);
    assert.deepEqual(pulls.state('e:1'), { is: 'running', percent: 0 });
    engine.pulls.get('b:1')?.done();
    await flush();
    assert.deepEqual(started(), ['a:1', 'b:1', 'c:1', 'd:1']);
    engine.pulls.get('a:1')?.done(new EngineError('manifest unknown', 404));
    await flush();
    assert.deepEqual(started().at(-1), 'e:1');
  });

  it('gives no place to a pull that waits for a file, and names the file', async () => {
    const archives: Pick<Archives, 'bring'> = {
      bring(reference, signal, onWait) {
        if (reference === 'd:1') return Promise.resolve(false);
        onWait?.('web.tar');
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    };
    const { pulls, started } = setUp({ archives });
    for (const name of ['a:1', 'b:1', 'c:1', 'd:1']) pulls.start(name);
    await flush();
    assert.deepEqual(started(), ['d:1']);
    assert.deepEqual(pulls.state('a:1'), { is: 'running', percent: 0, file: 'web.tar' });
    assert.deepEqual(pulls.state('d:1'), { is: 'running', percent: 0 });
    await pulls.stop();
  });

  it('shares a pull between spellings of one reference, and tells each in its own words', async () => {
    const { engine, pulls, local, started, takeEvents } = setUp();
    local.set('busybox', anImage());
    pulls.start('busybox');
    pulls.start('docker.io/library/busybox:latest');
    await flush();
    assert.deepEqual(started(), ['busybox']);
    takeEvents();
    engine.pulls.get('busybox')?.progress(7);
    assert.deepEqual(takeEvents().sort(), ['busybox 7', 'busybox:latest 7', 'docker.io/library/busybox:latest 7']);
  });

  it('tells whole percent that only grow', async () => {
    const { engine, pulls, takeEvents } = setUp();
    pulls.start('a:1');
    await flush();
    takeEvents();
    const pull = engine.pulls.get('a:1');
    for (const percent of [1.2, 1.9, 1, 40, 39, 100, 130, Number.NaN]) pull?.progress(percent);
    assert.deepEqual(takeEvents(), ['a:1 1', 'a:1 40', 'a:1 100']);
  });

  it('runs until the cache shows the image, then is forgotten', async () => {
    const { engine, pulls, local, refreshed, takeEvents } = setUp();
    local.set('a:1', anImage());
    pulls.start('a:1');
    await flush();
    takeEvents();
    engine.pulls.get('a:1')?.done();
    await flush();
    assert.deepEqual(refreshed, ['a:1 while running']);
    assert.deepEqual(pulls.state('a:1'), { is: 'none' });
    assert.deepEqual(takeEvents(), ['a:1 none']);
  });

  const failures: { it: string; end: (set: ReturnType<typeof setUp>) => void; want: RegExp }[] = [
    {
      it: 'the registry refuses',
      end: ({ engine }) => engine.pulls.get('a:1')?.done(new EngineError('unauthorized', 401)),
      want: /^unauthorized$/,
    },
    {
      it: 'the image is not there afterwards',
      end: ({ engine }) => engine.pulls.get('a:1')?.done(),
      want: /Pulled a:1, but/,
    },
    {
      it: 'the cache cannot look',
      end: ({ engine, local }) => {
        local.set('a:1', new Error('gone'));
        engine.pulls.get('a:1')?.done();
      },
      want: /^gone$/,
    },
  ];
  for (const { it: what, end, want } of failures) {
    it(`keeps the failure when ${what}, until it is forgotten or started again`, async () => {
      const set = setUp();
      const { pulls, takeEvents, started } = set;
      pulls.start('a:1');
      await flush();
      end(set);
      await flush();
      const state = pulls.state('a:1');
      assert.equal(state.is, 'failed');
      assert.match(state.is === 'failed' ? state.error.message : '', want);
      assert.equal(takeEvents().at(-1), 'a:1 failed');
      pulls.start('a:1');
      assert.deepEqual(pulls.state('a:1'), { is: 'running', percent: 0 });
      await flush();
      assert.deepEqual(started(), ['a:1', 'a:1']);
      end(set);
      await flush();
      pulls.forget('a:1');
      assert.deepEqual(pulls.state('a:1'), { is: 'none' });
    });
  }

  it('stops a pull that is forgotten, gives its place away, and can start again meanwhile', async () => {
    const { engine, pulls, started, takeEvents } = setUp();
    for (const name of ['a:1', 'b:1', 'c:1', 'd:1', 'e:1']) pulls.start(name);
    await flush();
    pulls.forget('d:1');
    pulls.forget('a:1');
    pulls.start('a:1');
    takeEvents();
    await flush();
    assert.deepEqual(started(), ['a:1', 'b:1', 'c:1', 'e:1'], 'd was never begun');
    assert.deepEqual(pulls.state('a:1'), { is: 'running', percent: 0 }, 'the aborted one does not end the new one');
    assert.deepEqual(takeEvents(), []);
    engine.pulls.get('b:1')?.done(new Error('x'));
    await flush();
    assert.equal(started().at(-1), 'a:1');
  });

  it('asks for the credentials of each pull', async () => {
    const asked: string[] = [];
    const { pulls } = setUp({
      credentials: async (reference, secret) => {
        asked.push(`${reference} ${secret}`);
        return undefined;
      },
    });
    pulls.start('registry.example/a:1', { secret: 'mine' });
    await flush();
    assert.deepEqual(asked, ['registry.example/a:1 mine']);
  });

  it('keeps a failure to find credentials as that of the pull, and asks no registry', async () => {
    const { pulls, started } = setUp({ credentials: () => Promise.reject(new CredentialsError('no such secret')) });
    pulls.start('registry.example/a:1');
    await flush();
    const state = pulls.state('registry.example/a:1');
    assert.match(state.is === 'failed' ? state.error.message : '', /no such secret/);
    assert.deepEqual(started(), []);
  });

  it('stops everything and takes nothing more', async () => {
    const { pulls, started, engine } = setUp();
    for (const name of ['a:1', 'b:1', 'c:1', 'd:1']) pulls.start(name);
    await flush();
    await pulls.stop();
    assert.equal(engine.pulls.size, 0);
    pulls.start('e:1');
    await flush();
    assert.deepEqual(started(), ['a:1', 'b:1', 'c:1']);
    assert.deepEqual(pulls.state('a:1'), { is: 'none' });
  });

  it('goes on when a listener fails', async () => {
    const { engine, pulls, local } = setUp();
    pulls.onChange(() => {
      throw new Error('mine');
    });
    local.set('a:1', anImage());
    pulls.start('a:1');
    await flush();
    engine.pulls.get('a:1')?.done();
    await flush();
    assert.deepEqual(pulls.state('a:1'), { is: 'none' });
  });
});
