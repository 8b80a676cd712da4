import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import type { ServiceDeps } from '../../../../controllers/service/deps.js';
import type { StepContext, StepOf } from '../../../../controllers/service/steps/step-context.js';
import { beginTermination } from '../../../../controllers/service/steps/stop-and-remove.js';
import { Terminations } from '../../../../controllers/service/terminations.js';
import type { Service } from '../../../../crds/model/kinds.js';

const STAYS = 'Could not remove the sign of a hand-over of service web of app 7: operation not permitted';

describe('beginTermination()', () => {
  it('ends a hand-over whose sign cannot be removed, and says that it is the sign', async () => {
    const events: { type: string; reason: string; message: string }[] = [];
    const calls: string[] = [];
    const call = (name: string) => async () => void calls.push(name);
    const warned = new PassThrough();
    const deps = {
      engine: { stopContainer: call('stop'), removeContainer: call('remove') },
      cache: { suppressEvents: (_id: string, act: () => unknown) => act(), dropContainer: call('drop') },
      handovers: { forget: () => Promise.reject(new Error(STAYS)) },
      logs: { system: () => undefined },
      store: { record: (_key: string, event: (typeof events)[number]) => void events.push(event) },
      log: pino({}, warned),
    } as unknown as ServiceDeps;
    const service = { metadata: { name: 'shop.web' }, spec: { app: 'shop' } } as Service;
    const context = { service, appId: 7, serviceName: 'web', reportReached: () => undefined } as unknown as StepContext;
    const container = { id: 'c1', name: 'web_1', state: 'running' };
    const update = { is: 'succeeded', strategy: 'hand-over', seen: 'Signalled' };
    const step = { do: 'terminate', container, stop: true, remove: true, because: 'replaced', update };
    const terminations = new Terminations();
    const ended = new Promise((resolve) => terminations.onEnd(resolve));

    beginTermination(deps, terminations, context, step as unknown as StepOf<'terminate'>);
    assert.equal(await ended, 'shop.web');

    assert.equal(terminations.takeFailure('shop.web'), undefined);
    assert.deepEqual(calls, ['stop', 'remove', 'drop']);
    assert.deepEqual(events, [
      { type: 'Warning', reason: 'HandoverSignStays', message: STAYS },
      { type: 'Normal', reason: 'Stopping', message: 'Removed container web_1: replaced' },
    ]);
    if (warned.readableLength === 0) await once(warned, 'readable');
    assert.match(String(warned.read()), /the sign of a hand-over/);
  });
});
