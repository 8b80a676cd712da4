import assert from 'node:assert/strict';
import { declareApp } from '../../setup/declared.js';
import { FAULTS, noFaults } from '../../simulation/fault-plan.js';
import { type Act, type Command, CommandedDevice, HELLO, LOCK_FILE, OTHER, SERVICES } from './commanded-device.js';

/** Every which step is tried with a fault, each fault from another one on; all of them with SUPERCARGO_CRASHES=all. */
const STRIDE = process.env.SUPERCARGO_CRASHES === 'all' ? 1 : 3;

/** What is commanded, and what is other than before once everything has settled. */
interface Row {
  readonly it: string;
  /** Done first, one after the other; everything settles in between. */
  readonly given?: readonly Act[];
  readonly command: Act;
  readonly changes: string;
  /** What is other once another agent has started, where that is not the same. */
  readonly afterRestart?: string;
}

/** Tried whatever befalls any one step, too: these are all that an App or a Service can be commanded. */
const SINGLE: readonly (Row & { readonly command: Command })[] = [
  {
    it: 'restart recreates the containers of an app',
    command: 'restart hello',
    changes: 'db recreated, web recreated',
  },
  {
    it: 'restart recreates the container of a service',
    command: 'restart hello.web',
    changes: 'web recreated',
  },
  {
    it: 'purge recreates the containers and empties the volumes of an app',
    command: 'purge hello',
    changes: '1_data emptied, db recreated, web recreated',
  },
  {
    it: 'start starts a service that was stopped',
    given: ['stop hello.web'],
    command: 'start hello.web',
    changes: 'nothing',
  },
  {
    it: 'start starts an app that was stopped',
    given: ['stop hello'],
    command: 'start hello',
    changes: 'nothing',
  },
  {
    it: 'stop stops a service until the next agent starts',
    command: 'stop hello.web',
    changes: 'web exited',
    afterRestart: 'nothing',
  },
  {
    it: 'stop stops an app, all of it, until the next agent starts',
    command: 'stop hello',
    changes: 'db exited, web exited',
    afterRestart: 'nothing',
  },
];

const IN_A_ROW: readonly Row[] = [
  {
    it: 'stop of an app ends with a start of it',
    given: ['stop hello', 'start hello', 'stop hello'],
    command: 'start hello',
    changes: 'nothing',
  },
  {
    it: 'stop of an app ends with a restart of it',
    given: ['stop hello', 'start hello', 'stop hello'],
    command: 'restart hello',
    changes: 'db recreated, web recreated',
  },
  {
    it: 'stop of an app ends with a purge of it',
    given: ['stop hello', 'restart hello', 'stop hello'],
    command: 'purge hello',
    changes: '1_data emptied, db recreated, web recreated',
  },
  {
    it: 'stop of an app leaves a service alone that is started afterwards',
    given: ['stop hello', 'start hello', 'stop hello', 'purge hello', 'stop hello'],
    command: 'start hello.db',
    changes: '1_data emptied, db recreated, web exited, web recreated',
    afterRestart: '1_data emptied, db recreated, web recreated',
  },
  {
    it: 'stop of a service ends with a restart of its app',
    given: ['stop hello.web'],
    command: 'restart hello',
    changes: 'db recreated, web recreated',
  },
];

const AT_ONCE: readonly Row[] = [
  {
    it: 'of stop and start of an app the later one counts: start',
    command: 'stop hello, start hello',
    changes: 'nothing',
  },
  {
    it: 'of start and stop of an app the later one counts: stop',
    given: ['stop hello, start hello'],
    command: 'start hello, stop hello',
    changes: 'db exited, web exited',
    afterRestart: 'nothing',
  },
  {
    it: 'of stop and start of a service the later one counts: start',
    command: 'stop hello.web, start hello.web',
    changes: 'nothing',
  },
  {
    it: 'of start and stop of a service the later one counts: stop',
    given: ['stop hello.web, start hello.web'],
    command: 'start hello.web, stop hello.web',
    changes: 'web exited',
    afterRestart: 'nothing',
  },
  {
    it: 'restarts and a purge that overlap on one app are all carried out',
    command: 'restart hello, restart hello.db, purge hello, restart hello' as Act,
    changes: '1_data emptied, db recreated, web recreated',
  },
];

const NEEDS_NO_LOCK: readonly Row[] = [
  {
    it: 'start of a service',
    given: ['stop hello.web', 'an application takes the lock'],
    command: 'start hello.web',
    changes: 'nothing',
  },
  {
    it: 'start of an app',
    given: ['stop hello', 'an application takes the lock'],
    command: 'start hello',
    changes: 'nothing',
  },
];

