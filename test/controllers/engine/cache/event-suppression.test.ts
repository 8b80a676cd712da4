import assert from 'node:assert/strict';
import { EventSuppression } from '../../../../controllers/engine/cache/event-suppression.js';

/** Runs an action on a container, with `meanwhile` in the middle; returns whom nobody had answered at its end. */
async function during(
  suppression: EventSuppression,
  idOrName: string,
  meanwhile: () => void | Promise<void>,
): Promise<readonly string[]> {
  const unanswered: string[] = [];
  await suppression.during(
    idOrName,
    async () => meanwhile(),
    (id) => unanswered.push(id),
  );
  return unanswered;
}

describe('while somebody acts on a container', () => {
  it('events about it are held back, and come out at the end', async () => {
    const suppression = new EventSuppression();
    const left = await during(suppression, 'c1', () => assert.equal(suppression.hold('c1', 'web'), true));
    assert.deepEqual(left, ['c1']);
  });

  it('it counts by its name as well: a container that is being made has no id yet', async () => {
    const suppression = new EventSuppression();
    const left = await during(suppression, 'web', () => {
      assert.equal(suppression.hold('c1', 'web'), true);
      assert.equal(suppression.hold('c1', undefined), true, 'the name of an id is remembered');
    });
    assert.deepEqual(left, ['c1']);
  });

  it('events about others are not held back', async () => {
    const suppression = new EventSuppression();
    await during(suppression, 'c1', () => assert.equal(suppression.hold('c2', 'db'), false));
    assert.equal(suppression.hold('c1', 'web'), false, 'nor its own after the end');
  });

  it('an inspection answers what was held before it, not what comes after', async () => {
    const suppression = new EventSuppression();
    const answered = await during(suppression, 'c1', () => {
      suppression.hold('c1', 'web');
      suppression.answer('c1');
    });
    assert.deepEqual(answered, []);
    const later = await during(suppression, 'c1', () => {
      suppression.hold('c1', 'web');
      suppression.answer('c1');
      suppression.hold('c1', 'web');
    });
    assert.deepEqual(later, ['c1']);
  });

  it('several actions on it end with the last of them', async () => {
    const suppression = new EventSuppression();
    const outer = await during(suppression, 'c1', async () => {
      const inner = await during(suppression, 'c1', () => void suppression.hold('c1', 'web'));
      assert.deepEqual(inner, []);
      assert.equal(suppression.hold('c1', 'web'), true);
    });
    assert.deepEqual(outer, ['c1']);
  });

  it('what is acted on by name and by id is held until both have ended', async () => {
    const suppression = new EventSuppression();
    const outer = await during(suppression, 'c1', async () => {
      const inner = await during(suppression, 'web', () => void suppression.hold('c1', 'web'));
      assert.deepEqual(inner, []);
    });
    assert.deepEqual(outer, ['c1']);
  });

  it('a name that is no longer acted on holds nothing back', async () => {
    const suppression = new EventSuppression();
    await during(suppression, 'web', () => void suppression.hold('c1', 'web'));
    await during(suppression, 'web', () =>
      assert.equal(suppression.hold('c1', undefined), false, 'the id may have another name'),
    );
  });

  it('what was held comes out even when the action fails', async () => {
    const suppression = new EventSuppression();
    const unanswered: string[] = [];
    const failing = suppression.during(
      'c1',
      async () => {
        suppression.hold('c1', 'web');
        throw new Error('refused');
      },
      (id) => unanswered.push(id),
    );
    await assert.rejects(failing, /refused/);
    assert.deepEqual(unanswered, ['c1']);
  });
});
