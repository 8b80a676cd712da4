import assert from 'node:assert/strict';
import type { Entry } from '../../../../api/store/entry.js';
import { keyOfDeclared } from '../../../../api/store/entry.js';
import { type ProposalMode, type ProposalPlan, planProposal } from '../../../../api/store/proposal/plan-proposal.js';
import type { Proposal, Proposed } from '../../../../api/store/store.js';
import { COMPOSE } from '../../../../crds/model/compose.js';
import type { AnyDeclared, Key } from '../../../../crds/model/kinds.js';
import { allottedId } from '../../../../crds/model/names.js';
import { aHostConfig, anApp, anImage, aService, declare, entriesOf, proposal } from '../fixtures.js';

/** The plan as a reviewer reads it. */
function decisionTexts({ decisions, refused }: ProposalPlan): string[] {
  const lines = decisions.map((decision) => {
    switch (decision.do) {
      case 'change':
        return `change ${decision.key} (${decision.parts.join(', ')})`;
      case 'await':
        return `after ${decision.key}: ${decision.pendingReplacements.map(({ document }) => keyOfDeclared(document)).join(', ') || 'nothing'}`;
      case 'note':
        return `note ${decision.key}: ${decision.problem?.message ?? 'no problem'}`;
      default:
        return `${decision.do} ${decision.key}`;
    }
  });
  return [...lines, ...refused.map(({ message }) => `refuse: ${message}`)];
}

const files = (...documents: Proposal['documents']): Proposal => proposal('files', documents);
/** `hello` of `files`, being deleted, with what was declared since. */
const terminating = (...since: readonly Proposal[]) =>
  entriesOf(files(anApp('hello', { appId: 1 })), files(), ...since);

/** What a change of an immutable field comes to: the last version stays, with the problem. */
function refused(key: Key, field: string, from: string, to: string, way = 'Take the change back'): string[] {
  const [kind] = key.split('/');
  const message = `${key}: ${field} cannot change from ${from} to ${to}, because what runs goes by it. ${way}, or delete the ${kind} and declare it again once it is gone.`;
  return [`note ${key}: ${message}`, `refuse: ${message}`];
}
/** The same, as it comes of a Compose file. */
const ofCompose = ({ document, ...more }: Proposed): Proposed => {
  const annotations = { [COMPOSE.files]: 'compose.yaml' };
  return { ...more, document: { ...document, metadata: { ...document.metadata, annotations } } as AnyDeclared };
};
const aNetwork = (networkName: string, more = {}) =>
  declare('Network', 'net', { app: 'hello', appId: 1, networkName, ...more });
/** A service whose container has the same name in every App. */
const withRelease = (app: string) =>
  declare('Service', `${app}.web`, {
    ...{ app, serviceName: 'web', image: 'busybox:1', imageId: 5, release: { commit: 'c', id: 1 } },
  });
const aVolume = (volumeName: string) =>
  declare('Volume', 'vol', { app: 'hello', appId: 1, appUuid: '1', volumeName, reclaim: 'Retain' });

const BAD_APP = { message: 'bad', kind: 'App', name: 'hello' } as const;

