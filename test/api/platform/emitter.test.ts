import assert from 'node:assert/strict';
import { Emitter } from '../../../api/platform/emitter.js';

describe('Emitter', () => {
  it('tells everybody in order, until they stop', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    const stop = emitter.listen((item) => heard.push(`a${item}`));
    emitter.listen((item) => heard.push(`b${item}`));
    emitter.emit(1, 2);
    stop();
    emitter.emit(3);
    assert.deepEqual(heard, ['a1', 'b1', 'a2', 'b2', 'b3']);
  });

  it('emits what a listener causes after the item that it got', () => {
    const emitter = new Emitter<string>();
    const heard: string[] = [];
    emitter.listen((item) => {
      if (item === 'cause') emitter.emit('effect');
    });
    emitter.listen((item) => heard.push(item));
    emitter.emit('cause', 'next');
    assert.deepEqual(heard, ['cause', 'next', 'effect']);
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
    const heard: number[] = [];
    let stop = (): void => undefined;
    emitter.listen(() => stop());
    stop = emitter.listen((item) => heard.push(item));
    emitter.emit(1);
    assert.deepEqual(heard, []);
  });

  it('reports a listener that throws, and goes on', () => {
    const failures: string[] = [];
    const emitter = new Emitter<number>((error, item) => failures.push(`${item}: ${String(error)}`));
    const heard: number[] = [];
    emitter.listen(() => {
      throw new Error('broken');
    });
    emitter.listen((item) => heard.push(item));
    emitter.emit(1, 2);
    assert.deepEqual(
      [heard, failures],
      [
        [1, 2],
        ['1: Error: broken', '2: Error: broken'],
      ],
    );
  });

  it('throws the first error once everybody was called, when nobody takes it', () => {
    const emitter = new Emitter<number>();
    const heard: number[] = [];
    emitter.listen((item) => {
      throw new Error(`broken ${item}`);
    });
    emitter.listen((item) => heard.push(item));
    assert.throws(() => emitter.emit(1, 2), /broken 1/);
    assert.deepEqual(heard, [1, 2]);
    assert.throws(() => emitter.emit(3), /broken 3/);
  });
});
