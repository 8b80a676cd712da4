import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Connections, type Peer } from '../../../../api/http/transport/connections.js';

const LIMITS = { connections: 10, perAddress: 4, reserved: 2 };

class FakePeer implements Peer {
  isCut = false;
  readonly localAddress = '10.0.0.1';
  constructor(
    readonly remoteAddress: string,
    readonly number = 0,
  ) {}
  destroy(): never {
    this.isCut = true;
    return undefined as never;
  }
}

describe('the connections of a listener', () => {
  const crowded: string[] = [];
  let table: Connections<FakePeer>;
  beforeEach(() => {
    crowded.length = 0;
    table = new Connections<FakePeer>('gateway', LIMITS, (address) => crowded.push(address));
  });
  const come = (address: string, count: number): FakePeer[] =>
    Array.from({ length: count }, (_, number) => new FakePeer(address, number)).filter((peer) => table.admit(peer));
  const left = (peers: readonly FakePeer[]) => peers.filter(({ isCut }) => !isCut).map(({ number }) => number);

  it('has one address cut its own idle ones, the oldest first, and says so once', () => {
    const other = come('b', 2);
    const own = come('a', 7);
    assert.deepEqual(
      [left(own), left(other)],
      [
        [3, 4, 5, 6],
        [0, 1],
      ],
    );
    assert.deepEqual(crowded, ['a']);
  });

  it('counts one as idle again when its request has been answered', () => {
    const [first, second] = come('a', 4);
    assert.ok(first && second);
    table.began(first);
    table.began(first); // pipelined
    come('a', 1);
    assert.deepEqual([first.isCut, second.isCut], [false, true]);
    table.ended(first);
    come('a', 4);
    assert.equal(first.isCut, false);
    table.ended(first);
    come('a', 4);
    assert.equal(first.isCut, true);
  });

  it('lets nobody more in where every one has a request under way', () => {
    const own = come('a', 4);
    for (const peer of own) table.began(peer);
    assert.equal(come('a', 1).length, 0);
    assert.equal(come('b', 1).length, 1);
    assert.deepEqual(left(own), [0, 1, 2, 3]);
  });

  it('makes room in a full house where most is held', () => {
    const few = come('a', 2);
    const many = [...come('b', 4), ...come('c', 4)];
    assert.equal(come('d', 1).length, 1);
    assert.deepEqual([left(few).length, left(many).length], [2, 7]);
  });

  it('keeps places for this machine, however busy the others are', () => {
    for (const address of ['a', 'b', 'c']) for (const peer of come(address, 4)) table.began(peer);
    assert.equal(table.count, 10);
    assert.equal(come('10.0.0.1', 3).length, 3, 'for the third, the first one that it does not use goes');
    assert.equal(come('d', 1).length, 0);
  });

  it('never has more than its limits, and forgets who has gone', () => {
    const step = fc.tuple(
      fc.constantFrom('come', 'begin', 'end', 'leave'),
      fc.nat(30),
      fc.constantFrom('a', 'b', 'c', 'd'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        table = new Connections<FakePeer>('gateway', LIMITS);
        const here: FakePeer[] = [];
        for (const [what, which, address] of steps) {
          const peer = here[which % Math.max(1, here.length)];
          if (what === 'come') here.push(...come(address, 1));
          else if (peer && what === 'begin') table.began(peer);
          else if (peer && what === 'end') table.ended(peer);
          else if (peer) {
            here.splice(here.indexOf(peer), 1);
            table.left(peer);
          }
          for (const one of here.filter(({ isCut }) => isCut)) here.splice(here.indexOf(one), 1);
          assert.equal(table.count, here.length);
          assert.ok(table.count <= LIMITS.connections);
          for (const one of ['a', 'b', 'c', 'd']) {
            assert.ok(here.filter(({ remoteAddress }) => remoteAddress === one).length <= LIMITS.perAddress);
          }
        }
        for (const one of here) table.left(one);
        assert.equal(table.count, 0);
      }),
    );
  });
});
