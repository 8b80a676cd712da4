import fc from 'fast-check';
import type { Declared } from '../../crds/model/kinds.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';
import { declareApp } from '../setup/declared.js';

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const text = fc.string({ maxLength: 12 }).map((value) => value.replaceAll('\0', ''));
const size = fc.oneof(fc.integer({ min: 6 << 20, max: 1 << 30 }), fc.constantFrom('64m', '1g', '512M'));
const duration = fc.constantFrom('5s', '1m', '1m30s', '500ms');
const port = fc.integer({ min: 1, max: 65_535 });
const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.uniqueArray(one, { maxLength: 3 });

/** Any of the fields that a service may have, in any spelling, beside those that name its siblings. */
const anyService = fc.record(
  {
    image: fc.constantFrom('web:1', 'db:1', 'web'),
    command: fc.oneof(fc.constantFrom('sleep 1000', 'echo "a b" $X'), some(word)),
    entrypoint: some(word),
    environment: fc.oneof(
      fc.dictionary(word, fc.oneof(text, fc.integer(), fc.boolean())),
      some(word.map((a) => `${a}=1`)),
    ),
    labels: fc.dictionary(word, text),
    working_dir: fc.constant('/srv'),
    user: fc.constantFrom('nobody', '1000:1000'),
    hostname: word,
    domainname: word,
    restart: fc.constantFrom('always', 'unless-stopped', 'on-failure'),
    healthcheck: fc.record(
      {
        test: fc.constantFrom('true', ['CMD', 'true']),
        interval: duration,
        timeout: duration,
        retries: fc.integer({ min: 1, max: 9 }),
      },
      { requiredKeys: ['test'] },
    ),
    mem_limit: size,
    shm_size: size,
    cpu_shares: fc.integer({ min: 2, max: 2048 }),
    cpus: fc.constantFrom(0.5, '1.5', 2),
    cpuset: fc.constantFrom('0', '0-1'),
    pids_limit: fc.integer({ min: 10, max: 500 }),
    cap_add: some(fc.constantFrom('NET_ADMIN', 'SYS_TIME', 'CHOWN')),
    cap_drop: some(fc.constantFrom('MKNOD', 'KILL')),
    dns: some(fc.ipV4()),
    extra_hosts: some(word.map((name) => `${name}:10.0.0.1`)),
    group_add: some(fc.constantFrom('audio', 'video')),
    init: fc.boolean(),
    read_only: fc.boolean(),
    tty: fc.boolean(),
    tmpfs: some(fc.constantFrom('/run', '/tmp', '/var/cache')),
    sysctls: fc.dictionary(fc.constantFrom('net.core.somaxconn', 'net.ipv4.ip_forward'), fc.constantFrom('1', '1024')),
    ulimits: fc.dictionary(
      fc.constantFrom('nofile', 'nproc'),
      fc.oneof(port, fc.record({ soft: fc.constant(1), hard: port })),
    ),
    security_opt: some(fc.constant('no-new-privileges')),
    stop_signal: fc.constantFrom('SIGINT', 'SIGTERM'),
    stop_grace_period: duration,
    running: fc.boolean(),
    volumes: some(fc.constantFrom('data:/data', 'logs:/logs:ro', '/anonymous')),
  },
  { requiredKeys: ['image'] },
);

/**
 * Any App of a few services that a device of tests can run: `web:1` and `db:1` are local there. Apps of different numbers
 * stand beside each other without a conflict.
 */
export const anyApp = (appId: number): fc.Arbitrary<Declared<'App'>> =>
  fc
    .record({
      services: fc.dictionary(word, anyService, { minKeys: 1, maxKeys: 4 }),
      release: fc.option(fc.record({ commit: word, id: fc.integer({ min: 1, max: 99 }) }), { freq: 10 }),
      networks: fc.dictionary(fc.constantFrom('front', 'back'), fc.record({ internal: fc.boolean() })),
      depends: fc.boolean(),
      published: fc.boolean(),
      reclaim: fc.constantFrom<AppSpec['volumeReclaim'][]>('Retain', 'Delete', undefined),
    })
    .map(({ services, release, networks, depends, published, reclaim }) => {
      const names = Object.keys(services);
      const whole = names.map((name, index): [string, Partial<AppService>] => [
        name,
        {
          ...(services[name] as Partial<AppService>),
          imageId: 10 * appId + index,
          ...(index === 0 ? { running: true } : {}), // others may wait for it
          ...(depends && index > 0 ? { depends_on: [names[0] ?? name] } : {}),
          ...(published ? { ports: [`${8_000 + 10 * appId + index}:80`] } : {}),
          ...(Object.keys(networks).length > 0 && index % 2 === 0 ? { networks: Object.keys(networks) } : {}),
        },
      ]);
      return declareApp(Object.fromEntries(whole), {
        name: `app${appId}`,
        appId,
        uuid: `u${appId}`,
        release,
        networks,
        volumes: { data: {}, logs: {} },
        ...(reclaim ? { volumeReclaim: reclaim } : {}),
      });
    });
