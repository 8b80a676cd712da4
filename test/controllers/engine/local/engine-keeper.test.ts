import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Daemon, EngineKeeper } from '../../../../controllers/engine/local/engine-keeper.js';
import { FakeClock } from '../../../setup/fake-clock.js';

/** A daemon that a test kills, stops and has fail. */
class FakeDaemon implements Daemon {
  runs = true;
  hangs = false;
  refusal: string | undefined;
  /** When it was started, s since the beginning. */
  readonly starts: number[] = [];
  constructor(private readonly seconds: () => number) {}

  async isRunning(): Promise<boolean> {
    return this.runs;
  }
  answers(signal: AbortSignal): Promise<boolean> {
    if (!this.hangs) return Promise.resolve(this.runs);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
  }
  async start(): Promise<void> {
    this.starts.push(this.seconds());
    if (this.refusal !== undefined) throw new Error(this.refusal);
    this.runs = true;
  }
}

describe('whoever looks after the engine of our own', () => {
  let clock: FakeClock;
  let daemon: FakeDaemon;
  let keeper: EngineKeeper;
  let said: (string | undefined)[];
  let told: string[];
  let lost: () => void;
  let isFresh: boolean;

  beforeEach(async () => {
    clock = new FakeClock();
    const beganMs = clock.now();
    daemon = new FakeDaemon(() => Math.round((clock.now() - beganMs) / 1_000));
    [said, told, isFresh] = [[], [], true];
    keeper = new EngineKeeper({
      daemon,
      world: {
        get fresh() {
          return isFresh;
        },
        explain: (why) => void said.push(why),
        onChange: (listener) => {
          lost = () => listener({ type: 'all' });
          return () => undefined;
        },
      },
      clock,
      elapsedMs: () => clock.now(),
      random: () => 0,
      tell: (_type, reason) => told.push(reason),
      log: { error: assert.fail },
    });
    keeper.start();
    await pass(0);
    said.length = 0;
  });
  afterEach(() => keeper.stop());

  /** Some time, with all that happens in it. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second <= seconds; second += 1) {
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
      if (second < seconds) clock.advance(1_000);
    }
  }
  async function end(): Promise<void> {
    daemon.runs = false;
    isFresh = false;
    lost();
    await pass(0);
  }

  it('says nothing while it answers', async () => {
    await pass(120);
    assert.deepEqual([told, keeper.trouble, daemon.starts], [[], undefined, []]);
    assert.ok(said.every((one) => one === undefined));
  });

  it('starts one that has ended again, soon and once', async () => {
    await end();
    assert.equal(keeper.trouble, 'The Docker engine of our own has ended; it is started again in 1 s');
    await pass(30);
    assert.equal(daemon.starts.length, 1);
    assert.ok((daemon.starts[0] ?? 99) <= 2);
    assert.deepEqual([told, keeper.trouble], [['EngineEnded', 'EngineStarted'], undefined]);
  });

  it('sees it though nobody was connected', async () => {
    daemon.runs = false;
    await pass(15);
    assert.equal(daemon.starts.length, 1);
  });

  it('waits longer each time that it does not start, a minute at most, and says why', async () => {
    daemon.refusal = 'The Docker engine did not start: it ended with status 1\nfirst line\nno space left';
    await end();
    await pass(400);
    const waits = daemon.starts.slice(1).map((at, index) => at - (daemon.starts[index] ?? 0));
    assert.ok(waits.length >= 8, waits.join());
    waits.forEach((wait, index) => {
      assert.ok(wait >= Math.min(2 ** (index + 1), 60) && wait <= 62, waits.join());
    });
    assert.match(
      keeper.trouble ?? '',
      /did not start: it ended with status 1: no space left; it is started again in 60 s$/,
    );
    daemon.refusal = undefined;
    await pass(62);
    assert.equal(keeper.trouble, undefined);
    assert.equal(told.at(-1), 'EngineStarted');
  });

  it('goes on waiting longer for one that starts and ends, until one has lasted', async () => {
    for (let round = 0; round < 4; round += 1) {
      await end();
      while (!daemon.runs) await pass(1);
    }
    await end();
    assert.match(keeper.trouble ?? '', /in 16 s$/);
    while (!daemon.runs) await pass(1);
    await pass(90);
    await end();
    assert.match(keeper.trouble ?? '', /in 1 s$/);
  });

  it('says that it hangs while it does, and leaves it alone', async () => {
    daemon.hangs = true;
    await pass(26);
    assert.equal(keeper.trouble, 'The Docker engine of our own runs, but does not answer within 15 s');
    assert.equal(said.at(-1), keeper.trouble);
    isFresh = false;
    await pass(60);
    assert.deepEqual(told, ['EngineHangs']);
    daemon.hangs = false;
    await pass(17);
    assert.deepEqual([keeper.trouble, told, daemon.starts], [undefined, ['EngineHangs', 'EngineAnswers'], []]);
  });

  it('starts one that ends while it hangs', async () => {
    daemon.hangs = true;
    await pass(30);
    daemon.runs = false;
    daemon.hangs = false;
    await pass(20);
    assert.equal(daemon.starts.length, 1);
  });
});
