import assert from 'node:assert/strict';
import { readDefinition } from '../../../../controllers/service/container/definition.js';
import { REQUIRES_REBOOT } from '../../../../controllers/service/spec/labels.js';
import { newRecord, timeOf, type UpdateStep, withStep } from '../../../../controllers/service/update/record.js';
import { updatePolicyOf } from '../../../../controllers/service/update/update-policy.js';
import type { UpdateStrategy } from '../../../../crds/model/update-strategy.js';
import { aServiceSpec } from '../builders.js';

interface Case {
  readonly it: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly field?: UpdateStrategy;
  readonly imageLabels?: Readonly<Record<string, string>>;
  readonly guests?: readonly string[];
  readonly want: string;
}
const LABEL = 'io.balena.update.strategy';
const OURS = 'io.supercargo.update.strategy';

describe('updatePolicyOf', () => {
  const rolling = { updateStrategy: 'rolling' } as const;
  const handOver = { updateStrategy: 'hand-over' } as const;
  const cases: readonly Case[] = [
    { it: 'is the default', want: 'download-then-kill' },
    { it: 'is what the label says', fields: { labels: { [LABEL]: 'hand-over' } }, want: 'hand-over' },
    {
      it: 'is what the legacy label says',
      fields: { labels: { 'io.resin.update.strategy': 'kill-then-download' } },
      want: 'kill-then-download',
    },
    { it: 'is what our label says', fields: { labels: [`${OURS}=rolling`] }, want: 'rolling' },
    {
      it: 'follows the label of the Supervisor before ours',
      fields: { labels: { [OURS]: 'rolling', [LABEL]: 'delete-then-download' } },
      want: 'delete-then-download',
    },
    {
      it: 'follows the field before labels',
      fields: { labels: { [LABEL]: 'hand-over' }, ...rolling },
      want: 'rolling',
    },
    {
      it: 'follows the image where the document says nothing',
      imageLabels: { [LABEL]: 'hand-over' },
      want: 'hand-over',
    },
    {
      it: 'follows the document before the image',
      fields: { labels: { [OURS]: 'rolling' } },
      imageLabels: { [LABEL]: 'hand-over' },
      want: 'rolling',
    },
    {
      it: 'says which word it does not know',
      fields: { labels: { [LABEL]: 'rollling' } },
      want: 'download-then-kill; UnknownStrategy: There is no update strategy rollling; download-then-kill is followed',
    },
    ...[handOver, rolling].flatMap((strategy): Case[] => {
      const want = (reason: string, message: string): string =>
        `download-then-kill; ${reason}: ${strategy.updateStrategy} needs two containers at once, but the service ${message}; download-then-kill is followed`;
      const name = strategy.updateStrategy;
      return [
        {
          it: `has no room for ${name} beside a published port`,
          fields: { ...strategy, ports: ['8080:80'] },
          want: want('PublishesPorts', 'publishes port 8080 of the host'),
        },
        {
          it: `has no room for ${name} at a fixed address`,
          fields: { ...strategy, networks: { back: { ipv4_address: '10.0.0.4' } } },
          want: want('FixedAddress', 'has the fixed address 10.0.0.4'),
        },
        {
          it: `has no room for ${name} at a fixed MAC address`,
          fields: { ...strategy, mac_address: '02:42:00:00:00:09' },
          want: want('FixedAddress', 'has the fixed address 02:42:00:00:00:09'),
        },
        {
          it: `has no room for ${name} with guests in its network`,
          fields: strategy,
          guests: ['proxy'],
          want: want('NetworkIsShared', 'shares its network with proxy'),
        },
        {
          it: `has no use for ${name} of what runs once`,
          fields: { ...strategy, restart: 'no' },
          want: want('RunsOnce', 'runs once (restart: no)'),
        },
      ];
    }),
    {
      it: 'does not roll on the network of the host',
      fields: { ...rolling, network_mode: 'host' },
      want: 'download-then-kill; HostNetwork: rolling needs two containers at once, but the service uses the network of the host; download-then-kill is followed',
    },
    {
      it: 'does not roll in the network of another service',
      fields: { ...rolling, network_mode: 'service:vpn' },
      want: 'download-then-kill; HostNetwork: rolling needs two containers at once, but the service uses the network of vpn; download-then-kill is followed',
    },
    {
      it: 'hands over beside a free port',
      fields: { ...handOver, defaults: 'compose', ports: ['80'] },
      want: 'hand-over',
    },
    { it: 'rolls beside a free port', fields: { ...rolling, ports: ['0:80'] }, want: 'rolling' },
    {
      it: 'has no room beside a free port and another one',
      fields: { ...rolling, ports: ['0:80', '81:81'] },
      want: 'download-then-kill; PublishesPorts: rolling needs two containers at once, but the service publishes port 81 of the host; download-then-kill is followed',
    },
    { it: 'rolls without a network', fields: { ...rolling, network_mode: 'none' }, want: 'rolling' },
    {
      it: 'hands over in the network of another service',
      fields: { ...handOver, network_mode: 'service:vpn' },
      want: 'hand-over',
    },
    {
      it: 'names all guests in its network',
      fields: rolling,
      guests: ['proxy', 'dns'],
      want: 'download-then-kill; NetworkIsShared: rolling needs two containers at once, but the service shares its network with proxy, dns; download-then-kill is followed',
    },
    ...[
      { fields: { ...handOver, labels: { [REQUIRES_REBOOT]: '1' } } },
      { fields: handOver, imageLabels: { [REQUIRES_REBOOT]: '1' } },
    ].map(
      (given): Case => ({
        it: `does not hand over what starts with a boot, as ${given.imageLabels ? 'the image' : 'the document'} says`,
        ...given,
        want: 'download-then-kill; RequiresReboot: hand-over needs two containers at once, but the service starts with a boot of the device; download-then-kill is followed',
      }),
    ),
    {
      it: 'stops first what starts with a boot where it is to stop first anyway',
      fields: { updateStrategy: 'kill-then-download', labels: { [REQUIRES_REBOOT]: '1' } },
      want: 'kill-then-download',
    },
    {
      it: 'does not roll with a device',
      fields: { ...rolling, devices: ['/dev/ttyACM0'] },
      want: 'download-then-kill; UsesDevices: rolling needs two containers at once, but the service uses device /dev/ttyACM0; download-then-kill is followed',
    },
    { it: 'hands over on the network of the host', fields: { ...handOver, network_mode: 'host' }, want: 'hand-over' },
    { it: 'hands over with a device', fields: { ...handOver, devices: ['/dev/ttyACM0'] }, want: 'hand-over' },
  ];

  for (const { it: what, fields, imageLabels = {}, guests = [], want } of cases) {
    it(what, () => {
      const spec = aServiceSpec(fields);
      const updatePolicy = updatePolicyOf({
        definition: readDefinition(spec).definition,
        field: spec.updateStrategy,
        imageLabels,
        guests,
      });
      const instead = updatePolicy.instead ? `; ${updatePolicy.instead.reason}: ${updatePolicy.instead.message}` : '';
      assert.equal(`${updatePolicy.strategy}${instead}`, want);
    });
  }

  const timeouts: readonly (readonly [label: string | undefined, ms: number])[] = [
    [undefined, 60_000],
    ['1500', 1_500],
    [' 1500 ', 1_500],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['0', 60_000],
    ['-1', 60_000],
    ['1.5', 60_000],
    ['10s', 60_000],
    ['99999999999999999999', 60_000],
  ];
  for (const [label, ms] of timeouts) {
    it(`reads the timeout ${label} as ${ms} ms`, () => {
      const labels = label === undefined ? {} : { 'io.balena.update.handover-timeout': label };
      const { definition } = readDefinition(aServiceSpec({ labels }));
      assert.equal(updatePolicyOf({ definition, field: undefined, imageLabels: {}, guests: [] }).timeoutMs, ms);
    });
  }
});