/** Refused while an application holds the lock; and what they do by force. */
const NEEDS_LOCK: readonly { readonly command: Command; readonly force: string }[] = [
  { command: 'restart hello', force: 'db recreated, web recreated' },
  { command: 'purge hello', force: '1_data emptied, db recreated, web recreated' },
  { command: 'stop hello', force: 'db exited, web exited' },
  { command: 'restart hello.web', force: 'web recreated' },
  { command: 'stop hello.web', force: 'web exited' },
];
const LOCKED = { reason: 'Locked', message: 'Lockfile exists for { appId: 1, service: db }' };

describe('commands', () => {
  let here: CommandedDevice;
  beforeEach(async () => {
    here = await new CommandedDevice().open();
  });
  afterEach(() => here.close());

  /** Does the acts of a row; what is settled then stays so, over relists and other agents. */
  const testRow = ({ it: does, given = [], command, changes, afterRestart = changes }: Row): void => {
    it(does, async () => {
      for (const act of given) {
        await here.act(act);
        await here.agent.settle();
      }
      const requests = await here.act(command);
      assert.equal(new Set(requests.map(({ id }) => id)).size, requests.length);
      await here.agent.settle();
      here.assertCarriedOut(requests);
      assert.equal(here.changes(), changes);
      await here.assertRests(given.includes('an application takes the lock') ? [LOCK_FILE] : []);
      assert.equal(here.changes(), changes, 'after a relist');
      for (const end of ['halt', 'kill'] as const) {
        await here.restartAgent(end);
        assert.equal(here.changes(), afterRestart, `after a ${end}`);
      }
    });
  };

  describe('one at a time', () => SINGLE.forEach(testRow));
  describe('one after the other', () => IN_A_ROW.forEach(testRow));
  describe('given at once', () => AT_ONCE.forEach(testRow));
  describe('that need no update lock', () => NEEDS_NO_LOCK.forEach(testRow));

  describe('whatever befalls any one step', () => {
    for (const { it: does, given = [], command, changes, afterRestart } of SINGLE) {
      /** An agent that starts after the stop was carried out starts what was stopped: all of it, or nothing. */
      const allowedAfter = (fault: string): readonly string[] =>
        afterRestart !== undefined && fault.startsWith('kill') ? [changes, afterRestart] : [changes];

      it(does, async () => {
        for (const [index, fault] of FAULTS.entries()) {
          for (let at = index % STRIDE, steps = at + 1; at < steps; at += STRIDE) {
            const run = await new CommandedDevice().open([HELLO]);
            try {
              for (const act of given) {
                await run.act(act);
                await run.agent.settle();
              }
              steps = 0;
              run.device.faultPlan = () => (steps++ === at ? fault : 'none');
              const request = await run.carryOut(command);
              run.device.faultPlan = noFaults;
              run.assertCarriedOut([request]);
              assert.ok(allowedAfter(fault).includes(run.changes()), run.changes());
              await run.assertRests();
              if (afterRestart === undefined) continue;
              await run.restartAgent('halt');
              assert.equal(run.changes(), afterRestart);
            } catch (error) {
              throw new Error(`${fault} at step ${at}`, { cause: error });
            } finally {
              await run.close();
            }
          }
        }
      }).timeout(120_000);
    }
  });

  describe('while an application holds the update lock', () => {
    beforeEach(() => here.act('an application takes the lock'));

    for (const { command, force } of NEEDS_LOCK) {
      it(`${command} is refused, changes nothing, and does not happen later`, async () => {
        const { key, name } = await here.request(command);
        await here.agent.settle();
        assert.deepEqual(here.acknowledged(key).refused, { [name]: LOCKED });
        await here.assertRests([LOCK_FILE]);
        await here.act('it lets go of the lock');
        here.device.clock.advance(600_000);
        await here.agent.settle();
        assert.equal(here.changes(), 'nothing');
        await here.assertRests();
      });

      it(`${command} is carried out by force`, async () => {
        const request = await here.request(command, true);
        await here.agent.settle();
        here.assertCarriedOut([request]);
        assert.equal(here.changes(), force);
        await here.assertRests();
      });
    }

    for (const [command, stopped] of [
      ['stop hello', 'db exited, web exited'],
      ['stop hello.web', 'web exited'],
    ] as const) {
      it(`a second ${command} is refused, and leaves what is stopped stopped`, async () => {
        await here.act('it lets go of the lock');
        await here.act(command);
        await here.agent.settle();
        await here.act('an application takes the lock');
        const { key, name, id } = await here.request(command);
        await here.agent.settle();
        assert.equal(here.acknowledged(key).refused?.stop?.reason, 'Locked');
        await here.agent.store.withdraw(key, name, id);
        await here.agent.relist();
        await here.agent.settle();
        assert.equal(here.changes(), stopped);
      });
    }
  });

  describe('beside a release', () => {
    const declare = async (...services: Parameters<typeof declareApp>) => {
      await here.agent.propose([declareApp(...services), OTHER]);
      await here.agent.settle();
    };
    const volumes = { data: {} };

    it('start of an app is carried out while one of its services needs the lock', async () => {
      await here.act('stop hello');
      await here.agent.settle();
      const changed = declareApp({ ...SERVICES, web: { ...SERVICES.web, environment: { V: '2' } } }, { volumes });
      await Promise.all([here.act('start hello'), here.agent.propose([changed, OTHER])]);
      await here.agent.settle();
      assert.equal(here.changes(), 'web recreated');
      await here.assertRests();
    });

    it('an equal release renames what is stopped, another configuration starts it', async () => {
      await here.act('stop hello.web');
      await here.agent.settle();
      await declare(SERVICES, { volumes, release: { commit: 'b', id: 2 } });
      assert.equal(here.changes(), 'db renamed to db_7_2_b, web exited, web renamed to web_7_2_b');
      await here.assertRests();
      here.mark();
      const services = { ...SERVICES, web: { environment: { V: '2' } } };
      await declare(services, { volumes, release: { commit: 'c', id: 3 } });
      assert.equal(here.changes(), 'db renamed to db_7_3_c, web recreated, web renamed to web_7_3_c');
    });

    /** Volumes without a document, of the app, of nobody and of an app that is not there. */
    const createVolumes = async () => {
      const labels = { 'io.balena.supervised': 'true', 'io.balena.app-id': '1' };
      const { docker } = here.device.engine;
      docker.createVolume('1_stray', { Labels: labels });
      docker.createVolume('1_foreign', { Labels: {} });
      docker.createVolume('3_stray', { Labels: { ...labels, 'io.balena.app-id': '3' } });
      await here.agent.relist();
    };

    it('purge empties volumes that the app no longer declares, with and without a document, and nobody else’s', async () => {
      await createVolumes();
      await declare({ db: {} });
      here.mark();
      await here.act('purge hello');
      await here.agent.settle();
      assert.equal(here.changes(), '1_data emptied, 1_stray emptied, db recreated');
      await here.assertRests();
    });

    it('cleanup removes volumes that the app no longer declares and that nobody mounts', async () => {
      await createVolumes();
      here.mark();
      here.assertCarriedOut(await settled(here.act('cleanup hello')));
      assert.equal(here.changes(), '1_stray removed');

      await declare({ db: {} });
      here.mark();
      here.assertCarriedOut(await settled(here.act('cleanup hello')));
      assert.equal(here.changes(), '1_data removed');
      assert.deepEqual(
        here.agent.store.list('Volume').map(({ metadata }) => metadata.name),
        ['other.data'],
      );
      await here.assertRests();
    });
    const settled = async <T>(acted: Promise<T>): Promise<T> => {
      const requests = await acted;
      await here.agent.settle();
      return requests;
    };
  });

  it('stop of a service is over when somebody starts its container', async () => {
    await here.act('stop hello.web');
    await here.agent.settle();
    here.device.engine.docker.startContainer('web_7_1_a');
    await here.agent.relist();
    here.device.engine.docker.stopContainer('web_7_1_a');
    await here.agent.relist();
    await here.agent.settle();
    assert.equal(here.changes(), 'nothing');
  });

  it('start tells when Docker refuses', async () => {
    const shop = { ports: ['80:80'] };
    const [mine, rival] = [
      declareApp({ shop }, { name: 'third', appId: 3, uuid: 't' }),
      declareApp({ rival: shop }, { name: 'rival', appId: 4, uuid: 'r' }),
    ];
    await here.agent.propose([HELLO, OTHER, mine]);
    await here.agent.settle();
    await here.act('stop third.shop');
    await here.agent.settle();
    await here.agent.propose([HELLO, OTHER, mine, rival]);
    await here.agent.settle();
    await here.act('start third.shop');
    await here.agent.quiet();
    const { reason, message = '' } = here.acknowledged('Service/third.shop').refused?.start ?? {};
    assert.equal(reason, 'Failed');
    assert.match(message, /port/);
  });
});
