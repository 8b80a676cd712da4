import assert from 'node:assert/strict';
import { EngineError } from '../../../controllers/engine/engine.js';
import { conditionOf, isReady } from '../../../crds/model/conditions.js';
import type { AnyDeclared, Kind } from '../../../crds/model/kinds.js';
import type { AppSpec } from '../../../crds/model/types.js';
import { Device } from '../../simulation/device.js';

const document = (kind: Kind, name: string, spec: object) =>
  ({ apiVersion: 'supercargo.io/v1', kind, metadata: { name }, spec }) as AnyDeclared;
const app = (spec: AppSpec, name = 'hello') => document('App', name, spec);
const web = (fields: object = {}, more: AppSpec = {}) =>
  app({ services: { web: { image: 'web:1', ...fields } }, ...more });
const byHand = (fields: object) =>
  document('Service', 'hello.side', { app: 'hello', serviceName: 'side', image: 'web:1', ...fields });
const ARM = { os: 'linux', architecture: 'arm64', variant: 'v8' };

describe('bad input to a service', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1', { content: 'one' });
    device.engine.images.add('arm:1', { content: 'arm', platform: ARM });
    await device.boot();
  });
  afterEach(() => device.stop());

  const agent = () => device.agent ?? assert.fail('no agent');
  const bring = async (...documents: readonly AnyDeclared[]) => {
    await agent().propose(documents);
    await agent().settle();
  };
  /** Proposes and lets time pass, for what does not come to rest. */
  const pass = async (...documents: readonly AnyDeclared[]) => {
    await agent().propose(documents);
    for (let step = 0; step < 12; step += 1) {
      await agent().quiet();
      device.clock.step();
    }
    await agent().quiet();
  };
  const ready = (kind: Kind, name: string) => {
    const found = agent().store.get(kind, name);
    return found && conditionOf(found, 'Ready');
  };
  const says = (kind: Kind, name: string) => {
    const condition = ready(kind, name);
    return `${condition?.reason}: ${condition?.message}`;
  };
  const isStalled = (kind: Kind, name: string) => {
    const found = agent().store.get(kind, name);
    return found !== undefined && conditionOf(found, 'Stalled')?.status === 'True';
  };
  const containers = () =>
    device.engine.docker.containers.map(({ name, state }) => `${name.split('_', 1)} ${state}`).sort();
  const neighbour = app({ services: { main: { image: 'web:1' } } }, 'neighbour');
  /** What the engine refuses of one service, in Docker's words. */
  const refuse = (verb: 'createContainer' | 'startContainer', message: string, statusCode: number) => {
    device.engine.before = (called, [context]) => {
      const name = called === 'createContainer' ? String(context) : device.engine.seen(String(context))?.name;
      if (called === verb && name?.startsWith('web_')) throw new EngineError(message, statusCode);
    };
  };
  const attempts = () => device.engine.verbs.filter((verb) => /^(create|start)Container$/.test(verb)).length;

  const retried: readonly [
    what: string,
    verb: 'createContainer' | 'startContainer',
    said: string,
    status: number,
    reason: string,
  ][] = [
    [
      'a port that is taken',
      'startContainer',
      'Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use',
      500,
      'PortInUse',
    ],
    [
      'a port that no running container has',
      'startContainer',
      'Bind for 0.0.0.0:80 failed: port is already allocated',
      500,
      'PortLeaked',
    ],
    ['a fixed address that is taken', 'startContainer', 'Address already in use', 403, 'AddressInUse'],
    [
      'a network without a free address',
      'startContainer',
      "no available IPv4 addresses on this network's address pools: n (1)",
      500,
      'NoFreeAddress',
    ],
    [
      'a device that is not there',
      'startContainer',
      'error gathering device information while adding custom device "/dev/x": no such file or directory',
      500,
      'DeviceMissing',
    ],
    [
      'a path that is not there',
      'createContainer',
      'invalid mount config for type "bind": bind source path does not exist: /x',
      400,
      'HostPathMissing',
    ],
  ];
  for (const [what, verb, said, status, reason] of retried) {
    it(`tries again for ${what}, under a name, and works once it can; a neighbour notices nothing`, async () => {
      refuse(verb, said, status);
      await pass(web(), neighbour);
      assert.equal(ready('Service', 'hello.web')?.reason, reason);
      assert.equal(isStalled('Service', 'hello.web'), false);
      assert.ok(isReady(agent().store.get('App', 'neighbour') ?? assert.fail()));
      device.engine.before = undefined;
      await agent().settle();
      assert.deepEqual(containers(), ['main running', 'web running']);
    });
  }

  const stalled: readonly [
    what: string,
    verb: 'createContainer' | 'startContainer',
    said: string,
    status: number,
    reason: string,
  ][] = [
    [
      'a command that the image lacks',
      'startContainer',
      'exec: "nope": executable file not found in $PATH: unknown',
      400,
      'CommandNotFound',
    ],
    ['a runtime that the engine lacks', 'createContainer', 'Unknown runtime specified nvidia', 400, 'RuntimeMissing'],
    [
      'an image for another platform',
      'createContainer',
      'image with reference x was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64',
      404,
      'WrongArchitecture',
    ],
    [
      'options that the storage lacks',
      'createContainer',
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
      500,
      'InvalidSpec',
    ],
  ];
  for (const [what, verb, said, status, reason] of stalled) {
    it(`does not try for ever with ${what}, and goes on with the next document`, async () => {
      refuse(verb, said, status);
      await pass(web(), neighbour);
      assert.equal(ready('Service', 'hello.web')?.reason, reason);
      assert.ok(isStalled('Service', 'hello.web'));
      const before = attempts();
      for (let minute = 0; minute < 5; minute += 1) {
        device.clock.advance(60_000);
        await agent().quiet();
      }
      assert.equal(attempts(), before);
      device.engine.before = undefined;
      await bring(web({ command: 'other' }), neighbour);
      assert.deepEqual(containers(), ['main running', 'web running']);
    });
  }

  describe('an image for another machine', () => {
    it('keeps its release from being promoted: what runs goes on', async () => {
      await bring(web());
      const [before] = device.engine.docker.containers;
      await bring(web({ image: 'arm:1' }));
      assert.match(
        says('App', 'hello'),
        /^InvalidRelease: spec\.services\.web\.image: image arm:1 is made for linux\/arm64\/v8, which this device \(amd64\) does not run: name an image for linux\/amd64/,
      );
      assert.ok(isStalled('App', 'hello'));
      assert.equal(device.engine.docker.containers[0], before);
      assert.deepEqual(containers(), ['web running']);
    });

    it('is tried when the document says that it means it', async () => {
      await bring(web({ image: 'arm:1', platform: 'linux/arm64' }));
      assert.deepEqual(containers(), ['web running']);
      assert.ok(isReady(agent().store.get('App', 'hello') ?? assert.fail()));
    });

    it('is pulled for the platform that the document names, and refused when it is of another', async () => {
      device.engine.images.serve('far:1', { content: 'far', platform: ARM });
      await bring(web({ image: 'far:1', platform: 'linux/arm64' }));
      assert.deepEqual(containers(), ['web running']);
      const [pull] = device.engine.calls.filter(({ verb }) => verb === 'pullImage');
      assert.match(JSON.stringify(pull?.args), /"platform":"linux\/arm64"/);
      await bring(web({ image: 'far:1', platform: 'linux/arm/v7' }));
      assert.match(
        says('App', 'hello'),
        /^InvalidRelease: .*made for linux\/arm64\/v8, and the document asks for linux\/arm\/v7/,
      );
      assert.deepEqual(containers(), ['web running']);
    });

    it('stalls a standalone service, and nothing is stopped for it', async () => {
      await bring(web(), byHand({}));
      assert.deepEqual(containers(), ['side running', 'web running']);
      await bring(web(), byHand({ image: 'arm:1' }));
      assert.match(says('Service', 'hello.side'), /^WrongArchitecture: image arm:1 is made for linux\/arm64\/v8/);
      assert.deepEqual(containers(), ['side running', 'web running']);
    });

    it('that was put in its place is taken as soon as it is there', async () => {
      await bring(web({ image: 'arm:1' }));
      assert.deepEqual(containers(), []);
      device.engine.images.add('arm:1', { content: 'amd', platform: { ...ARM, architecture: 'amd64', variant: '' } });
      await agent().settle();
      device.clock.advance(100);
      await agent().settle();
      assert.deepEqual(containers(), ['web running']);
    });
  });

  describe('a path of the host', () => {
    const BIND = { volumes: ['/etc/app:/etc/app:ro'] };
    const binds = () =>
      device.engine.docker.containers.flatMap(({ options }) =>
        (options.HostConfig?.Binds ?? []).filter((bind) => bind.startsWith('/etc')),
      );

    it('is mounted where the App says so', async () => {
      await bring(web(BIND, { allowHostBinds: true }));
      assert.deepEqual(binds(), ['/etc/app:/etc/app:ro']);
    });

    it('is not mounted where it does not, whatever door the document found', async () => {
      await bring(web(BIND));
      assert.match(
        says('App', 'hello'),
        /^InvalidRelease: spec\.services\.web\.volumes: \/etc\/app of the host is mounted only with spec\.allowHostBinds: true/,
      );
      assert.deepEqual(containers(), []);
    });

    it('is never mounted for a target state', async () => {
      await agent().propose([web(BIND, { allowHostBinds: true })], 'local');
      await agent().settle();
      assert.match(says('App', 'hello'), /\/etc\/app of the host is not mounted for a target state/);
      assert.deepEqual(containers(), []);
    });

    it('of a standalone service follows its App, also later', async () => {
      await bring(web(), byHand(BIND));
      assert.match(
        says('Service', 'hello.side'),
        /^InvalidSpec: spec\.volumes: \/etc\/app of the host is mounted only where App hello says allowHostBinds: true/,
      );
      assert.deepEqual(containers(), ['web running']);
      await bring(web({}, { allowHostBinds: true }), byHand(BIND));
      assert.deepEqual(containers(), ['side running', 'web running']);
      assert.deepEqual(binds(), ['/etc/app:/etc/app:ro']);
    });
  });

  describe('what reaches into the host by another door', () => {
    const DISK = { driver_opts: { type: 'none', o: 'bind', device: '/etc' } };
    const SYSFS = { 'io.balena.features.sysfs': '1' };
    const doors: readonly [what: string, spec: (other: string) => AppSpec, says: RegExp][] = [
      [
        'a volume that binds a path',
        () => ({ services: { web: { image: 'web:1', volumes: ['d:/d'] } }, volumes: { d: DISK } }),
        /^InvalidRelease: spec\.volumes\.d\.driver_opts\.device: the option device mounts \/etc of the host only with spec\.allowHostBinds: true/,
      ],
      [
        'a label that mounts',
        () => ({ services: { web: { image: 'web:1', labels: SYSFS } } }),
        /^InvalidRelease: spec\.services\.web\.labels\["io\.balena\.features\.sysfs"\]: the label .* mounts \/sys of the host only with/,
      ],
      [
        'a label of the image that mounts',
        () => ({ services: { web: { image: 'sys:1' } } }),
        /^InvalidRelease: spec\.services\.web\.image: the label io\.balena\.features\.sysfs of image sys:1 mounts \/sys of the host only with .*or say io\.balena\.features\.sysfs: "0" under labels/,
      ],
      [
        'the namespace of a container',
        (other) => ({ services: { web: { image: 'web:1', pid: `container:${other}` } } }),
        /^InvalidRelease: spec\.services\.web\.pid: pid shares the namespace of container \w+ only with/,
      ],
    ];
    /** A container that is none of ours. */
    let other: string;
    beforeEach(() => {
      device.engine.images.add('sys:1', { content: 'sys', config: { Labels: SYSFS } });
      const { docker } = device.engine;
      other = docker.createContainer('other', { Image: 'web:1', Labels: {}, HostConfig: { IpcMode: 'shareable' } });
      docker.startContainer(other);
    });
    const ours = () => containers().filter((one) => !one.startsWith('other'));
    const made = () => ({
      containers: device.engine.docker.containers.map(({ id, state }) => `${id} ${state}`),
      volumes: device.engine.docker.volumes.map(({ name }) => name),
    });
    const asTargetState = (document: AnyDeclared) =>
      agent().store.propose({
        origin: 'files',
        documents: [{ document, source: { file: 'target.json', isTargetState: true } }],
      });

    for (const [what, specOf, says_] of doors) {
      it(`${what}: refused, and what runs stays; taken with the App's word`, async () => {
        const spec = specOf(other);
        await bring(web());
        const before = made();
        await bring(app(spec));
        assert.match(says('App', 'hello'), says_);
        assert.ok(isStalled('App', 'hello'));
        assert.deepEqual(made(), before);
        await bring(app({ ...spec, allowHostBinds: true }));
        assert.ok(isReady(agent().store.get('App', 'hello') ?? assert.fail()), says('App', 'hello'));
        assert.deepEqual(ours(), ['web running']);
        assert.notDeepEqual(made().containers, before.containers);
      });

      it(`${what}: what runs already stays when the word is taken back, also over a restart of the agent`, async () => {
        const spec = specOf(other);
        await bring(app({ ...spec, allowHostBinds: true }));
        const before = made();
        await bring(app(spec));
        assert.match(says('App', 'hello'), says_);
        assert.deepEqual(made(), before);
        await device.kill();
        await device.boot();
        await bring(app(spec));
        assert.match(says('App', 'hello'), says_);
        assert.deepEqual(made(), before);
      });

      for (const [door, propose] of [
        ['posted', (document: AnyDeclared) => agent().propose([document], 'local')],
        ['in a file', asTargetState],
      ] as const) {
        it(`${what}: passed on from a target state ${door}`, async () => {
          await propose(app(specOf(other)));
          await agent().settle();
          assert.ok(isReady(agent().store.get('App', 'hello') ?? assert.fail()), says('App', 'hello'));
          assert.deepEqual(ours(), ['web running']);
        });
      }
    }

    for (const [what, fieldsOf, says_] of [
      [
        'a label',
        () => ({ labels: SYSFS }),
        /^InvalidSpec: spec\.labels\[.*mounts \/sys of the host only where App hello says/,
      ],
      [
        'a label of its image',
        () => ({ image: 'sys:1' }),
        /^InvalidSpec: spec\.image: .*mounts \/sys of the host only where App hello/,
      ],
      [
        'a namespace',
        (id: string) => ({ ipc: `container:${id}` }),
        /^InvalidSpec: spec\.ipc: ipc shares the namespace of container \w+ only where/,
      ],
    ] as const) {
      it(`${what} of a standalone service follows its App`, async () => {
        const fields = fieldsOf(other);
        await bring(web({ ipc: 'shareable' }), byHand(fields));
        assert.match(says('Service', 'hello.side'), says_);
        assert.deepEqual(ours(), ['web running']);
        await bring(web({ ipc: 'shareable' }, { allowHostBinds: true }), byHand(fields));
        assert.deepEqual(ours(), ['side running', 'web running']);
        const before = made();
        await bring(web({ ipc: 'shareable' }), byHand(fields));
        assert.match(says('Service', 'hello.side'), says_);
        assert.deepEqual(made(), before);
      });
    }

    it('a standalone volume follows its App; an existing one stays', async () => {
      const volume = document('Volume', 'hello.d', {
        app: 'hello',
        appId: 1,
        volumeName: '1_d',
        reclaim: 'Retain',
        ...DISK,
      });
      await bring(web(), volume);
      const refused =
        /^InvalidSpec: spec\.driver_opts\.device: the option device mounts \/etc of the host only where App hello/;
      assert.match(says('Volume', 'hello.d'), refused);
      assert.deepEqual(made().volumes, []);
      await bring(web({}, { allowHostBinds: true }), volume);
      assert.deepEqual(made().volumes, ['1_d']);
      assert.equal(isStalled('Volume', 'hello.d'), false);
      await bring(web(), volume);
      assert.match(says('Volume', 'hello.d'), refused);
      assert.deepEqual(made().volumes, ['1_d']);
    });

    it('an image that replaces another is checked again, and what runs stays', async () => {
      await bring(web());
      const before = made();
      device.engine.images.add('web:1', { content: 'other', config: { Labels: SYSFS } });
      await agent().settle();
      assert.match(says('Service', 'hello.web'), /^InvalidSpec: spec\.image: the label .* mounts \/sys of the host/);
      assert.deepEqual(made(), before);
    });
  });

  it('keeps the logs of our own documents bounded, and leaves those of a target state to the engine', async () => {
    const logs = () => device.engine.docker.containers.map(({ options }) => options.HostConfig?.LogConfig);
    await bring(web());
    assert.deepEqual(logs(), [{ Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } }]);
    await bring();
    await agent().propose([web()], 'local');
    await agent().settle();
    assert.deepEqual(logs(), [undefined]);
  });

  it('runs an app that grows to 300 services', async () => {
    const services = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { image: 'web:1' }]));
    for (const count of [100, 200, 300]) await bring(app({ services: services(count) }), neighbour);
    assert.ok(isReady(agent().store.get('App', 'hello') ?? assert.fail()));
    assert.equal(device.engine.docker.containers.filter(({ state }) => state === 'running').length, 301);
  }).timeout(180_000);
});
