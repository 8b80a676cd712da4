import assert from 'node:assert/strict';
import { isReady, isStalled } from '../../crds/conditions.js';
import type { AnyDeclared } from '../../crds/kinds.js';
import { Device } from './device.js';
import { AT_START } from './scenario.js';

/**
 * Brings a device to rest on these documents, with every image served that they name; then looks at everything again,
 * proposes the same again, and starts another agent: nothing may be called or written by any of it. Stalled counts as rest.
 */
export async function restsOn(documents: readonly AnyDeclared[]): Promise<void> {
  const device = new Device();
  try {
    for (const image of ['web:1', 'db:1', ...imagesOf(documents)]) device.engine.images.add(image);
    const first = await device.boot();
    await first.propose(documents);
    await first.settle();
    const steps = first.steps.length;
    const changes: string[] = [];
    const stop = first.store.watch(({ key, parts }) => parts.length > 0 && changes.push(`${key} ${parts}`));
    for (const loop of first.loops) loop.wakeAll();
    await first.settle();
    await first.propose(documents);
    await first.settle();
    stop();
    assert.deepEqual(first.steps.slice(steps), [], 'calls and writes of the second pass');
    assert.deepEqual(changes, [], 'changes of the second pass');

    await device.halt();
    const second = await device.boot();
    await second.propose(documents);
    await second.settle();
    const did = second.steps.filter((step) => !AT_START.includes(step));
    assert.deepEqual(did, [], 'calls and writes of another agent');
    for (const one of second.documents()) assert.ok(isReady(one) || isStalled(one));
  } finally {
    device.discard();
  }
}

const imagesOf = (documents: readonly AnyDeclared[]): readonly string[] =>
  documents.flatMap((one) =>
    one.kind === 'App' ? Object.values(one.spec.services ?? {}).map(({ image }) => image) : [],
  );