describe('the record of an update', () => {
  const record = (...steps: readonly (readonly [step: UpdateStep, at: number, stoppedForMs?: number])[]) =>
    steps.reduce(
      (before, [step, at, stoppedForMs]) => withStep(before, step, { at, stoppedForMs }),
      newRecord('rolling', 'spec changed'),
    );

  it('measures from the end of the old container to the start of the new one', () => {
    assert.equal(record(['Stopped', 1_000], ['Started', 1_250, 250]).downtimeMs, 250);
  });
  it('measures the same when the clock was set in between', () => {
    assert.equal(record(['Stopped', 1_000], ['Started', 900_000, 250]).downtimeMs, 250);
    assert.equal(record(['Stopped', 900_000], ['Started', 1_000, 250]).downtimeMs, 250);
    assert.equal(record(['Started', 900_000], ['Stopped', 1_000]).downtimeMs, 0);
  });
  it('knows no downtime when the new one came first', () => {
    assert.equal(record(['Started', 1_000], ['Stopped', 5_000]).downtimeMs, 0);
  });
  it('does not guess', () => assert.equal(record(['Created', 1], ['Started', 2]).downtimeMs, undefined));
  it('notes each step once', () => {
    assert.equal(timeOf(record(['Started', 1_000], ['Started', 2_000]), 'Started'), 1_000);
  });
  it('takes nothing after its end', () => {
    assert.deepEqual(
      record(['Started', 1], ['Complete', 2], ['Stopped', 3]).steps.map(({ step }) => step),
      ['Started', 'Complete'],
    );
  });
});
