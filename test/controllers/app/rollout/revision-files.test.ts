import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conditionOf } from '../../../../crds/model/conditions.js';
import { latestFirst } from '../../../../crds/model/revisions.js';
import { declareApp } from '../../../setup/declared.js';
import { Device } from '../../../simulation/device.js';

const release = (commit: string, image: string) =>
  declareApp({ web: { image, environment: { V: 'good' } } }, { release: { commit, id: 1 } });
const GOOD = release('a', 'web:1');
const BAD = release('b', 'web:2');

describe('the file of a revision', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    for (const name of ['web:1', 'web:2', 'web:3']) device.engine.images.serve(name, { content: name });
    device.engine.after = (verb, [id]) => {
      const container = device.engine.docker.containers.find((one) => one.id === id);
      if (verb === 'startContainer' && container?.image === device.engine.images.seen('web:2')?.id)
        device.engine.docker.setHealth(String(id), 'unhealthy');
    };
    await device.boot();
    await bring(GOOD);
  });
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const bring = async (document: ReturnType<typeof release>) => {
    await agent().propose([document]);
    await agent().settle();
  };
  const reason = () => {
    const app = agent().store.get('App', 'hello');
    return app && conditionOf(app, 'Ready')?.reason;
  };
  const outcomes = () =>
    latestFirst(agent().store.list('Revision')).map(({ spec, status }) => `${spec.release?.commit} ${status?.phase}`);
  const file = () => {
    const folder = join(device.folder, 'documents/revisions');
    const [name = ''] = readdirSync(folder);
    return join(folder, name);
  };
  const damages: readonly (readonly [string, () => void])[] = [
    ['edited', () => writeFileSync(file(), readFileSync(file(), 'utf8').replaceAll('good', 'evil'))],
    ['removed', () => rmSync(file())],
    ['torn', () => writeFileSync(file(), readFileSync(file(), 'utf8').slice(0, 200))],
    ['emptied', () => writeFileSync(file(), '')],
  ];
  const restart = async () => {
    await agent().flush();
    await device.halt();
    await device.boot();
    await agent().settle();
  };
  /** The bad release is gone back from, to what ran before, as it was. */
  const goesBack = () => {
    assert.deepEqual(
      device.engine.docker.containers.map(({ name, options }) => [
        name,
        options.Env?.find((one) => one.startsWith('V=')),
      ]),
      [['web_7_1_a', 'V=good']],
    );
    assert.deepEqual([reason(), outcomes()], ['RolledBack', ['a Good', 'b Bad']]);
  };

  for (const [what, damage] of damages) {
    it(`that is ${what} while the agent runs costs nothing`, async () => {
      damage();
      await bring(BAD);
      goesBack();
      await restart();
      goesBack();
    });

    it(`that is ${what} before a start is written again from what runs`, async () => {
      const before = device.engine.docker.containers.map(({ id }) => id);
      damage();
      await restart();
      assert.deepEqual([reason(), outcomes()], ['Settled', ['a Good']]);
      assert.deepEqual(
        device.engine.docker.containers.map(({ id }) => id),
        before,
      );
      await bring(BAD);
      goesBack();
    });
  }

  it('that is edited is told of', async () => {
    damages[0]?.[1]();
    await restart();
    const reported = agent()
      .store.events()
      .filter((one) => one.reason === 'FileUnusable')
      .map(({ message }) => message);
    assert.match(
      reported.join(),
      /^Revision hello\.\w+ was edited: it is not what its name is made of, and counts as removed$/,
    );
  });
});
