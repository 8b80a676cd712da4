import assert from 'node:assert/strict';
import { agrees, effectOf } from '../../../../controllers/engine/cache/event-effects.js';
import type { EngineEvent, SeenContainer } from '../../../../controllers/engine/engine.js';
import { SUPERVISED } from '../../../../controllers/engine/labels.js';
import { aContainer } from '../scripted-engine.js';

const OURS = { [SUPERVISED]: '' };

const event = (
  type: EngineEvent['type'],
  action: string,
  attributes: Readonly<Record<string, string>> = {},
  id = 'x',
): EngineEvent => ({ type, action, id, attributes, timeNano: '1' });

describe('effectOf', () => {
  const cases: { event: EngineEvent; want: string }[] = [
    { event: event('container', 'create', OURS), want: 'inspect-container x' },
    { event: event('container', 'start', OURS), want: 'inspect-container x' },
    { event: event('container', 'die', OURS), want: 'inspect-container x' },
    { event: event('container', 'pause', OURS), want: 'inspect-container x' },
    { event: event('container', 'unpause', OURS), want: 'inspect-container x' },
    { event: event('container', 'update', OURS), want: 'inspect-container x' },
    { event: event('container', 'start'), want: 'ignore' },
    { event: event('container', 'destroy'), want: 'ignore' },
    { event: event('container', 'destroy', OURS), want: 'drop-container x' },
    { event: event('container', 'health_status: healthy', OURS), want: 'patch-container x {"health":"healthy"}' },
    { event: event('container', 'health_status: unhealthy', OURS), want: 'patch-container x {"health":"unhealthy"}' },
    { event: event('container', 'health_status', OURS), want: 'inspect-container x' },
    { event: event('container', 'rename', { ...OURS, name: '/new' }), want: 'patch-container x {"name":"new"}' },
    { event: event('container', 'rename', OURS), want: 'inspect-container x' },
    { event: event('container', 'exec_create: sh', OURS), want: 'ignore' },
    { event: event('container', 'kill', OURS), want: 'ignore' },
    { event: event('container', 'stop', OURS), want: 'ignore' },
    { event: event('network', 'create', { name: 'n' }), want: 'inspect-network x' },
    { event: event('network', 'destroy', { name: 'n' }), want: 'drop-network x' },
    { event: event('network', 'connect', { container: 'c' }), want: 'inspect-known-container c' },
    { event: event('network', 'disconnect', { container: 'c' }), want: 'inspect-known-container c' },
    { event: event('network', 'connect'), want: 'ignore' },
    { event: event('volume', 'create', {}, '1_data'), want: 'inspect-volume 1_data' },
    { event: event('volume', 'destroy', {}, '1_data'), want: 'inspect-volume 1_data' },
    { event: event('volume', 'create', {}, '0123456789abcdef'.repeat(4)), want: 'ignore' },
    { event: event('volume', 'mount', {}, '1_data'), want: 'ignore' },
    { event: event('image', 'pull', { name: 'busybox' }, 'busybox:1'), want: 'look-at-images busybox:1' },
    { event: event('image', 'tag', { name: 'busybox:1' }, 'sha256:a'), want: 'look-at-images busybox:1' },
    { event: event('image', 'untag', { name: 'sha256:a' }, 'sha256:a'), want: 'look-at-images' },
    { event: event('image', 'delete', { name: 'sha256:a' }, 'sha256:a'), want: 'look-at-images' },
    { event: event('image', 'push', {}, 'busybox:1'), want: 'ignore' },
  ];
  for (const { event: given, want } of cases) {
    const labelled = SUPERVISED in given.attributes ? ' of ours' : '';
    it(`makes "${want}" of ${given.type} ${given.action}${labelled}`, () => {
      const effect = effectOf(given);
      const parts = [
        effect.do,
        'id' in effect ? effect.id : undefined,
        'name' in effect ? effect.name : undefined,
        'reference' in effect ? effect.reference : undefined,
        'patch' in effect ? JSON.stringify(effect.patch) : undefined,
      ];
      assert.equal(parts.filter((part) => part !== undefined).join(' '), want);
    });
  }
});

describe('agrees', () => {
  const attached = { networks: { net: { id: 'n1' } } };
  const cases: { event: EngineEvent; seen: Partial<SeenContainer>; want: boolean }[] = [
    { event: event('container', 'create'), seen: { state: 'created' }, want: true },
    { event: event('container', 'start'), seen: { state: 'running' }, want: true },
    { event: event('container', 'start'), seen: { state: 'exited' }, want: false },
    { event: event('container', 'die'), seen: { state: 'running' }, want: false },
    { event: event('container', 'die'), seen: { state: 'restarting' }, want: true },
    { event: event('container', 'pause'), seen: { state: 'paused' }, want: true },
    { event: event('container', 'update'), seen: {}, want: false },
    { event: event('network', 'connect', { name: 'net' }, 'n1'), seen: attached, want: true },
    { event: event('network', 'connect', { name: 'net' }, 'n2'), seen: attached, want: false },
    { event: event('network', 'connect', { name: 'net' }, 'n1'), seen: {}, want: false },
    { event: event('network', 'disconnect', { name: 'net' }, 'n1'), seen: {}, want: true },
    { event: event('network', 'disconnect', { name: 'net' }, 'n1'), seen: attached, want: false },
  ];
  for (const { event: given, seen, want } of cases) {
    it(`says ${want} for ${given.action} and ${JSON.stringify(seen)} (${given.id})`, () => {
      assert.equal(agrees(given, aContainer(seen)), want);
    });
  }
});
