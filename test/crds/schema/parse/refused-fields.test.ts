import assert from 'node:assert/strict';
import { issuesOf, service } from './a-document.js';

describe('parseDocument', () => {
  describe('refuses', () => {
    const at = 'spec.services.web';
    const size = 'a string (a size such as 512m) or a whole number';
    const port = 'a port such as 8080:80 or 127.0.0.1:5353:53/udp';
    const fields: readonly [field: string, value: unknown, want: string][] = [
      ['command', 3, 'Expected a string or a list, found the number 3; put it in quotes'],
      ['command', ['a', 3], '[1]: Expected a string, found the number 3; put it in quotes'],
      ['tty', 'yes', 'Expected true or false, found "yes"'],
      ['user', true, 'Expected a string or a whole number, found true; put it in quotes'],
      ['restart', 'sometimes', 'Expected no, always, on-failure, on-failure:3 or unless-stopped, found "sometimes"'],
      ['restart', false, 'Expected a string (no, always, on-failure, on-failure:3 or unless-stopped), found false'],
      ['restart_unhealthy', 'on', 'Expected a budget such as 5/300s, found "on"'],
      ['restart_unhealthy', 5, 'Expected true or false or a string (a budget such as 5/300s), found the number 5'],
      ['restart_unhealthy', '3/0s', '"3/0s" allows restarts within no time; 5/300s allows five within five minutes'],
      ['mem_limit', '1.5g', 'Expected a size such as 512m, found "1.5g"'],
      ['mem_limit', {}, `Expected ${size}, found a map`],
      ['stop_grace_period', '90', 'Expected a duration such as 1m30s, found "90"'],
      ['stop_grace_period', 'abc', 'Expected a duration such as 1m30s, found "abc"'],
      ['stop_grace_period', '', 'Expected a duration such as 1m30s, found ""'],
      ['healthcheck', { interval: '1h5' }, '.interval: Expected a duration such as 1m30s, found "1h5"'],
      [
        'healthcheck',
        { start_period: '1s', startPeriod: '1s' },
        '.startPeriod: Is the same as start_period; leave one out',
      ],
      ['cpus', 'many', 'Expected a number such as 0.5, found "many"'],
      ['ports', '80:80', 'Expected a list, found "80:80"'],
      ['ports', ['x'], `[0]: Expected ${port}, found "x"`],
      ['ports', ['80/sctp'], `[0]: Expected ${port}, found "80/sctp"`],
      [
        'ports',
        ['127.0.0.1:::80'],
        '[0]: Expected [ip:][host[-end]:]container[-end][/tcp|/udp], found "127.0.0.1:::80"',
      ],
      [
        'ports',
        ['999.1.1.1:80:80'],
        '[0]: Expected [ip:][host[-end]:]container[-end][/tcp|/udp], found "999.1.1.1:80:80"',
      ],
      ['ports', [70000], '[0]: Expected at most 65535, found the number 70000'],
      ['ports', ['80:70000'], '[0]: 70000 is not a port: they go from 1 to 65535'],
      ['ports', ['0-1:80-81'], '[0]: 0 is not a port: they go from 1 to 65535'],
      ['ports', ['90-80'], '[0]: The range 90-80 goes backwards'],
      [
        'ports',
        ['9000-9002:80'],
        '[0]: 9000-9002 leaves the port of the host for 80 to chance among these, which is not supported: write one of them, such as "9000:80", or none for any free one',
      ],
      ['ports', ['4100-4103:100-102'], '[0]: The ranges 4100-4103 and 100-102 are not equally long'],
      [
        'ports',
        [{ published: 80 }],
        '[0].target: Missing: a string (a port such as 80 or 8000-8010) or a whole number',
      ],
      ['ports', [{ target: '80-82', published: 80 }], '[0]: The ranges 80-80 and 80-82 are not equally long'],
      ['ports', [{ target: 80, publish: 80 }], '[0].publish: Unknown field "publish"; did you mean "published"?'],
      ['volumes', { data: '/data' }, 'Expected a list, found a map'],
      ['volumes', ['data'], '[0]: Expected a volume and a path, such as data:/var/lib/data'],
      [
        'volumes',
        ['/etc:/etc'],
        '[0]: Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data',
      ],
      [
        'volumes',
        ['./x:/x'],
        '[0]: Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data',
      ],
      ['volumes', ['data:data'], '[0]: The path "data" must begin with /'],
      [
        'volumes',
        [{ type: 'bind', source: '/etc', target: '/x' }],
        '[0]: Paths of the host are mounted only where the App says allowHostBinds: true; use a volume, such as data:/var/lib/data',
      ],
      ['volumes', [{ type: 'tmpfs', source: 'a', target: '/x' }], '[0]: A tmpfs has no source'],
      ['volumes', [{ type: 'nfs', target: '/x' }], '[0].type: Expected volume, tmpfs or bind, found "nfs"'],
      [
        'network_mode',
        'container:x',
        'Containers have no fixed names here; use service:<name of a service of the app>',
      ],
      ['network_mode', 'a b', 'Expected host, none, bridge, service:<name> or a network, found "a b"'],
      [
        'networks',
        { 'a b': null },
        '["a b"]: Not a name: letters, digits, _ . - are allowed, and a letter or digit comes first',
      ],
      ['networks', { a: { alias: [] } }, '.a.alias: Unknown field "alias"; did you mean "aliases"?'],
      [
        'depends_on',
        { a: { condition: 'healthy' } },
        '.a.condition: Expected service_started, service_healthy or service_completed_successfully, found "healthy"',
      ],
      ['ulimits', { nofile: '5' }, '.nofile: Expected a whole number or a map, found "5"'],
      ['ulimits', { nofile: { soft: 9, hard: 5 } }, '.nofile: soft (9) is above hard (5)'],
      [
        'devices',
        [3],
        '[0]: Expected a string (a device such as /dev/ttyUSB0:/dev/modem:rw) or a map, found the number 3; put it in quotes',
      ],
      [
        'devices',
        ['/dev/a:/dev/b:all'],
        '[0]: Expected a device such as /dev/ttyUSB0:/dev/modem:rw, found "/dev/a:/dev/b:all"',
      ],
      ['image', 'Busy Box', 'Expected an image reference such as registry.example.com/team/web:1.2, found "Busy Box"'],
      ['environment', { 'A=B': 'x' }, '["A=B"]: Not a name: it must not be empty and must not contain ='],
      ['sysctls', ['x'], '[0]: Expected name=value, found "x"'],
      ['running', 'yes', 'Expected true or false, found "yes"'],
      ['restart', 'always:3', 'Expected no, always, on-failure, on-failure:3 or unless-stopped, found "always:3"'],
      ['logging', 'json-file', 'Expected a map, found "json-file"'],
      ['gpus', 'some', 'Expected all, found "some"'],
      ['gpus', [{ count: 0 }], '[0].count: Expected at least 1, or all, found the number 0'],
      ['device_cgroup_rules', ['all'], '[0]: Expected a rule such as c 188:* rmw, found "all"'],
      ['platform', 'arm64', 'Expected a platform such as linux/arm64 or linux/arm/v7, found "arm64"'],
      ['expose', ['90-80'], '[0]: The range 90-80 goes backwards'],
      ['expose', ['0/udp'], '[0]: 0 is not a port: they go from 1 to 65535'],
      [
        'healthcheck',
        { test: ['curl', 'localhost'] },
        '.test[0]: Expected CMD, CMD-SHELL or NONE before the command, found "curl"; a string is a command for the shell',
      ],
      ['expose', ['http'], '[0]: Expected a port such as 80, 8000-8010 or 53/udp, found "http"'],
      ['mem_swappiness', 101, 'Expected at most 100, found the number 101'],
      ['blkio_config', { weight: 5 }, '.weight: Expected at least 10, found the number 5'],
      ['cgroup', 'parent', 'Expected host or private, found "parent"'],
      [
        'pull_policy',
        'build',
        'Expected missing, if_not_present, always or never, found "build"; images are built elsewhere: push it to a registry, or build or load it on the device and say never',
      ],
    ];

    it('what Compose has and we do not, with what to write instead', () => {
      const sentences = issuesOf(
        service({
          ...{ links: ['db'], deploy: {}, env_file: '.env', volumes_from: ['db'], annotations: {}, scale: 2 },
          networks: { a: { priority: 1 } },
        }),
      );
      const prefix = /^spec\.services\.web\.(\S+): Unknown field "\w+"; Compose has it, but it is not supported here: /;
      assert.deepEqual(
        sentences.map((sentence) => sentence.replace(prefix, '$1 → ')),
        [
          'links → services of an app reach each other by name; further names are networks.<name>.aliases, the order is depends_on',
          'deploy → write its limits as cpus, mem_limit, mem_reservation and restart; a service is one container',
          'env_file → write the variables under environment',
          'volumes_from → name the same volumes in both services',
          'annotations → engines before 25.0 do not know it: use labels',
          'scale → a service is one container: write a second service',
          'networks.a.priority → the first network of the list is the main one',
        ],
      );
    });

    for (const [field, value, want] of fields) {
      it(`${field}: ${JSON.stringify(value)}`, () => {
        const path = /^[.[]/.test(want) ? want : `: ${want}`;
        assert.deepEqual(issuesOf(service({ [field]: value })), [`${at}.${field}${path}`]);
      });
    }

    it('an environment that the kernel would not take', () => {
      const sentence = 'bytes with its name, at most 131071; write it to a file in a volume';
      const refused = (bytes: number) => [`${at}.environment.BIG: Too large: ${bytes} ${sentence}`];
      assert.deepEqual(issuesOf(service({ environment: { BIG: 'ü'.repeat(100_000) } })), refused(200_004));
      assert.deepEqual(issuesOf(service({ environment: [`BIG=${'x'.repeat(131_068)}`] })), refused(131_072));
      assert.deepEqual(issuesOf(service({ environment: { BIG: 'x'.repeat(131_067) } })), []);
      assert.deepEqual(issuesOf(service({ environment: { BIG: 'x'.repeat(1 << 20) } })), [
        'spec.services.web.environment.BIG: Too long: at most 256 KiB of text',
      ]);
    });

    it('limits that need or exclude each other', () => {
      assert.deepEqual(issuesOf(service({ cpus: 1, cpu_period: 5000, memswap_limit: '1g' })), [
        `${at}.cpu_period: Cannot be set together with cpus; leave one out`,
        `${at}.memswap_limit: Counts memory and swap together, so mem_limit must be set as well`,
      ]);
      for (const memswap_limit of [-1, '-1', '128m'])
        assert.deepEqual(issuesOf(service({ mem_limit: '64m', memswap_limit })), []);
    });

    it('cpus together with cpu_quota', () => {
      assert.deepEqual(issuesOf(service({ cpus: 1, cpu_quota: 5000 })), [
        `${at}.cpu_quota: Cannot be set together with cpus; leave one out`,
      ]);
    });
  });
});
