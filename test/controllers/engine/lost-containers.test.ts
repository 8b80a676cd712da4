import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SeenContainer } from '../../../controllers/engine/engine.js';
import type { EngineChange } from '../../../controllers/engine/engine-cache.js';
import type { Daemon } from '../../../controllers/engine/engine-keeper.js';
import { shimTask } from '../../../controllers/engine/local/engine-daemon.js';
import { engineFolders } from '../../../controllers/engine/local/engine-folders.js';
import { endLostContainers } from '../../../controllers/engine/lost-containers.js';

const [KNOWN, LOST, LISTED, ENDED] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(64)) as [
  string,
  string,
  string,
  string,
];

describe('endLostContainers', () => {
  let killed: string[];
  let reported: string[];
  let failures: unknown[];
  let running: string[];
  let isFresh: boolean;
  let asked: string[];
  let change: (change: EngineChange) => void;
  let stop: () => Promise<void>;

  const begin = (isOurs = true): void => {
    [killed, reported, failures, running, isFresh] = [[], [], [], [KNOWN, LOST, LISTED], false];
    asked = [];
    const never = (): never => assert.fail();
    const process: Daemon['process'] = {
      ...{ isRunning: never, start: never, restart: never },
      tasks: async () => running,
    };
    stop = endLostContainers({
      daemon: isOurs ? { process } : {},
      cache: {
        get hasSynced() {
          return isFresh;
        },
        containers: () => [{ id: LISTED } as SeenContainer],
        onChange: (listener) => {
          change = listener;
          return () => undefined;
        },
      },
      engine: {
        inspectContainer: async (id) => {
          asked.push(id);
          return id === KNOWN ? ({ id } as SeenContainer) : undefined;
        },
      },
      kill: async (id) => {
        killed.push(id);
        running = running.filter((one) => one !== id);
        return id === ENDED ? 0 : 2;
      },
      emit: (message) => reported.push(message),
      failed: (error) => failures.push(error),
    });
  };
  const list = async (): Promise<void> => {
    isFresh = true;
    change({ type: 'all' });
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  };
  afterEach(() => stop());

  it('ends one that the engine does not know once it has been listed, says so, and leaves the others alone', async () => {
    begin();
    change({ type: 'all' });
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    assert.deepEqual(killed, [], 'nothing is known yet');
    await list();
    assert.deepEqual(killed, [LOST]);
    assert.deepEqual(reported, [`Killed 2 processes of container ${LOST}, which the engine does not know any more`]);
    await list();
    assert.deepEqual([killed, failures], [[LOST], []]);
  });

  it('asks nothing of containers that were listed', async () => {
    begin();
    await list();
    assert.deepEqual(asked, [KNOWN, LOST]);
  });

  it('says nothing of one that ends just then', async () => {
    begin();
    running = [ENDED];
    await list();
    assert.deepEqual([killed, reported], [[ENDED], []]);
  });

  it('leaves the containers of an engine of somebody else alone', async () => {
    begin(false);
    await list();
    assert.deepEqual([killed, failures], [[], []]);
  });
});

describe('shimTask', () => {
  const folders = engineFolders('/data');
  const shim = (address: string, namespace = 'moby', id = LOST) =>
    `/usr/bin/containerd-shim-runc-v2 -namespace ${namespace} -id ${id} -address ${address}`;
  const own = `${folders.execRoot}/containerd/containerd.sock`;
  const rows: readonly [it: string, command: string, id: string | undefined][] = [
    ['is the container of a shim of that engine', shim(own), LOST],
    ['is none of an engine that uses the containerd of the system', shim('/run/containerd/containerd.sock'), undefined],
    ['is none of another engine', shim('/run/other/exec/containerd/containerd.sock'), undefined],
    ['is none for a plugin of the engine', shim(own, 'plugins.moby'), undefined],
    ['is none without an id of a container', shim(own, 'moby', 'x'), undefined],
    ['is none of another program', `containerd --address ${own}`, undefined],
  ];
  for (const [what, command, id] of rows) it(what, () => assert.equal(shimTask(folders, command), id));
});
