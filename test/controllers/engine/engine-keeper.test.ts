import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Daemon, EngineKeeper, type Finding } from '../../../controllers/engine/engine-keeper.js';
import { EngineRestarts } from '../../../controllers/engine/engine-restarts.js';
import { FakeClock } from '../../setup/fake-clock.js';

/** A daemon that a test kills, stops and has fail. */
class FakeDaemon implements Daemon {
  readonly name = 'The Docker engine of our own';
  runs = true;
  hangs = false;
  /** Found instead of an answer. */
  finding: Finding | undefined;
  refusal: string | undefined;
  /** When it was started, s since the beginning. */
  readonly starts: number[] = [];
  /** When it was restarted, likewise. */
  readonly restarts: number[] = [];
  /** Whether each look was a close one. */
  readonly looks: boolean[] = [];
  readonly process: Daemon['process'];
  constructor(
    private readonly seconds: () => number,
    isOurs = true,
  ) {
    if (isOurs)
      this.process = {
        isRunning: async () => this.runs,
        start: () => this.#start(),
        tasks: async () => [],
        restart: async () => {
          this.restarts.push(this.seconds());
          this.runs = false;
          await this.#start();
        },
      };
  }

  look(signal: AbortSignal, closely: boolean): Promise<Finding> {
    this.looks.push(closely);
    if (this.finding) return Promise.resolve(this.finding);
    if (!this.hangs) return Promise.resolve(this.runs ? { is: 'answers' } : { is: 'unreachable', why: 'ECONNREFUSED' });
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ is: 'hangs' }), { once: true }));
  }
  async #start(): Promise<void> {
    this.starts.push(this.seconds());
    if (this.refusal !== undefined) throw new Error(this.refusal);
    [this.runs, this.finding] = [true, undefined];
  }
}

