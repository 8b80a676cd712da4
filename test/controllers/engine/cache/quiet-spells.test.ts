import assert from 'node:assert/strict';
import { QuietSpells } from '../../../../controllers/engine/cache/quiet-spells.js';

/** Runs an action on a container, with `meanwhile` in the middle; returns whom nobody had answered at its end. */
async function during(
  spells: QuietSpells,
  idOrName: string,
  meanwhile: () => void | Promise<void>,
): Promise<readonly string[]> {
  const unanswered: string[] = [];
  await spells.during(
    idOrName,
    async () => meanwhile(),
    (id) => unanswered.push(id),
  );
  return unanswered;
}

describe('while somebody acts on a container', () => {
  it('events about it are held back, and come out at the end', async () => {
    const spells = new QuietSpells();
    const left = await during(spells, 'c1', () => assert.equal(spells.hold('c1', 'web'), true));
    assert.deepEqual(left, ['c1']);
  });

  it('it counts by its name as well: a container that is being made has no id yet', async () => {
    const spells = new QuietSpells();
    const left = await during(spells, 'web', () => {
      assert.equal(spells.hold('c1', 'web'), true);
      assert.equal(spells.hold('c1', undefined), true, 'the name of an id is remembered');
    });
    assert.deepEqual(left, ['c1']);
  });

  it('events about others are not held back', async () => {
    const spells = new QuietSpells();
    await during(spells, 'c1', () => assert.equal(spells.hold('c2', 'db'), false));
    assert.equal(spells.hold('c1', 'web'), false, 'nor its own after the end');
  });

  it('an inspection answers what was held before it, not what comes after', async () => {
    const spells = new QuietSpells();
    const answered = await during(spells, 'c1', () => {
      spells.hold('c1', 'web');
      spells.answer('c1');
    });
    assert.deepEqual(answered, []);
    const later = await during(spells, 'c1', () => {
      spells.hold('c1', 'web');
      spells.answer('c1');
      spells.hold('c1', 'web');
    });
    assert.deepEqual(later, ['c1']);
  });

  it('several actions on it end with the last of them', async () => {
    const spells = new QuietSpells();
    const outer = await during(spells, 'c1', async () => {
      const inner = await during(spells, 'c1', () => void spells.hold('c1', 'web'));
      assert.deepEqual(inner, []);
      assert.equal(spells.hold('c1', 'web'), true);
    });
    assert.deepEqual(outer, ['c1']);
  });

  it('what is acted on by name and by id is held until both have ended', async () => {
    const spells = new QuietSpells();
    const outer = await during(spells, 'c1', async () => {
      const inner = await during(spells, 'web', () => void spells.hold('c1', 'web'));
      assert.deepEqual(inner, []);
    });
    assert.deepEqual(outer, ['c1']);
  });

  it('a name that is no longer acted on holds nothing back', async () => {
    const spells = new QuietSpells();
    await during(spells, 'web', () => void spells.hold('c1', 'web'));
    await during(spells, 'web', () =>
      assert.equal(spells.hold('c1', undefined), false, 'the id may have another name'),
    );
  });

  it('what was held comes out even when the action fails', async () => {
    const spells = new QuietSpells();
    const unanswered: string[] = [];
    const failing = spells.during(
      'c1',
      async () => {
        spells.hold('c1', 'web');
        throw new Error('refused');
      },
      (id) => unanswered.push(id),
    );
    await assert.rejects(failing, /refused/);
    assert.deepEqual(unanswered, ['c1']);
  });
});
