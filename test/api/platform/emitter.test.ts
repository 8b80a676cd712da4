import assert from 'node:assert/strict';
import { Emitter } from '../../../api/platform/emitter.js';

describe('Emitter', () => {
  it('tells everybody in order, until they stop', () => {
    const emitter = new Emitter<number>();
    const received: string[] = [];
    const stop = emitter.listen((item) => received.push(`a${item}`));
    emitter.listen((item) => received.push(`b${item}`));
    emitter.emit(1, 2);
    stop();
    emitter.emit(3);
    assert.deepEqual(received, ['a1', 'b1', 'a2', 'b2', 'b3']);
  });

  it('emits what a listener causes after the item that it got', () => {
    const emitter = new Emitter<string>();
    const received: string[] = [];
    emitter.listen((item) => {
      if (item === 'cause') emitter.emit('effect');
    });
    emitter.listen((item) => received.push(item));
    emitter.emit('cause', 'next');
    assert.deepEqual(received, ['cause', 'next', 'effect']);
  });

  it('tells a function twice that listens twice, and knows whether anybody listens', () => {
    const emitter = new Emitter<number>();
    const calls: number[] = [];
    const listener = (item: number): void => void calls.push(item);
    const stops = [emitter.listen(listener), emitter.listen(listener)];
    emitter.emit(1);
    assert.deepEqual([calls, emitter.hasListeners], [[1, 1], true]);
    for (const stop of stops) stop();
    assert.equal(emitter.hasListeners, false);
  });

  it('tells nothing to who has stopped meanwhile', () => {
    const emitter = new Emitter<number>();
    const received: number[] = [];
    let stop = (): void => undefined;
    emitter.listen(() => stop());
    stop = emitter.listen((item) => received.push(item));
    emitter.emit(1);
    assert.deepEqual(received, []);
  });

  it('reports a listener that throws, and goes on', () => {
    const failures: string[] = [];
    const emitter = new Emitter<number>((error, item) => failures.push(`${item}: ${String(error)}`));
    const received: number[] = [];
    emitter.listen(() => {
      throw new Error('broken');
    });
    emitter.listen((item) => received.push(item));
    emitter.emit(1, 2);
    assert.deepEqual(
      [received, failures],
      [
        [1, 2],
        ['1: Error: broken', '2: Error: broken'],
      ],
    );
  });

  it('throws the first error once everybody was called, when nobody takes it', () => {
    const emitter = new Emitter<number>();
    const received: number[] = [];
    emitter.listen((item) => {
      throw new Error(`broken ${item}`);
    });
    emitter.listen((item) => received.push(item));
    assert.throws(() => emitter.emit(1, 2), /broken 1/);
    assert.deepEqual(received, [1, 2]);
    assert.throws(() => emitter.emit(3), /broken 3/);
  });
});
