import assert from 'node:assert/strict';
import { addedByFeatures } from '../../../controllers/service/spec/features.js';
import { accessOfImage, accessOfService, accessOfVolume, missingPermission } from '../../../crds/model/host-access.js';
import { pathText } from '../../../crds/model/issue.js';
import type { VolumeDefinition } from '../../../crds/model/types.js';
import { facts } from '../../controllers/service/builders.js';

describe('accessOfVolume', () => {
  const options = (driver_opts: Record<string, string>, driver?: string): VolumeDefinition => ({
    ...(driver === undefined ? {} : { driver }),
    driver_opts,
  });
  const cases: readonly [volume: VolumeDefinition, option?: string, what?: string][] = [
    [{}],
    [{ driver: 'local' }],
    [options({ size: '10g' })],
    [options({ type: 'tmpfs', device: 'tmpfs', o: 'size=8m,uid=1000' })],
    [options({ type: 'nfs', device: ':/export', o: 'addr=10.0.0.9,rw' })],
    [options({ type: 'cifs', device: '//nas/share', o: 'username=u' })],
    [options({ type: 'none', o: 'bind', device: '/etc' }), 'device', '/etc'],
    [options({ type: 'none', o: 'ro,rbind', device: '/etc' }, 'local'), 'device', '/etc'],
    [options({ type: 'tmpfs', o: 'bind', device: '/etc' }), 'device', '/etc'],
    [options({ type: 'nfs', o: 'addr=10.0.0.9, bind', device: '/etc' }), 'device', '/etc'],
    [options({ type: 'ext4', device: '/dev/sda1' }), 'device', '/dev/sda1'],
    [options({ type: 'proc', device: 'proc' }), 'device', 'proc'],
    [options({ type: 'overlay', device: 'overlay', o: 'lowerdir=/etc:/usr' }), 'device', 'overlay'],
    [options({ device: '/etc', o: 'bind' }, ''), 'device', '/etc'],
    [options({ type: 'sysfs' }), 'type', 'sysfs'],
    [options({ mountpoint: '/etc' }, 'local-persist'), 'mountpoint', '/etc'],
    [options({ sshcmd: 'me@nas:/data', share: '//nas/x' }, 'vieux/sshfs')],
  ];
  for (const [volume, option, what] of cases) {
    it(`${JSON.stringify(volume)} ${option === undefined ? 'reaches nothing of the host' : `mounts ${what}`}`, () => {
      const want =
        option === undefined ? [] : [`driver_opts.${option}: the option ${option} mounts ${what} of the host`];
      assert.deepEqual(
        accessOfVolume(volume).map(({ path, does }) => `${pathText(path)}: ${does}`),
        want,
      );
    });
  }
});

describe('accessOfService', () => {
  const FEATURES = [
    ...['balena-socket', 'dbus', 'kernel-modules', 'firmware', 'journal-logs', 'sysfs', 'procfs'],
    ...['extra-firmware', 'gpu', 'supervisor-api', 'balena-api', 'host-os.board-rev'],
  ];
  for (const feature of FEATURES) {
    it(`tells of ${feature} if, and only if, it mounts what the host has`, () => {
      const labels = { [`io.balena.features.${feature}`]: 'on' };
      const { binds, mounts } = addedByFeatures(labels, { is: 'joined', main: 'default', endpoints: {} }, facts, {
        api: undefined,
        cloud: undefined,
      });
      const mountsHost = binds.length > 0 || mounts.some(({ Type }) => Type === 'bind');
      for (const written of [labels, Object.entries(labels).map(([name, value]) => `${name}=${value}`)]) {
        assert.equal(accessOfService({ labels: written }).length, mountsHost ? 1 : 0);
      }
      assert.equal(accessOfImage({ image: 'x' }, labels).length, mountsHost ? 1 : 0);
    });
  }

  it('takes the old names of labels, and what is not switched on for nothing', () => {
    const reported = (labels: Record<string, string>) => accessOfService({ labels }).map(({ does }) => does);
    assert.deepEqual(reported({ 'io.resin.features.dbus': '1' }), [
      'the label io.balena.features.dbus mounts /run/dbus of the host',
    ]);
    assert.deepEqual(reported({ 'io.balena.features.dbus': 'yes', 'io.balena.features.sysfs': '0' }), []);
  });

  const LOGS: readonly [options: Record<string, string | number>, what?: string][] = [
    [
      {
        'max-size': '10m',
        'max-file': 3,
        tag: '/{{.Name}}',
        'awslogs-group': '/ecs/app',
        'splunk-source': '/var/log/x',
      },
    ],
    [{ 'fluentd-address': 'tcp://10.0.0.9:24224', 'gelf-address': 'udp://logs:12201', 'splunk-url': 'https://logs' }],
    [{ 'fluentd-address': 'logs:24224', 'syslog-address': 'tcp+tls://logs:6514', 'syslog-tls-key': '' }],
    [{ 'fluentd-address': 'unix:///run/fluent.sock' }, 'unix:///run/fluent.sock'],
    [{ 'fluentd-address': 'UNIX:/run/fluent.sock' }, 'UNIX:/run/fluent.sock'],
    [{ 'syslog-address': 'unixgram:///dev/log' }, 'unixgram:///dev/log'],
    [{ 'syslog-tls-key': '/etc/shadow' }, '/etc/shadow'],
    [{ 'syslog-tls-ca-cert': 'root/.ssh/id' }, 'root/.ssh/id'],
    [{ 'splunk-capath': '/etc/ssl/ca.pem' }, '/etc/ssl/ca.pem'],
    [{ 'awslogs-credentials-endpoint': '/creds' }, '/creds'],
    [{ 'loki-tls-key-file': '/etc/key' }, '/etc/key'],
  ];
  for (const [options, what] of LOGS) {
    it(`${what === undefined ? 'lets a log go anywhere but into the host' : `tells of ${what}`}: ${Object.keys(options)}`, () => {
      const [name] = Object.keys(options);
      assert.deepEqual(
        accessOfService({ logging: { driver: 'x', options } }).map(({ path, does }) => `${pathText(path)}: ${does}`),
        what === undefined ? [] : [`logging.options.${name}: the option ${name} opens ${what} of the host`],
      );
    });
  }

  it('tells of namespaces of containers, not of those of services and of the host', () => {
    const fields = { pid: ' container: abc', ipc: 'container:abc' };
    assert.deepEqual(
      accessOfService(fields).map((one) => missingPermission(one)),
      ['pid', 'ipc'].map(
        (field) =>
          `${field} shares the namespace of container abc only with spec.allowHostBinds: true; say so, or use service:<name>`,
      ),
    );
    assert.deepEqual(accessOfService({ pid: 'service:db', ipc: 'shareable' }), []);
  });

  it('lets a document take back what its image asks for', () => {
    const image = { 'io.resin.features.sysfs': '1', 'io.balena.features.dbus': '1' };
    assert.deepEqual(
      accessOfImage({ image: 'x:1', labels: { 'io.balena.features.sysfs': '0' } }, image).map((one) =>
        missingPermission(one, 'a'),
      ),
      [
        'the label io.balena.features.dbus of image x:1 mounts /run/dbus of the host only where App a says allowHostBinds: true; say so there, or say io.balena.features.dbus: "0" under labels',
      ],
    );
  });
});
