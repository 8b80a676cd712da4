import assert from 'node:assert/strict';
import { type AnyDeclared, keyOf } from '../../crds/model/kinds.js';
import { Device } from './device.js';
import { AT_START } from './scenario.js';

/**
 * Brings a device to rest on these documents, with every image served that they name; then looks at everything again,
 * proposes the same again, and starts another agent: nothing may be called or written by any of it. Stalled and suspended
 * count as rest. Whatever has a healthcheck is healthy.
 */
export async function restsOn(documents: readonly AnyDeclared[]): Promise<void> {
  const device = new Device();
  try {
    device.engine.after = (verb, [id]) => {
      if (verb === 'startContainer') device.engine.docker.setHealth(String(id), 'healthy');
    };
    const waiting = documents.filter((one) => one.kind === 'App' && one.spec.suspend).map(keyOfDocument);
    for (const image of ['web:1', 'db:1', ...imagesOf(documents)]) device.engine.images.add(image);
    const first = await device.boot();
    await first.propose(documents);
    await first.settle({ waiting });
    const steps = first.steps.length;
    const changes: string[] = [];
    const stop = first.store.watch(({ key, parts }) => parts.length > 0 && changes.push(`${key} ${parts}`));
    for (const loop of first.loops) loop.resync();
    await first.settle({ waiting });
    await first.propose(documents);
    await first.settle({ waiting });
    stop();
    assert.deepEqual(first.steps.slice(steps), [], 'calls and writes of the second pass');
    assert.deepEqual(changes, [], 'changes of the second pass');

    await device.halt();
    const second = await device.boot();
    await second.propose(documents);
    await second.settle({ waiting });
    const did = second.steps.filter((step) => !AT_START.includes(step));
    assert.deepEqual(did, [], 'calls and writes of another agent');
    assert.deepEqual(second.unsettled(waiting), []);
  } finally {
    device.discard();
  }
}

const keyOfDocument = ({ kind, metadata }: AnyDeclared): string => keyOf(kind, metadata.name);

const imagesOf = (documents: readonly AnyDeclared[]): readonly string[] =>
  documents.flatMap((one) =>
    one.kind === 'App' ? Object.values(one.spec.services ?? {}).map(({ image }) => image) : [],
  );
