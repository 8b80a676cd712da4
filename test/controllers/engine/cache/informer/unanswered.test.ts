import assert from 'node:assert/strict';
import { EngineError } from '../../../../../controllers/engine/engine.js';
import { aContainer, never } from '../../scripted-engine.js';
import { aCache, COALESCE_MS, changeContainer } from './a-cache.js';

describe('The cache of the engine, when nobody tells it of a container', () => {
  const about = ['container/c1'];
  const failing = async (error: Error) => {
    const bench = await aCache((engine) => engine.containers.set('c1', aContainer()));
    bench.engine.fault = (request) => (request === 'inspectContainer c1' ? error : undefined);
    changeContainer(bench.engine, 'die', { state: 'exited' });
    await bench.pass(COALESCE_MS + 5);
    return bench;
  };

  it('says so of a container whose inspection fails again and again, and since when', async () => {
    const { cache, engine, pass, takeChanges } = await failing(new EngineError('runtime is stuck', 500));
    assert.equal(cache.unanswered(about), undefined, 'once is a hiccup');
    await pass(3_000);
    const words =
      'The Docker engine cannot be asked about container web_1_1_local since 2026-01-02T03:04:06Z: runtime is stuck';
    assert.deepEqual([cache.unanswered(about), cache.unanswered()], [words, words]);
    assert.equal(cache.unanswered(['container/c2']), undefined);
    assert.deepEqual(takeChanges(), ['container c1']);
    engine.fault = () => undefined;
    await pass(4_000);
    assert.deepEqual([cache.unanswered(about), cache.unanswered()], [undefined, undefined]);
    assert.deepEqual(takeChanges(), ['container c1', 'container c1'], 'what it is, and that it can be believed');
  });

  it('says so at once of one that is not answered in time', async () => {
    const { cache } = await failing(new DOMException('Docker did not answer within 25 s', 'TimeoutError'));
    assert.match(cache.unanswered(about) ?? '', /did not answer within 25 s$/);
  });

  it('no longer says so when a list has answered', async () => {
    const { cache, engine, pass, takeChanges } = await failing(new EngineError('runtime is stuck', 500));
    await pass(3_000);
    engine.fault = () => undefined;
    takeChanges();
    await cache.relist();
    assert.equal(cache.unanswered(about), undefined);
    assert.equal(takeChanges().at(-1), 'container c1');
  });

  it('no longer says so when somebody else has looked', async () => {
    const { cache, engine, pass } = await failing(new EngineError('runtime is stuck', 500));
    await pass(3_000);
    engine.fault = () => undefined;
    await cache.refreshContainer('c1', never);
    assert.equal(cache.unanswered(about), undefined);
  });
});
