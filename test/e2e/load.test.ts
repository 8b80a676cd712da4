import assert from 'node:assert/strict';
import { mixedLoad } from '../setup/mixed-load.js';
import { Scene } from '../setup/scene.js';

const COUNT = 20;
const CLIENTS = 200;
const SECONDS = 4;

/** A short form of the benchmark's mixed load: what may go wrong, not how fast it is. */
describe('two hundred clients while an app of twenty services rolls out', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.open();
  });
  after(() => scene?.close());

  it('get documented answers only, and the release arrives', async () => {
    const name = `${scene.prefix}-load`;
    const appId = scene.appId();
    const names = Array.from({ length: COUNT }, (_, index) => `s${index + 1}`);
    const spec = (word: string) => ({
      appId,
      services: Object.fromEntries(names.map((one) => [one, scene.service({ environment: { WORD: word } })])),
    });
    await scene.put(name, spec('first'));
    await scene.untilReady(name, { withinMs: 90_000 });
    const load = mixedLoad(scene.agent.port, CLIENTS, SECONDS, appId);
    await scene.put(name, spec('second'));
    const { errors, requests } = await load;
    assert.deepEqual(errors, []);
    assert.ok(requests > CLIENTS, `${requests} requests`);
    // What the clients stopped last stays stopped; a start brings it back.
    const { status, text } = await scene.agent.ask(`/apis/supercargo.io/v1/apps/${name}/requests`, {
      method: 'POST',
      body: { name: 'start' },
    });
    assert.equal(status, 202, text);
    await scene.untilReady(name, { withinMs: 90_000 });
    const running = await scene.untilRunning(appId, names);
    assert.ok(running.every(({ env }) => env.includes('WORD=second')));
  });
});
