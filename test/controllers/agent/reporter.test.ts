import assert from 'node:assert/strict';
import { followApps, sentence, visibleRecord } from '../../../controllers/agent/reporter.js';
import type { App } from '../../../crds/model/kinds.js';
import type { AppStatus } from '../../../crds/model/types.js';

const anApp = (phase: AppStatus['phase'], ready: string, observedGeneration = 2): App => {
  const [status, reason = ''] = ready.split(' ');
  const condition = (type: string, value: 'True' | 'False') => ({
    type,
    status: value,
    reason,
    message: 'the whole sentence',
    lastTransitionTime: 't',
    observedGeneration,
  });
  return {
    apiVersion: 'supercargo.io/v1',
    kind: 'App',
    metadata: {
      name: 'hello',
      uid: 'u',
      generation: 2,
      resourceVersion: '1',
      creationTimestamp: 't',
      finalizers: [],
      origin: 'files',
    },
    spec: {},
    requests: {},
    status: {
      ...(phase ? { phase } : {}),
      observedGeneration,
      conditions: [
        condition('Ready', status === 'True' ? 'True' : 'False'),
        ...(status === 'Stalled' ? [condition('Stalled', 'True')] : []),
      ],
    },
  };
};

describe('what a terminal says of an app', () => {
  const cases: { it: string; app: App; want: string | undefined }[] = [
    { it: 'tells that it is ready', app: anApp('Settled', 'True Settled'), want: 'ready' },
    { it: 'names the phase while all is well', app: anApp('Staging', 'False Staging'), want: 'getting its images' },
    {
      it: 'says no more while children change',
      app: anApp('Verifying', 'False ChildrenNotReady'),
      want: 'waiting until everything runs',
    },
    {
      it: 'says that it is not good yet',
      app: anApp('Verifying', 'False Verifying'),
      want: 'watching whether it stays well',
    },
    {
      it: 'gives the whole sentence when it is stalled',
      app: anApp('Settled', 'Stalled InvalidRelease'),
      want: 'InvalidRelease: the whole sentence',
    },
    {
      it: 'gives the whole sentence when the application holds the lock',
      app: anApp('Locking', 'False UpdatesLocked'),
      want: 'UpdatesLocked: the whole sentence',
    },
    {
      it: 'says nothing of a generation that no pass has seen',
      app: anApp('Staging', 'False Staging', 1),
      want: undefined,
    },
    { it: 'says nothing before it is known', app: { ...anApp(undefined, 'False X'), status: {} }, want: undefined },
  ];
  for (const { it: name, app, want } of cases) it(name, () => assert.equal(sentence(app), want));
});

describe('who follows apps', () => {
  it('tells when looking what nothing has changed to tell, and the same once', () => {
    const reported: string[] = [];
    let change: (app: App) => void = () => undefined;
    const apps = [anApp('Settled', 'True Settled')];
    const store = {
      list: () => apps,
      watch: (listener: (change: object) => void) => {
        change = (object) => listener({ object, type: 'MODIFIED' });
        return () => undefined;
      },
    };
    const following = followApps(store as never, (app, text) => reported.push(`${app.metadata.name}: ${text}`));
    following.look();
    following.look();
    change(anApp('Staging', 'False Staging'));
    assert.deepEqual(reported, ['hello: ready', 'hello: getting its images']);
  });
});

describe('a record for a terminal', () => {
  it('has nothing in it that the terminal would obey', () => {
    const record = { msg: 'a\u001b[2Jb\u202e', err: { stack: 'x\n at \u009by' }, level: 40 };
    assert.deepEqual(JSON.parse(visibleRecord(JSON.stringify(record))), {
      msg: 'a\\x1b[2Jb\\u202e',
      err: { stack: 'x\n at \\u009by' },
      level: 40,
    });
  });
});
