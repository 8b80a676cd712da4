import assert from 'node:assert/strict';
import { type AnyDeclared, API_VERSION, keyOf } from '../../../crds/model/kinds.js';
import { latestFirst } from '../../../crds/model/revisions.js';
import type { AppSpec } from '../../../crds/model/types.js';
import { Device } from '../../simulation/device.js';

const spec = (commit: string, image: string, more: AppSpec = {}): AppSpec => ({
  appId: 1,
  release: { commit, id: 1 },
  services: { web: { image, imageId: 7, environment: { SECRET: 'hush' } } },
  ...more,
});

describe('the Revisions of an App', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    for (const n of ['1', '2', '3']) device.engine.images.serve(`web:${n}`, { content: n });
    await device.boot();
  });
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const declare = (of: AppSpec | undefined) => {
    const documents: AnyDeclared[] = of
      ? [{ apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec: of }]
      : [];
    return agent().propose(documents);
  };
  const bring = async (of: AppSpec | undefined) => {
    await declare(of);
    await agent().settle();
  };
  const revisions = () => latestFirst(agent().store.list('Revision'));
  const outcomes = () =>
    revisions().map(({ spec: { number, release }, status }) => `${number} ${release?.commit} ${status?.phase}`);
  const isLocal = (image: string) => device.engine.images.seen(image) !== undefined;
  /** Without letting the minimum time pass. */
  const look = async () => {
    for (let turn = 0; turn < 8; turn += 1) {
      await agent().quiet();
      device.clock.advance(50);
    }
    await agent().quiet();
  };

  /** Lets so many seconds pass, one by one, whatever is settled. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      await agent().quiet();
      device.clock.advance(1_000);
    }
    await agent().quiet();
  };

  it('name who sent the document to the API, and another one only with another document', async () => {
    const { store } = agent();
    const send = async (commit: string, declaredBy: string) => {
      await store.propose({
        origin: 'local',
        documents: [
          {
            document: {
              apiVersion: API_VERSION,
              kind: 'App',
              metadata: { name: 'hello' },
              spec: spec(commit, 'web:1'),
            },
            declaredBy,
          },
        ],
      });
      await agent().settle();
      return revisions().map(({ spec: { from } }) => from);
    };
    const ada = { origin: 'local', by: 'ada' };
    assert.deepEqual(await send('a', 'ada'), [ada]);
    assert.deepEqual(await send('a', 'bob'), [ada]);
    assert.deepEqual(await send('b', 'bob'), [{ origin: 'local', by: 'bob' }, ada]);
  });

  it('say what was promoted, whole, from where, and that it is good', async () => {
    await bring(spec('a', 'web:1'));
    const [revision] = revisions();
    assert.ok(revision);
    const { from, images, documents, release, number } = revision.spec;
    assert.deepEqual(
      { from, release, number },
      { from: { origin: 'files' }, release: { commit: 'a', id: 1 }, number: 1 },
    );
    assert.deepEqual(
      documents.map(({ kind, name }) => `${kind}/${name}`),
      ['Network/hello.default', 'Service/hello.web'],
    );
    assert.match(images?.['web:1']?.id ?? '', /^sha256:/);
    const { phase, reason, attempt, goodSince } = revision.status ?? {};
    assert.deepEqual({ phase, reason, attempt }, { phase: 'Good', reason: 'Verified', attempt: 1 });
    assert.ok(goodSince);
    assert.equal(revision.status?.images?.web, images?.['web:1']?.id);
  });

  it('are there before the first child is: in the same commit', async () => {
    const seen: string[] = [];
    agent().store.watch(({ type, key }) => type === 'ADDED' && seen.push(key.split('/')[0] ?? ''));
    await bring(spec('a', 'web:1'));
    assert.ok(seen.indexOf('Revision') < seen.indexOf('Service'), seen.join());
    assert.equal(seen.filter((kind) => kind === 'Revision').length, 1);
  });

  it('of the same content are one, which gets the next number when it is promoted again', async () => {
    await bring(spec('a', 'web:1'));
    const [first] = revisions();
    await bring(spec('b', 'web:2'));
    assert.deepEqual(outcomes(), ['2 b Good', '1 a Superseded']);
    await bring(spec('a', 'web:1'));
    assert.deepEqual(outcomes(), ['3 a Good', '2 b Superseded']);
    assert.equal(revisions()[0]?.metadata.uid, first?.metadata.uid);
  });

  it('are replaced before they are known when the next one comes at once', async () => {
    await bring(spec('a', 'web:1'));
    await declare(spec('b', 'web:2'));
    await look();
    assert.deepEqual(outcomes(), ['2 b Candidate', '1 a Good']);
    await bring(spec('c', 'web:3'));
    assert.deepEqual(outcomes(), ['3 c Good', '2 b Superseded', '1 a Superseded']);
  });

  it('are no more than the App keeps', async () => {
    for (const commit of ['a', 'b', 'c', 'd', 'e']) await bring(spec(commit, 'web:1', { revisionHistoryLimit: 2 }));
    assert.deepEqual(outcomes(), ['5 e Good', '4 d Superseded', '3 c Superseded']);
  });

  it('keep the images of the last good one until the next one is good', async () => {
    await bring(spec('a', 'web:1'));
    await declare(spec('b', 'web:2'));
    await look();
    assert.deepEqual([isLocal('web:1'), isLocal('web:2')], [true, true]);
    await agent().settle();
    assert.deepEqual([isLocal('web:1'), isLocal('web:2')], [false, true]);
  });

  it('are bad when a container is restarted too often, and say why without secrets', async () => {
    await bring(spec('a', 'web:1'));
    await declare(spec('b', 'web:2'));
    await look();
    for (let times = 0; times < 4; times += 1) {
      const [container] = device.engine.docker.containers;
      device.engine.docker.exit(container?.id ?? '', 1);
      device.engine.docker.restartNow(container?.id ?? '');
      await look();
    }
    await agent().settle();
    assert.deepEqual(outcomes(), ['3 a Good', '2 b Bad']);
    const { reason, message = '', goodSince } = revisions()[1]?.status ?? {};
    assert.deepEqual([reason, goodSince], ['CrashLoop', undefined]);
    assert.match(message, /^web was restarted \d+ times, more than 3 times/);
    assert.ok(!JSON.stringify([revisions().map(({ status }) => status), agent().store.events()]).includes('hush'));
  });

  it('are good only when the engine says so, too: it may have ended a run that nobody was told of', async () => {
    await bring(spec('a', 'web:1'));
    await declare(spec('b', 'web:2', { rollout: { maxRestarts: 0 } }));
    await look();
    device.engine.docker.events.drops = () => true;
    const [container] = device.engine.docker.containers;
    device.engine.docker.exit(container?.id ?? '', 1);
    device.engine.docker.restartNow(container?.id ?? '');
    await pass(15);
    assert.deepEqual(outcomes().slice(1), ['2 b Bad']);
    assert.equal(revisions()[1]?.status?.reason, 'CrashLoop');
  });

  it('are not good while the engine does not answer whether their containers run', async () => {
    await bring(spec('a', 'web:1'));
    await declare(spec('b', 'web:2'));
    await look();
    const { id = '' } = device.engine.docker.containers[0] ?? {};
    device.engine.before = (verb, [asked]) => {
      if (verb === 'inspectContainer' && asked === id) throw new Error('the engine has a bad day');
    };
    await pass(30);
    assert.deepEqual(outcomes(), ['2 b Candidate', '1 a Good']);
    device.engine.before = undefined;
    await pass(25);
    assert.deepEqual(outcomes(), ['2 b Good', '1 a Superseded']);
  });

  it('ask the engine once before they are good, about what began to run not long ago', async () => {
    await bring({ ...spec('a', 'web:1'), services: { web: { image: 'web:1' }, old: { image: 'web:1' } } });
    device.clock.advance(60 * 60_000);
    await declare({ ...spec('b', 'web:1'), services: { web: { image: 'web:2' }, old: { image: 'web:1' } } });
    await look();
    const asked: unknown[] = [];
    device.engine.before = (verb, [id]) => {
      if (verb === 'inspectContainer') asked.push(id);
    };
    await pass(15);
    assert.equal(revisions()[0]?.status?.phase, 'Good');
    const web = device.engine.docker.containers.find(({ name }) => name.startsWith('web_'));
    assert.deepEqual(asked, [web?.id]);
  });

  it('are known although the images of the next one do not come', async () => {
    await declare(spec('a', 'web:1'));
    await look();
    await declare(spec('b', 'nowhere:1'));
    await pass(15);
    assert.deepEqual(outcomes(), ['1 a Good']);
  });

  it('are good when a volume is not recreated, so that no data is lost, and every service is well', async () => {
    await bring(spec('a', 'web:1', { volumes: { data: {} } }));
    await declare(spec('b', 'web:1', { volumes: { data: { driver_opts: { type: 'tmpfs' } } } }));
    await pass(15);
    assert.deepEqual(outcomes(), ['2 b Good', '1 a Superseded']);
  });

  it('that are promoted again keep the images of the one before until they are good', async () => {
    await bring(spec('a', 'web:1'));
    await bring(spec('b', 'web:2'));
    await bring(spec('c', 'web:3'));
    await declare(spec('a', 'web:1'));
    await look();
    assert.deepEqual(outcomes().slice(0, 2), ['4 a Candidate', '3 c Good']);
    assert.deepEqual([isLocal('web:1'), isLocal('web:3')], [true, true]);
    await agent().settle();
    assert.equal(isLocal('web:3'), false);
  });

  it('go with their App', async () => {
    await bring(spec('a', 'web:1'));
    await bring(undefined);
    assert.deepEqual(
      agent()
        .documents()
        .map(({ kind }) => kind)
        .filter((kind) => kind !== 'Network'),
      [],
    );
  });

  /** Has the next agent find what runs without Revisions of it, as an earlier version leaves it. */
  const forget = async () => {
    const { store } = agent();
    const children = ['Image', 'Network', 'Service'].flatMap((kind) =>
      store.list(kind as 'Service').filter(({ metadata }) => metadata.owner !== undefined),
    );
    await store.propose({
      origin: 'App/hello',
      owner: 'App/hello',
      documents: children.map(({ apiVersion, kind, metadata, spec: output }) => ({
        document: { apiVersion, kind, metadata: { name: metadata.name }, spec: output },
      })),
    });
    assert.deepEqual(revisions(), []);
  };

  it('are written for what an earlier version promoted, which counts as good at once', async () => {
    await bring(spec('a', 'web:1'));
    await forget();
    const before = device.clock.now();
    await device.halt();
    await device.boot();
    await agent().settle();
    assert.deepEqual(outcomes(), ['1 a Good']);
    assert.equal(revisions()[0]?.spec.from.adopted, true);
    assert.ok(device.clock.now() - before < 10_000);
  });

  it('have to prove themselves like others when what an earlier version promoted is gone back to', async () => {
    await bring(spec('a', 'web:1'));
    await forget();
    await device.halt();
    await device.boot();
    await agent().settle();
    await bring(spec('b', 'web:2'));
    await agent().store.request(keyOf('App', 'hello'), { rollback: {} });
    await look();
    assert.deepEqual(outcomes(), ['3 a Candidate', '2 b Good']);
    assert.equal(revisions()[0]?.spec.from.adopted, undefined);
    await agent().settle();
    assert.deepEqual(outcomes(), ['3 a Good', '2 b Superseded']);
  });

  it('are looked at on by the next agent, which does not begin the time again', async () => {
    await declare(spec('a', 'web:1'));
    await look();
    device.clock.advance(6_000);
    await agent().quiet();
    await agent().flush();
    await device.halt();
    await device.boot();
    const from = device.clock.now();
    await agent().settle();
    assert.deepEqual(outcomes(), ['1 a Good']);
    assert.ok(device.clock.now() - from <= 5_000, `${device.clock.now() - from} ms`);
  });

  it('are at rest once they are known: a second look writes nothing', async () => {
    await bring(spec('a', 'web:1'));
    const { resourceVersion } = agent().store;
    for (const loop of agent().loops) loop.resync();
    await agent().settle();
    assert.equal(agent().store.resourceVersion, resourceVersion);
  });
});