describe('whoever looks after the engine', () => {
  let clock: FakeClock;
  let daemon: FakeDaemon;
  let keeper: EngineKeeper;
  let output: (string | undefined)[];
  let reported: string[];
  let lost: () => void;
  let wishes: EngineRestarts;
  let isFresh: boolean;
  let isOverdue: boolean;
  let overdue: () => void;

  beforeEach(() => begin(true));

  async function begin(isOurs: boolean): Promise<void> {
    clock = new FakeClock();
    const beganMs = clock.now();
    daemon = new FakeDaemon(() => Math.round((clock.now() - beganMs) / 1_000), isOurs);
    [output, reported, isFresh, isOverdue] = [[], [], true, false];
    wishes = new EngineRestarts({ isOurs: () => isOurs, elapsedMs: () => clock.now() });
    keeper = new EngineKeeper({
      daemon,
      restarts: wishes,
      requests: {
        get isOverdue() {
          return isOverdue;
        },
        onChange: (listener) => {
          overdue = () => listener('container/c1');
          return () => undefined;
        },
      },
      cache: {
        get hasSynced() {
          return isFresh;
        },
        explain: (why) => void output.push(why),
        onChange: (listener) => {
          lost = () => listener({ type: 'all' });
          return () => undefined;
        },
      },
      clock,
      elapsedMs: () => clock.now(),
      random: () => 0,
      emit: (_type, reason) => reported.push(reason),
      log: { error: assert.fail },
    });
    keeper.start();
    await pass(0);
    output.length = 0;
  }
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
    assert.deepEqual([reported, keeper.failure, daemon.starts], [[], undefined, []]);
    assert.ok(output.every((one) => one === undefined));
  });

  it('starts one that has ended again, soon and once', async () => {
    await end();
    assert.equal(keeper.failure, 'The Docker engine of our own has ended; it is started again in 1 s');
    await pass(30);
    assert.equal(daemon.starts.length, 1);
    assert.ok((daemon.starts[0] ?? 99) <= 2);
    assert.deepEqual([reported, keeper.failure], [['EngineEnded', 'EngineStarted'], undefined]);
  });

  it('restarts one that is well where somebody asks for it, once in ten minutes', async () => {
    assert.equal(wishes.ask('it holds port 80 for no container'), true);
    await pass(15);
    assert.equal(daemon.restarts.length, 1);
    assert.ok((daemon.restarts[0] ?? 99) <= 10);
    assert.deepEqual([reported, keeper.failure], [['EngineRestarting', 'EngineStarted'], undefined]);
    wishes.ask('again');
    await pass(580);
    assert.equal(daemon.restarts.length, 1, 'not so soon, nor later for a wish of then');
    await pass(30);
    assert.equal(daemon.restarts.length, 1);
    wishes.ask('once more');
    await pass(15);
    assert.equal(daemon.restarts.length, 2);
  });

  it('starts one that did not come back from a restart again', async () => {
    wishes.ask('it holds port 80 for no container');
    daemon.refusal = 'no room';
    await pass(12);
    assert.deepEqual(reported.slice(0, 2), ['EngineRestarting', 'EngineNotStarted']);
    assert.match(keeper.failure ?? '', /^no room; it is started again in \d+ s$/);
    daemon.refusal = undefined;
    await pass(10);
    assert.deepEqual([reported.at(-1), keeper.failure, daemon.restarts.length], ['EngineStarted', undefined, 1]);
  });

  it("restarts nobody else's", async () => {
    await keeper.stop();
    await begin(false);
    assert.equal(wishes.ask('it holds port 80 for no container'), false);
    await pass(15);
    assert.deepEqual([reported, daemon.restarts], [[], []]);
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
      keeper.failure ?? '',
      /did not start: it ended with status 1: no space left; it is started again in 60 s$/,
    );
    daemon.refusal = undefined;
    await pass(62);
    assert.equal(keeper.failure, undefined);
    assert.equal(reported.at(-1), 'EngineStarted');
  });

  it('goes on waiting longer for one that starts and ends, until one has lasted', async () => {
    for (let round = 0; round < 4; round += 1) {
      await end();
      while (!daemon.runs) await pass(1);
    }
    await end();
    assert.match(keeper.failure ?? '', /in 16 s$/);
    while (!daemon.runs) await pass(1);
    await pass(90);
    await end();
    assert.match(keeper.failure ?? '', /in 1 s$/);
  });

  it('says that it hangs while it does, and leaves it alone', async () => {
    daemon.hangs = true;
    await pass(26);
    assert.equal(
      keeper.failure,
      'The Docker engine of our own runs, but does not answer within 15 s, since 2026-01-02T03:04:15Z',
    );
    assert.equal(output.at(-1), keeper.failure);
    isFresh = false;
    await pass(60);
    assert.deepEqual(reported, ['EngineHangs']);
    daemon.hangs = false;
    await pass(17);
    assert.deepEqual([keeper.failure, reported, daemon.starts], [undefined, ['EngineHangs', 'EngineAnswers'], []]);
  });

  it('starts one that ends while it hangs', async () => {
    daemon.hangs = true;
    await pass(30);
    daemon.runs = false;
    daemon.hangs = false;
    await pass(20);
    assert.equal(daemon.starts.length, 1);
  });

  it('says that the containerd behind it hangs, and since when, though it takes connections', async () => {
    daemon.finding = { is: 'half', what: 'its containerd' };
    await pass(10);
    const words = 'The Docker engine of our own takes connections, but its containerd does not answer within 15 s';
    assert.equal(keeper.failure, `${words}, since 2026-01-02T03:04:15Z`);
    await pass(60);
    assert.equal(output.at(-1), `${words}, since 2026-01-02T03:04:15Z`, 'the time is that of the first look');
    daemon.finding = undefined;
    await pass(2);
    assert.deepEqual([keeper.failure, reported, daemon.starts], [undefined, ['EngineHangs', 'EngineAnswers'], []]);
  });

  it('starts one again that runs and has lost its socket, and says so until then', async () => {
    daemon.finding = { is: 'unreachable', why: 'connect ENOENT /run/docker.sock' };
    await pass(10);
    const words = 'The Docker engine of our own runs, but cannot be reached: connect ENOENT /run/docker.sock';
    assert.equal(output[0], `${words}; it is started again in 1 s`);
    await pass(5);
    assert.equal(daemon.starts.length, 1);
    assert.deepEqual([reported, keeper.failure], [['EngineUnreachable', 'EngineStarted'], undefined]);
  });

  it('waits longer between two starts of one that goes on losing its socket', async () => {
    daemon.finding = { is: 'unreachable', why: 'connect ENOENT /run/docker.sock' };
    daemon.refusal = 'no space left';
    await pass(100);
    const waits = daemon.starts.slice(1).map((at, index) => at - (daemon.starts[index] ?? 0));
    assert.ok(waits.length >= 4 && waits.every((wait, index) => wait >= 2 ** (index + 1)), waits.join());
  });

  it('looks closely at once when a request is overdue, and only then', async () => {
    await pass(30);
    assert.ok(daemon.looks.every((closely) => !closely));
    [isOverdue, daemon.looks.length] = [true, 0];
    overdue();
    await pass(0);
    assert.deepEqual(daemon.looks, [true]);
  });

  describe('of somebody else', () => {
    beforeEach(async () => {
      await keeper.stop();
      await begin(false);
    });

    it('says within 30 s that it hangs, and since when', async () => {
      daemon.hangs = true;
      await pass(26);
      const words = 'The Docker engine of our own takes connections, but does not answer within 15 s';
      assert.equal(output.at(-1), `${words}, since 2026-01-02T03:04:15Z`);
      assert.deepEqual(reported, ['EngineHangs']);
      daemon.hangs = false;
      await pass(17);
      assert.deepEqual([keeper.failure, reported], [undefined, ['EngineHangs', 'EngineAnswers']]);
    });

    it('says that it cannot be reached, and leaves its process alone', async () => {
      daemon.finding = { is: 'unreachable', why: 'connect ENOENT /run/docker.sock' };
      await pass(60);
      const words = 'The Docker engine of our own cannot be reached: connect ENOENT /run/docker.sock';
      assert.equal(keeper.failure, `${words}, since 2026-01-02T03:04:15Z`);
      daemon.finding = undefined;
      await pass(2);
      assert.deepEqual([keeper.failure, reported], [undefined, ['EngineUnreachable', 'EngineAnswers']]);
    });
  });
});