describe('planProposal', () => {
  const cases: Array<{
    it: string;
    /** What the store holds before. */
    entries?: () => ReadonlyMap<Key, Entry>;
    proposal: Proposal;
    mode?: ProposalMode;
    want: string[];
  }> = [
    { it: 'creates what is new', proposal: files(anApp('hello')), want: ['create App/hello'] },
    {
      it: 'leaves what is equal alone, whatever the order of its members',
      entries: () => entriesOf(files(anApp('hello', { appId: 1, name: 'Hello' }))),
      proposal: files(anApp('hello', { name: 'Hello', appId: 1 })),
      want: [],
    },
    {
      it: 'says how the uuid stays when a Compose file takes the place of a document',
      entries: () => entriesOf(files(anApp('hello', { uuid: 'u' }))),
      proposal: files(ofCompose(anApp('hello', { uuid: 'hello' }))),
      want: refused(
        'App/hello',
        'uuid',
        'u',
        'hello',
        'Write x-supercargo: {uuid: "u"} in the Compose file, and it stays',
      ),
    },
    {
      it: 'says how the uuid stays when a document takes the place of a Compose file',
      entries: () => entriesOf(files(ofCompose(anApp('hello', { uuid: 'hello' })))),
      proposal: files(anApp('hello', { uuid: 'u' })),
      want: refused('App/hello', 'uuid', 'hello', 'u', 'Write uuid: "hello" under spec, and it stays'),
    },
    {
      it: 'changes a spec that differs',
      entries: () => entriesOf(files(aService('web', 'busybox:1'))),
      proposal: files(aService('web', 'busybox:2')),
      want: ['change Service/web (spec)'],
    },
    {
      it: 'changes only metadata for another label',
      entries: () => entriesOf(files(aService('web'))),
      proposal: files(aService('web', 'busybox:1', { labels: { tier: 'front' } })),
      want: ['change Service/web (metadata)'],
    },
    {
      it: 'changes only metadata for another line of the file',
      entries: () => entriesOf(files(aService('web', 'busybox:1', { file: 'a.yaml', line: 1 }))),
      proposal: files(aService('web', 'busybox:1', { file: 'a.yaml', line: 4 })),
      want: ['change Service/web (metadata)'],
    },
    {
      it: 'changes only metadata for another owner',
      entries: () => entriesOf(proposal('App/hello', [aService('web')])),
      proposal: proposal('App/hello', [aService('web')], { owner: 'App/hello' }),
      want: ['change Service/web (metadata)'],
    },
    {
      it: 'changes only metadata when it has no owner any more',
      entries: () => entriesOf(proposal('files', [aService('web')], { owner: 'App/hello' })),
      proposal: files(aService('web')),
      want: ['change Service/web (metadata)'],
    },
    {
      it: 'marks what is no longer declared',
      entries: () => entriesOf(files(anApp('hello'), aService('web'), anImage('web'))),
      proposal: files(),
      want: ['mark App/hello', 'mark Service/web', 'mark Image/web'],
    },
    {
      it: 'removes at once what has nothing to clean up',
      entries: () => entriesOf(files(aHostConfig('other', 'one'))),
      proposal: files(),
      want: ['remove HostConfig/other'],
    },
    {
      it: 'marks the HostConfigs that are acted upon: what they changed on trial goes back first',
      entries: () => entriesOf(files(aHostConfig('network', 'one'), aHostConfig('device', 'one'))),
      proposal: files(),
      want: ['mark HostConfig/network', 'mark HostConfig/device'],
    },
    {
      it: 'touches nothing of other origins',
      entries: () => entriesOf(proposal('local', [anApp('other')]), files(anApp('hello'))),
      proposal: files(),
      want: ['mark App/hello'],
    },
    { it: 'marks only once', entries: () => terminating(), proposal: files(), want: [] },

    // Names
    {
      it: 'refuses a name of another origin, naming both',
      entries: () => entriesOf(proposal('git/fleet', [aService('web')])),
      proposal: files(aService('web', 'busybox:2'), aService('db')),
      want: ['create Service/db', 'refuse: Service/web belongs to git/fleet; files cannot declare it as well.'],
    },
    {
      it: 'refuses the second of two with one name, naming both places',
      proposal: files(aService('web', 'a:1', { file: 'a.yaml', line: 3 }), aService('web', 'b:1', { file: 'b.yaml' })),
      want: [
        'create Service/web',
        'note Service/web: Service/web is declared twice: a.yaml:3 and b.yaml. The first one counts.',
        'refuse: Service/web is declared twice: a.yaml:3 and b.yaml. The first one counts.',
      ],
    },
    {
      it: 'refuses it where nobody knows the places, too',
      proposal: files(aService('web', 'a:1'), aService('web', 'b:1')),
      want: [
        'create Service/web',
        'note Service/web: Service/web is declared twice: without a file and without a file. The first one counts.',
        'refuse: Service/web is declared twice: without a file and without a file. The first one counts.',
      ],
    },
    {
      it: 'tells kinds with one name apart',
      proposal: files(anApp('web'), aService('web')),
      want: ['create App/web', 'create Service/web'],
    },

    // appIds
    {
      it: 'refuses an App whose appId another origin has, naming its holder and place',
      entries: () => entriesOf(proposal('local', [anApp('one', { appId: 7 }, { file: 'x.json' })])),
      proposal: files(anApp('two', { appId: 7 })),
      want: ['refuse: App/two: appId 7 belongs to App/one (x.json). Give this App another appId.'],
    },
    {
      it: 'refuses the newcomer, wherever it stands in the proposal',
      entries: () => entriesOf(files(anApp('old', { appId: 7 }))),
      proposal: files(anApp('new', { appId: 7 }), anApp('old', { appId: 7 })),
      want: ['refuse: App/new: appId 7 belongs to App/old. Give this App another appId.'],
    },
    {
      it: 'refuses the later of two newcomers',
      proposal: files(anApp('a', { appId: 7 }), anApp('b', { appId: 7 })),
      want: ['create App/a', 'refuse: App/b: appId 7 belongs to App/a. Give this App another appId.'],
    },
    {
      it: 'refuses an appId that was allotted to another App',
      entries: () => entriesOf(files(anApp('hello'))),
      proposal: files(anApp('hello'), anApp('thief', { appId: allottedId('hello') })),
      want: [`refuse: App/thief: appId ${allottedId('hello')} belongs to App/hello. Give this App another appId.`],
    },
    {
      it: 'keeps the last version of an App whose uuid changes, because its networks go by it',
      entries: () => entriesOf(files(anApp('a', { appId: 1 }))),
      proposal: files(anApp('a', { appId: 1, uuid: 'w' })),
      want: refused('App/a', 'uuid', '1', 'w'),
    },
    {
      it: 'keeps the last version of an App whose appId changes, with the problem: its containers go by it',
      entries: () => entriesOf(files(anApp('a', { appId: 1 }))),
      proposal: files(anApp('a', { appId: 2 })),
      want: refused('App/a', 'appId', '1', '2'),
    },
    {
      it: 'takes an appId that says what was allotted',
      entries: () => entriesOf(files(anApp('hello'))),
      proposal: files(anApp('hello', { appId: allottedId('hello') })),
      want: ['change App/hello (spec)'],
    },
    {
      it: 'lets an App come back with another appId when it has gone',
      entries: () => terminating(),
      proposal: files(anApp('hello', { appId: 2 })),
      want: ['after App/hello: App/hello'],
    },
    {
      it: 'refuses another serviceName for a Service',
      entries: () => entriesOf(files(aService('web'))),
      proposal: files(declare('Service', 'web', { app: 'hello', serviceName: 'other', image: 'busybox:1' })),
      want: refused('Service/web', 'serviceName', 'web', 'other'),
    },
    {
      it: 'refuses another App for a Service',
      entries: () => entriesOf(files(aService('web'))),
      proposal: files(declare('Service', 'web', { app: 'other', serviceName: 'web', image: 'busybox:1' })),
      want: refused('Service/web', 'app', 'hello', 'other'),
    },
    {
      it: 'refuses another name on the engine for a Network',
      entries: () => entriesOf(files(aNetwork('1_a'))),
      proposal: files(aNetwork('1_b')),
      want: refused('Network/net', 'networkName', '1_a', '1_b'),
    },
    {
      it: 'takes everything else of a Network',
      entries: () => entriesOf(files(aNetwork('1_a'))),
      proposal: files(aNetwork('1_a', { internal: true })),
      want: ['change Network/net (spec)'],
    },
    {
      it: 'refuses another name on the engine for a Volume',
      entries: () => entriesOf(files(aVolume('1_a'))),
      proposal: files(aVolume('1_b')),
      want: refused('Volume/vol', 'volumeName', '1_a', '1_b'),
    },
    {
      it: 'takes everything of a HostConfig',
      entries: () => entriesOf(files(aHostConfig('network', 'one'))),
      proposal: files(aHostConfig('network', 'two')),
      want: ['change HostConfig/network (spec)'],
    },
    {
      it: 'lets a renamed App wait until the old one is gone, since they share containers',
      entries: () => entriesOf(files(anApp('old', { appId: 7 }))),
      proposal: files(anApp('new', { appId: 7 })),
      want: ['mark App/old', 'after App/old: App/new'],
    },

    // Declared again while being deleted
    {
      it: 'keeps a declaration of what is being deleted for afterwards',
      entries: () => terminating(),
      proposal: files(anApp('hello', { appId: 1 })),
      want: ['after App/hello: App/hello'],
    },
    {
      it: 'does nothing when that is said again',
      entries: () => terminating(files(anApp('hello', { appId: 1 }))),
      proposal: files(anApp('hello', { appId: 1 })),
      want: [],
    },
    {
      it: 'keeps the latest such declaration',
      entries: () => terminating(files(anApp('hello', { appId: 1 }))),
      proposal: files(anApp('hello', { appId: 1, name: 'Again' })),
      want: ['after App/hello: App/hello'],
    },
    {
      it: 'keeps the latest one, and only that, while a problem covers its file',
      entries: () => terminating(files(anApp('hello', { appId: 1 }, { file: 'a.yaml' }))),
      proposal: proposal('files', [anApp('hello', { appId: 1, name: 'Again' }, { file: 'a.yaml' })], {
        problems: [{ message: 'half a document', source: { file: 'a.yaml' } }],
      }),
      want: ['after App/hello: App/hello'],
    },
    {
      it: 'keeps the latest one, and only that, of documents that are put',
      entries: () => terminating(files(anApp('hello', { appId: 1 }))),
      mode: 'upsert',
      proposal: files(anApp('hello', { appId: 1, name: 'Again' })),
      want: ['after App/hello: App/hello'],
    },
    {
      it: 'keeps it for the one of that name among several that are being deleted',
      entries: () => entriesOf(files(anApp('a', { appId: 1 }), anApp('b', { appId: 2 })), files()),
      proposal: files(anApp('b', { appId: 2 })),
      want: ['after App/b: App/b'],
    },
    {
      it: 'drops it when it is declared no more',
      entries: () => terminating(files(anApp('hello', { appId: 1 }))),
      proposal: files(),
      want: ['after App/hello: nothing'],
    },
    {
      it: 'frees its names for others at once',
      entries: () => terminating(files(anApp('hello', { appId: 2 }))),
      proposal: files(anApp('other', { appId: 2 })),
      want: ['create App/other', 'after App/hello: nothing'],
    },
    {
      it: 'keeps it while a problem covers its file',
      entries: () => terminating(files(anApp('hello', { appId: 1 }, { file: 'a.yaml' }))),
      proposal: proposal('files', [], { problems: [{ message: 'broken', source: { file: 'a.yaml' } }] }),
      want: [],
    },
    {
      it: 'waits for no container that is on its way out: its name is free in a moment',
      entries: () => entriesOf(files(withRelease('old')), files()),
      proposal: files(withRelease('new')),
      want: ['create Service/new.web'],
    },
    {
      it: 'promises a name that is being given up to one origin only',
      entries: () => terminating(proposal('local', [anApp('hello', { appId: 1 })])),
      proposal: files(anApp('hello', { appId: 1 })),
      want: [
        'note App/hello: App/hello belongs to local; files cannot declare it as well.',
        'refuse: App/hello belongs to local; files cannot declare it as well.',
      ],
    },
    {
      it: 'lets another origin have a name that is being given up',
      entries: () => terminating(),
      proposal: proposal('local', [anApp('hello', { appId: 1 })]),
      want: ['after App/hello: App/hello'],
    },

    {
      it: 'keeps the appId of what goes on waiting from others of its origin',
      entries: () =>
        entriesOf(
          proposal('api', [anApp('a', { appId: 1 })]),
          proposal('api', []),
          proposal('api', [anApp('a', { appId: 2 })]),
        ),
      mode: 'upsert',
      proposal: proposal('api', [anApp('b', { appId: 2 })]),
      want: ['refuse: App/b: appId 2 belongs to App/a. Give this App another appId.'],
    },

    // Problems
    {
      it: 'keeps a document that a problem names, and notes the problem on it',
      entries: () => entriesOf(files(anApp('hello'), anApp('other'))),
      proposal: proposal('files', [], { problems: [{ message: 'bad port', kind: 'App', name: 'hello' }] }),
      want: ['mark App/other', 'note App/hello: bad port'],
    },
    {
      it: 'keeps every document last read from a file that a problem names',
      entries: () =>
        entriesOf(
          files(
            aService('a', 'x', { file: 'a.yaml' }),
            aService('b', 'x', { file: 'a.yaml' }),
            aService('c', 'x', { file: 'c.yaml' }),
          ),
        ),
      proposal: proposal('files', [], { problems: [{ message: 'not YAML', source: { file: 'a.yaml', line: 2 } }] }),
      want: ['mark Service/c', 'note Service/a: not YAML', 'note Service/b: not YAML'],
    },
    {
      it: 'keeps every document last read from below a folder that a problem names',
      entries: () =>
        entriesOf(files(aService('a', 'x', { file: 'm/usb/a/a.yaml' }), aService('b', 'x', { file: 'm/usb.yaml' }))),
      proposal: proposal('files', [], { problems: [{ message: 'leads nowhere', source: { file: 'm/usb' } }] }),
      want: ['mark Service/b', 'note Service/a: leads nowhere'],
    },
    {
      it: 'does not note the problem of a file on a document that was read from it all the same',
      entries: () => entriesOf(files(aService('a', 'x', { file: 'a.yaml' }), aService('b', 'x', { file: 'a.yaml' }))),
      proposal: proposal('files', [aService('a', 'x', { file: 'a.yaml' })], {
        problems: [{ message: 'half a document', source: { file: 'a.yaml' } }],
      }),
      want: ['note Service/b: half a document'],
    },
    {
      it: 'covers one document, not its file, when the problem names both',
      entries: () => entriesOf(files(aService('a', 'x', { file: 'a.yaml' }), aService('b', 'x', { file: 'a.yaml' }))),
      proposal: proposal('files', [], {
        problems: [{ message: 'bad', kind: 'Service', name: 'a', source: { file: 'a.yaml' } }],
      }),
      want: ['mark Service/b', 'note Service/a: bad'],
    },
    {
      it: 'keeps what is below a folder given by its whole path, and nothing that only begins like it',
      entries: () =>
        entriesOf(files(aService('a', 'x', { file: '/m/usb/a.yaml' }), aService('b', 'x', { file: '/m/usb.yaml' }))),
      proposal: proposal('files', [], { problems: [{ message: 'leads nowhere', source: { file: '/m/usb' } }] }),
      want: ['mark Service/b', 'note Service/a: leads nowhere'],
    },
    {
      it: 'keeps everything that was read from files when the problem is the root of them',
      entries: () => entriesOf(files(aService('a', 'x', { file: '/a.yaml' }), aService('b'))),
      proposal: proposal('files', [], { problems: [{ message: 'leads nowhere', source: { file: '/' } }] }),
      want: ['mark Service/b', 'note Service/a: leads nowhere'],
    },
    {
      it: 'keeps every document of the file when the problem names a kind without a name',
      entries: () => entriesOf(files(aService('a', 'x', { file: 'a.yaml' }), aService('b', 'x', { file: 'b.yaml' }))),
      proposal: proposal('files', [], {
        problems: [{ message: 'a Service without a name', kind: 'Service', source: { file: 'a.yaml' } }],
      }),
      want: ['mark Service/b', 'note Service/a: a Service without a name'],
    },
    {
      it: 'keeps every document of the file when the problem names a name without a kind',
      entries: () => entriesOf(files(aService('a', 'x', { file: 'a.yaml' }), aService('b', 'x', { file: 'b.yaml' }))),
      proposal: proposal('files', [], {
        problems: [{ message: 'no kind', name: 'c', source: { file: 'a.yaml' } }],
      }),
      want: ['mark Service/b', 'note Service/a: no kind'],
    },
    {
      it: 'tells kinds with one name apart in a problem',
      entries: () => entriesOf(files(anApp('web'), aService('web'))),
      proposal: proposal('files', [], { problems: [{ message: 'bad', kind: 'App', name: 'web' }] }),
      want: ['mark Service/web', 'note App/web: bad'],
    },
    {
      it: 'does not note the problem of a file on a new document that was read from it all the same',
      proposal: proposal('files', [aService('a', 'x', { file: 'a.yaml' })], {
        problems: [{ message: 'half a document', source: { file: 'a.yaml' } }],
      }),
      want: ['create Service/a'],
    },
    {
      it: 'does not note a problem on a new document that names nothing at all',
      proposal: proposal('files', [aService('a')], { problems: [{ message: 'the folder went away' }] }),
      want: ['create Service/a'],
    },
    {
      it: 'notes a problem once',
      entries: () => entriesOf(proposal('files', [anApp('hello')], { problems: [BAD_APP] })),
      proposal: proposal('files', [anApp('hello')], { problems: [BAD_APP] }),
      want: [],
    },
    {
      it: 'deletes nothing at all when a problem names neither document nor file',
      entries: () => entriesOf(files(aService('a'), aService('b'))),
      proposal: proposal('files', [], { problems: [{ message: 'the folder went away' }] }),
      want: ['note Service/a: the folder went away', 'note Service/b: the folder went away'],
    },
    {
      it: 'takes the note off after a clean proposal',
      entries: () =>
        entriesOf(
          files(anApp('hello')),
          proposal('files', [], { problems: [{ message: 'bad', kind: 'App', name: 'hello' }] }),
        ),
      proposal: files(anApp('hello')),
      want: ['note App/hello: no problem'],
    },
    {
      it: 'takes a declared document although a problem names it, and notes it',
      proposal: proposal('files', [anApp('hello')], {
        problems: [{ message: 'a field was ignored', kind: 'App', name: 'hello' }],
      }),
      want: ['create App/hello', 'note App/hello: a field was ignored'],
    },
    {
      it: 'lets a problem cover nothing of another origin',
      entries: () => entriesOf(proposal('local', [anApp('hello')])),
      proposal: proposal('files', [], { problems: [{ message: 'bad', kind: 'App', name: 'hello' }] }),
      want: [],
    },

    // One document
    {
      it: 'says nothing of other documents when one is put',
      entries: () => entriesOf(proposal('api', [aService('a'), aService('b')])),
      mode: 'upsert',
      proposal: proposal('api', [aService('b', 'busybox:2')]),
      want: ['change Service/b (spec)'],
    },
    {
      it: 'takes the note off a document that is put and accepted',
      entries: () => entriesOf(proposal('api', [anApp('hello'), anApp('other')], { problems: [BAD_APP] })),
      mode: 'upsert',
      proposal: proposal('api', [anApp('hello')]),
      want: ['note App/hello: no problem'],
    },
    {
      it: 'leaves the notes of other documents alone when one is put',
      entries: () => entriesOf(proposal('api', [anApp('hello'), anApp('other')], { problems: [BAD_APP] })),
      mode: 'upsert',
      proposal: proposal('api', [anApp('other')]),
      want: [],
    },
    {
      it: 'keeps the owner of a document that is put',
      entries: () => entriesOf(proposal('api', [aService('a')], { owner: 'App/hello' })),
      mode: 'upsert',
      proposal: proposal('api', [aService('a')]),
      want: [],
    },
    {
      it: 'leaves the note alone when a put is refused',
      entries: () => entriesOf(proposal('api', [anApp('a', { appId: 1 }), anApp('b', { appId: 2 })])),
      mode: 'upsert',
      proposal: proposal('api', [anApp('b', { appId: 1 })]),
      want: refused('App/b', 'appId', '2', '1').slice(1),
    },
    {
      it: 'keeps what else waits when one is put',
      entries: () => terminating(files(anApp('hello', { appId: 1 }))),
      mode: 'upsert',
      proposal: files(aService('web')),
      want: ['create Service/web'],
    },
  ];
  for (const { it: does, entries = () => entriesOf(), proposal, mode, want } of cases) {
    it(does, () => {
      assert.deepEqual(decisionTexts(planProposal(entries(), proposal, mode)), want);
    });
  }

  it('says where a refused declaration stands', () => {
    const twice = files(
      aService('web', 'a:1', { file: 'a.yaml' }),
      aService('web', 'b:1', { file: 'b.yaml', line: 7 }),
    );
    const nowhere = files(aService('web', 'a:1'), aService('web', 'b:1'));
    const where = (proposal: Proposal) =>
      planProposal(entriesOf(), proposal).refused.map(({ kind, name, source }) => ({ kind, name, source }));
    assert.deepEqual(where(twice), [{ kind: 'Service', name: 'web', source: { file: 'b.yaml', line: 7 } }]);
    assert.deepEqual(where(nowhere), [{ kind: 'Service', name: 'web', source: undefined }]);
  });
});
