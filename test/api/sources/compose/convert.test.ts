import assert from 'node:assert/strict';
import { dirname, posix } from 'node:path';
import { type Converted, convertProject } from '../../../../api/sources/compose/convert.js';
import type { Placed, Wanted } from '../../../../api/sources/compose/load.js';
import { problemLine } from '../../../../api/sources/documents.js';
import type { Problem } from '../../../../crds/model/kinds.js';
import { isMap, type Values } from '../../../../crds/model/maps.js';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { composeText } from '../../../setup/compose-text.js';

type Files = Readonly<Record<string, string>>;

const FOLDER = '/p/shop';

/** Converts a project of these files; a text alone is its compose.yaml. */
function convert(given: string | Files): Promise<Converted> {
  const files = typeof given === 'string' ? { 'compose.yaml': given } : given;
  const held = new Map(Object.entries(files).map(([name, text]) => [posix.join(FOLDER, name), text]));
  return convertProject(
    {
      folder: FOLDER,
      readFile: async (path) => ({ text: held.get(path) }),
      home: '/home/me',
      shown: (path) => posix.relative(dirname(FOLDER), path),
    },
    parseDocument,
  );
}

const lines = (problems: readonly Problem[]): readonly string[] => problems.map(problemLine);

async function specOf(given: string | Files): Promise<Values> {
  const { document, problems } = await convert(given);
  assert.deepEqual(lines(problems), []);
  const spec = document?.spec;
  assert.ok(isMap(spec));
  return spec;
}

async function webOf(fields: string): Promise<Values> {
  const { services } = await specOf(
    `services: {web: {image: x, ${fields}}, db: {image: y, container_name: shop_db}}\nvolumes: {data: }`,
  );
  assert.ok(isMap(services) && isMap(services.web));
  return services.web;
}

describe('the files of a Compose project', () => {
  const look = (given: Files): Promise<Converted> =>
    convertProject(
      {
        folder: FOLDER,
        readFile: async (path) => ({ text: given[posix.relative(FOLDER, path)] }),
        lookAt: async (path) => {
          const name = posix.relative(FOLDER, path);
          if (name.startsWith('..')) return { isThere: true, digest: undefined };
          return given[name] === undefined ? { isThere: false } : { isThere: true, digest: String(given[name]) };
        },
        shown: (path) => posix.relative(dirname(FOLDER), path),
      },
      parseDocument,
    );
  const project = {
    'compose.yaml':
      'include: [more/compose.yaml]\nservices:\n  web: {extends: {file: base.yaml, service: web}, env_file: [a.env, {path: b.env, required: false}]}\n' +
      '  db: {image: y, secrets: [pw, far], configs: [conf]}\n' +
      'secrets: {pw: {file: pw.txt}, far: {file: /etc/far}, unused: {file: unused.txt}}\nconfigs: {conf: {file: ./conf}}\n',
    'more/compose.yaml': 'services: {more: {image: x}}',
    ...{ 'base.yaml': 'services: {web: {image: x}}', 'a.env': '', 'pw.txt': 'secret', conf: 'one' },
  };

  it('are all told, also those that are not there', async () => {
    const { files, problems } = await look(project);
    assert.deepEqual(lines(problems), []);
    const told = files
      .map((path) => posix.relative(FOLDER, path))
      .filter((path) => !/override|docker-|\.yml$/.test(path));
    assert.deepEqual(told.sort(), [
      ...['../../etc/far', '.env', 'a.env', 'b.env', 'base.yaml', 'compose.yaml', 'conf'],
      ...['more/.env', 'more/compose.yaml', 'pw.txt'],
    ]);
  });

  it('have a problem for each secret, config, file of variables and extended file that is missing, where it is named', async () => {
    const { 'pw.txt': _pw, conf: _conf, 'a.env': _a, 'base.yaml': _base, ...rest } = project;
    const { problems, document } = await look(rest);
    assert.equal(document, undefined);
    assert.deepEqual(lines(problems).toSorted(), [
      'shop/compose.yaml:3:25: There is no file shop/base.yaml',
      'shop/compose.yaml:3:62 services.web.env_file: There is no file shop/a.env',
      'shop/compose.yaml:5:22 secrets.pw.file: There is no file shop/pw.txt',
      'shop/compose.yaml:6:24 configs.conf.file: There is no file shop/conf',
    ]);
  });

  it('are another App once a secret or config has other contents, of the services that mount it', async () => {
    const labels = async (given: Files): Promise<unknown[]> => {
      const spec = (await look(given)).document?.spec;
      assert.ok(isMap(spec) && isMap(spec.services));
      return Object.values(spec.services).map((service) => isMap(service) && service.labels);
    };
    const before = await labels(project);
    assert.deepEqual(before, await labels({ ...project, 'unused.txt': 'x' }));
    const after = await labels({ ...project, conf: 'two' });
    assert.deepEqual([before[0], before[2]], [after[0], after[2]]);
    assert.notDeepEqual(before, after);
    assert.ok(!JSON.stringify(before).includes('secret'));
  });
});

describe('a file that is no Compose file', () => {
  const told = async (text: string): Promise<readonly string[]> => lines((await convert(text)).problems);
  const FOREIGN =
    'shop/compose.yaml:1:1: This is no Compose file: it has none of services, networks, volumes, secrets, configs and include';
  const cases: readonly (readonly [what: string, text: string, want: readonly string[]])[] = [
    ['with secrets', 'db_password: hush\napi: {hush: x}\n', [FOREIGN]],
    ['of Kubernetes', 'apiVersion: v1\nkind: Secret\nmetadata: {name: hush}\ndata: {hush: aHVzaA==}\n', [FOREIGN]],
    ['of logins', '{"auths": {"hush": {"auth": "hush"}}}', [FOREIGN]],
    ['of several documents', 'hush: 1\n---\nhush: 2\n', [FOREIGN]],
    [
      'of accounts',
      'root:hush:0:0:root:/root:/bin/sh\n',
      ['shop/compose.yaml:1:1: Expected a Compose file, a map with services, found a text'],
    ],
  ];
  for (const [what, text, want] of cases) {
    it(`${what}, shows nothing of it`, async () => {
      const found = await told(text);
      assert.deepEqual(
        found.map((line) => line.replace(/^(shop.compose.yaml:1):\d+/, '$1:1')),
        want,
      );
      assert.ok(!found.join().includes('hush'));
    });
  }

  it('is told from one with a slip', async () => {
    const slip = 'Unknown field "servces"; did you mean "services"?';
    assert.ok((await told('servces: {web: {image: x}}')).some((line) => line.includes(slip)));
    assert.ok((await told('services: {web: {image: x}}\nwhatever: 1')).some((line) => line.includes('"whatever"')));
  });

  it('has twenty documents at most', async () => {
    const text = (count: number): string =>
      Array.from({ length: count }, () => 'services: {web: {image: x}}').join('\n---\n');
    assert.deepEqual(await told(text(20)), []);
    assert.match((await told(text(150))).join(), /:40:1: Expected at most 20 documents in a file, found 150: /);
  });
});

describe('a Compose project as an App', () => {
  it('has the name of the project, and what Compose takes for granted written out', async () => {
    const { document } = await convert('services: {web: {image: nginx}}');
    assert.deepEqual(document, {
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      metadata: { name: 'shop', annotations: { 'supercargo.io/compose-files': 'compose.yaml' } },
      spec: { uuid: 'shop', allowHostBinds: true, services: { web: { image: 'nginx', tty: false, restart: 'no' } } },
    });
  });

  const shown: readonly string[] = [
    'services: {web: {image: x, restart: $TAG}}',
    'services: {web: {image: "a b $TAG"}}',
    'services: {web: {image: x, ports: ["$TAG:80"]}}',
    'services: {web: {image: x, networks: [$TAG]}}',
    'services: {web: {image: x, networks: {a: {ipv4_address: $TAG}}}}\nnetworks: {a: }',
    'services: {web: {image: x, volumes: ["$TAG:/x"]}}',
    'services: {web: {image: x, volumes: [{type: $TAG, target: /x}]}}',
    'services: {web: {image: x, depends_on: [$TAG]}}',
    'services: {web: {image: x, mem_limit: $TAG, stop_signal: $TAG, stop_grace_period: "$TAG"}}',
    'services: {web: {image: x, healthcheck: {test: [$TAG]}}}',
    'services: {web: {image: x, secrets: [$TAG], configs: [$TAG]}}',
    'services: {web: {image: x, dns: $TAG, cap_add: [$TAG], extra_hosts: ["a:$TAG"]}}',
    'services: {web: {image: x, network_mode: "$TAG", pid: "$TAG", ipc: "$TAG"}}',
    'services: {web: {extends: {service: $TAG}}}',
    'services: {web: {image: x, logging: {driver: json-file, options: {max-size: $TAG}}}}',
    'name: "$TAG/"\nservices: {web: {image: x, container_name: "-$TAG"}}\nvolumes: {d: {name: "-$TAG", external: $TAG}}',
  ];
  for (const text of shown)
    it(`shows no value of a variable in what it says of ${text.split('\n').join(' ')}`, async () => {
      for (const value of ['hunter2!', `hunt"er2\\${'x'.repeat(300)}`]) {
        const { problems } = await convert({ 'compose.yaml': text, '.env': `TAG='${value}'` });
        assert.notEqual(problems.length, 0);
        assert.deepEqual(
          problems.map(problemLine).filter((line) => /hunt|xxx/.test(line)),
          [],
        );
      }
    });

  const fields: readonly [name: string, written: string, want: Values][] = [
    [
      'drops the command of the image beside an entrypoint alone',
      'entrypoint: /x',
      { entrypoint: ['/x'], command: [] },
    ],
    ['keeps a command beside an entrypoint', 'entrypoint: /x, command: "a \'b c\'"', { command: ['a', 'b c'] }],
    ['keeps what is said of tty and restart', 'tty: true, restart: always', { tty: true, restart: 'always' }],
    [
      'takes restart from deploy',
      'deploy: {restart_policy: {condition: on-failure, max_attempts: 3}}',
      { restart: 'on-failure:3' },
    ],
    [
      'has ports in the long form',
      'ports: ["127.0.0.1:8080:80/udp"]',
      { ports: [{ host_ip: '127.0.0.1', protocol: 'udp', target: 80, published: '8080' }] },
    ],
    [
      'leaves a port that has none of the host to the engine',
      'ports: ["80"]',
      { ports: [{ protocol: 'tcp', target: 80 }], expose: undefined },
    ],
    [
      'leaves a port of one address to the engine',
      'ports: ["127.0.0.1::80/udp"]',
      { ports: [{ protocol: 'udp', target: 80, host_ip: '127.0.0.1' }] },
    ],
    [
      'says a free port where the App does not mean what Compose means',
      'entrypoint: /x, ports: ["80"], x-supercargo: {keepCommand: true}',
      { ports: [{ published: 0, protocol: 'tcp', target: 80 }], command: undefined },
    ],
    ['keeps the command of the image beside an empty entrypoint', 'entrypoint: []', { command: undefined }],
    [
      'binds paths from the folder of the project',
      'volumes: ["./a:/b:ro"]',
      {
        volumes: [
          { type: 'bind', source: '/p/shop/a', target: '/b', read_only: true, bind: { create_host_path: true } },
        ],
      },
    ],
    [
      'keeps the letters of SELinux of a named volume, which only the short form has',
      'volumes: ["data:/data:z", "data:/more:ro,Z", "data:/bare:z,nocopy", {type: volume, source: data, target: /long, bind: {selinux: z}}]',
      { volumes: ['data:/data:z', 'data:/more:ro,Z', 'data:/bare:z,nocopy', 'data:/long:z'] },
    ],
    [
      'binds paths from home',
      'volumes: ["~/a:/b"]',
      { volumes: [{ type: 'bind', source: '/home/me/a', target: '/b', bind: { create_host_path: true } }] },
    ],
    ['keeps SELinux labels of a bind', 'volumes: ["/a:/b:ro,Z"]', { volumes: ['/a:/b:ro,Z'] }],
    [
      'mounts volumes, each in the form in which it is written',
      'volumes: ["data:/d", /anonymous, {type: volume, source: data, target: /e}, "data:/f:ro"]',
      { volumes: ['data:/d', '/anonymous', { type: 'volume', source: 'data', target: '/e' }, 'data:/f:ro'] },
    ],
    [
      'writes rights of a tmpfs in octal',
      'volumes: [{type: tmpfs, target: /t, tmpfs: {size: 16m, mode: 0755}}]',
      { volumes: [{ type: 'tmpfs', target: '/t', tmpfs: { size: 16777216, mode: '755' } }] },
    ],
    ['leaves out variables that are not set', 'environment: [A=1, B]', { environment: { A: '1' } }],
    [
      'has limits of deploy',
      'deploy: {resources: {limits: {cpus: "0.5", memory: 1g, pids: 9}, reservations: {memory: 10m}}}',
      { cpus: 0.5, mem_limit: 1073741824, pids_limit: 9, mem_reservation: 10485760 },
    ],
    [
      'has GPUs of deploy',
      'deploy: {resources: {reservations: {devices: [{driver: nvidia, count: all, capabilities: [gpu]}]}}}',
      { gpus: [{ driver: 'nvidia', capabilities: ['gpu'], count: 'all' }] },
    ],
    ['has GPUs', 'gpus: all', { gpus: [{ count: 'all' }] }],
    [
      'has devices by name as GPUs',
      'devices: ["nvidia.com/gpu=0"]',
      { gpus: [{ driver: 'cdi', device_ids: ['nvidia.com/gpu=0'] }], devices: undefined },
    ],
    ['does not run a service scaled to nothing', 'scale: 0', { running: false }],
    [
      'lives in the network of a container of the file',
      'network_mode: "container:shop_db"',
      { network_mode: 'service:db', depends_on: { db: { condition: 'service_started' } } },
    ],
    [
      'waits for links',
      'links: [db]',
      { depends_on: { db: { condition: 'service_started', required: true, restart: true } } },
    ],
    ['keeps who pulls the image', 'pull_policy: never', { pull_policy: 'never' }],
    ['has hosts with a colon', 'extra_hosts: ["a=1.2.3.4"]', { extra_hosts: ['a:1.2.3.4'] }],
    ['takes what Compose cannot say', 'x-supercargo: {updateStrategy: hand-over}', { updateStrategy: 'hand-over' }],
  ];
  for (const [name, written, want] of fields) {
    it(name, async () => {
      const web = await webOf(written);
      assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, web[key]])), want);
    });
  }

  it('reaches services by links, and names containers', async () => {
    const { services } = await specOf(
      'services: {web: {image: x, links: ["db:store"]}, db: {image: y, container_name: shop_db, networks: [a, b]}}\nnetworks: {a: , b: {internal: true}, unused: }',
    );
    assert.ok(isMap(services) && isMap(services.db));
    assert.equal(services.db.containerName, 'shop_db');
    assert.deepEqual(services.db.networks, {
      a: { aliases: ['store'] },
      b: { aliases: ['store'] },
    });
  });

  it('takes under x-supercargo what Compose cannot say, and says what it does not know there', async () => {
    const said =
      'services: {web: {image: x, entrypoint: /x, environment: {A: 1}, x-supercargo: {keepCommand: true, unset: [B]}}}\n' +
      'networks: {spare: {x-supercargo: {keep: true, config_only: true}}}\nvolumes: {old: {x-supercargo: {keep: true}}}\n' +
      'x-supercargo: {appId: 7, uuid: u, allowHostBinds: false}';
    assert.deepEqual(await specOf(said), {
      ...{ uuid: 'u', appId: 7, allowHostBinds: false, defaults: 'supervisor' },
      services: {
        web: { image: 'x', entrypoint: ['/x'], environment: { A: '1', B: null }, tty: false, restart: 'no' },
      },
      networks: { default: { name: 'shop_default' }, spare: { name: 'shop_spare', config_only: true } },
      volumes: { old: { name: 'shop_old' } },
    });
    const { problems } = await convert(
      'services: {web: {image: x, x-supercargo: {keepCommand: 1, unset: B, keep: true}}}\nvolumes: {a: {x-supercargo: 1}}',
    );
    assert.deepEqual(lines(problems), [
      'shop/compose.yaml:2:29 volumes.a.x-supercargo: Expected a map',
      'shop/compose.yaml:1:56 services.web.x-supercargo.keepCommand: Expected true or false',
      'shop/compose.yaml:1:66 services.web.x-supercargo.unset: Expected a list of texts',
      'shop/compose.yaml:1:69 services.web.x-supercargo.keep: Unknown field "keep"; known are updateStrategy, running, restart_unhealthy, schedule, contract, serviceId, imageId, keepCommand and unset',
    ]);
  });

  it('says of which files it was made, and whether what it makes has the labels of Docker Compose', async () => {
    const { document } = await convert({
      'compose.yaml': 'services: {web: {image: x}}\nx-supercargo: {composeLabels: false}',
      'compose.override.yaml': 'services: {web: {tty: true}}',
    });
    assert.deepEqual(document?.metadata, {
      name: 'shop',
      annotations: {
        'supercargo.io/compose-files': 'compose.yaml,compose.override.yaml',
        'supercargo.io/compose-labels': 'off',
      },
    });
  });

  it('has only the networks and volumes that its services use', async () => {
    const { networks, volumes } = await specOf(
      'services: {web: {image: x, networks: [a], volumes: ["data:/v"]}}\nnetworks: {a: , unused: }\nvolumes: {data: {labels: [k=1]}, unused: }',
    );
    assert.deepEqual(
      { networks, volumes },
      { networks: { a: {} }, volumes: { data: { name: 'shop_data', labels: { k: '1' } } } },
    );
  });

  it('names networks and volumes as Compose does, and waits for those of others', async () => {
    const { networks, volumes } = await specOf(
      'services: {web: {image: x, networks: [a, b, default], volumes: ["data:/d", "own:/o", "old:/p"]}}\n' +
        'networks: {a: {name: proxy, external: true}, b: {external: true, driver: bridge}, default: {name: lan}}\n' +
        'volumes: {data: {external: true}, own: {name: mine}, old: {external: {name: theirs}}}',
    );
    assert.deepEqual(
      { networks, volumes },
      {
        networks: { default: { name: 'lan' }, a: { external: true, name: 'proxy' }, b: { external: true } },
        volumes: { data: { external: true }, own: { name: 'mine' }, old: { external: true, name: 'theirs' } },
      },
    );
  });

  it('mounts secrets and configs that are files', async () => {
    const { services } = await specOf({
      'compose.yaml':
        'services: {web: {image: x, secrets: [s], configs: [{source: c, target: /etc/c}]}}\nsecrets: {s: {file: ./s.txt}}\nconfigs: {c: {file: c}}',
    });
    assert.ok(isMap(services) && isMap(services.web));
    assert.deepEqual(services.web.volumes, [
      {
        type: 'bind',
        source: '/p/shop/s.txt',
        target: '/run/secrets/s',
        read_only: true,
        bind: { create_host_path: false },
      },
      { type: 'bind', source: '/p/shop/c', target: '/etc/c', read_only: true, bind: { create_host_path: false } },
    ]);
  });

  const refused: readonly [name: string, files: string | Files, want: readonly string[]][] = [
    [
      'every mistake of every file, each in its own',
      {
        'compose.yaml':
          'include: [sub/more.yaml]\nservices:\n  web:\n    image: x\n    tyy: true\n    ports: ["80:"]\n    extends: {file: base.yaml, service: base}\n',
        'base.yaml': 'services:\n  base:\n    read_only: maybe\n',
        'sub/more.yaml': 'services:\n  job:\n    image: x\n    mem_limit: lots\n',
      },
      [
        'shop/compose.yaml:5:5 services.web.tyy: Unknown field "tyy"; did you mean "tty"?',
        'shop/base.yaml:3:16 services.web.read_only: Expected true or false, found a text',
        'shop/compose.yaml:6:13 services.web.ports[0]: Expected [address:][host[-end]:]container[-end][/protocol]: "" is no port of the container',
        'shop/sub/more.yaml:4:16 services.job.mem_limit: Expected a size such as 512m, found a text',
      ],
    ],
    [
      'a bind from a variable that is not set, and says where it is',
      {
        'compose.yaml': 'services:\n  web:\n    image: x\n    volumes: ["${UPLOADS}:/data"]\n',
        'example.env': 'UPLOADS=/srv\n',
      },
      [
        'shop/compose.yaml:4:15 services.web.volumes[0]: Expected a volume and a path such as data:/var/lib/data; a part of it is empty: UPLOADS is not set (example.env beside has it: copy it to .env)',
      ],
    ],
    [
      'an image from a variable that is not set',
      'services: {web: {image: "${I}"}}',
      ['shop/compose.yaml:1:25 services.web.image: The image is empty: I is not set'],
    ],
    [
      'true or false from a variable that is not set',
      'services: {web: {image: x, read_only: "${R}"}}',
      ['shop/compose.yaml:1:39 services.web.read_only: Expected true or false, found an empty text: R is not set'],
    ],
    [
      'a command of the shell as a user',
      'services: {web: {image: x, user: "a:$(stat x)"}}',
      ["shop/compose.yaml:1:34 services.web.user: $(…) is not run here; write the group's number, or group_add"],
    ],
    [
      'fewer than no containers of a service',
      'services: {web: {image: x, scale: -1}, db: {image: y, deploy: {replicas: -2}}}',
      [
        'shop/compose.yaml:1:35 services.web.scale: Expected 0 or more, found the number -1',
        'shop/compose.yaml:1:74 services.db.deploy.replicas: Expected 0 or more, found the number -2',
      ],
    ],
    [
      'several containers of a service',
      'services: {web: {image: x, deploy: {replicas: 2}}}',
      [
        'shop/compose.yaml:1:36 services.web.deploy: A service has one container here, and not 2; write a service for each',
      ],
    ],
    [
      'a hook',
      'services: {web: {image: x, post_start: [{command: a}]}}',
      [
        'shop/compose.yaml:1:28 services.web.post_start: post_start is not supported: no command can be run beside the start or stop of a container; do it in the entrypoint of the image',
      ],
    ],
    [
      'what only a build makes',
      'services: {web: {build: ./web}}',
      [
        'shop/compose.yaml:1:25 services.web.build: The service web has only a build, and images are built elsewhere: run `docker build -t shop-web ./web` in the folder of the project, and write image: shop-web. On another machine also `docker save -o shop-web.tar shop-web`, and put the file into the folder images of the data folder',
      ],
    ],
    [
      'a drive of Windows',
      'services: {web: {image: x, volumes: ["d:/d"]}}\nvolumes: {d: }',
      ['shop/compose.yaml:1:38 services.web.volumes[0]: The path "d:/d" must begin with /'],
    ],
    [
      'a file of variables that is missing',
      'services: {web: {image: x, env_file: no.env}}',
      ['shop/compose.yaml:1:38 services.web.env_file: There is no file shop/no.env'],
    ],
    [
      'a word that is no restart policy',
      'services: {web: {image: x, restart: never}}',
      [
        'shop/compose.yaml:1:37 services.web.restart: Expected no, always, on-failure, on-failure:3 or unless-stopped, found "never"',
      ],
    ],
    [
      'a name that an included file has taken',
      { 'compose.yaml': 'include: [c.yaml]\nservices: {a: {image: x}}', 'c.yaml': 'services: {a: {image: y}}' },
      ['shop/compose.yaml:2:12: services.a is in shop/c.yaml too, which is included; give one another name'],
    ],
    [
      'a service that extends itself by another one',
      'services: {a: {image: x, extends: b}, b: {extends: a}}',
      ['shop/compose.yaml:1:35: The service b extends itself'],
    ],
    [
      'files that include each other',
      {
        'compose.yaml': 'include: [b.yaml]\nservices: {a: {image: x}}',
        'b.yaml': 'include: [c.yaml]',
        'c.yaml': 'include: [b.yaml]',
      },
      ['shop/c.yaml:1:11: The file shop/b.yaml includes itself'],
    ],
    [
      'a quote without an end in .env',
      { 'compose.yaml': 'services: {a: {image: x}}', '.env': 'A=1\nX="a\n' },
      ['shop/.env:2: Not a file of variables: a quoted value has no end'],
    ],
    [
      'an alias inside itself',
      'services: {a: &a {image: x, labels: *a}}',
      ['shop/compose.yaml:1:37: The alias *a stands inside the value that it repeats'],
    ],
  ];
  for (const [name, files, want] of refused) {
    it(`does not take ${name}`, async () => {
      const { document, problems } = await convert(files);
      assert.deepEqual(lines(problems), want);
      assert.equal(document, undefined);
    });
  }

  const warned: readonly [name: string, files: string | Files, want: readonly string[]][] = [
    [
      'a variable that is not set, once',
      'services: {web: {image: x, environment: {A: "$N", B: "${N}"}}}',
      ['shop/compose.yaml:1:45: N is not set; it is taken as empty'],
    ],
    [
      'a value that is not read as it is written',
      'services: {web: {image: x, environment: {V: 1.10}}}',
      [
        'shop/compose.yaml:1:45 services.web.environment.V: Is read as "1.1", as in Compose; put it in quotes to keep it as it is written',
      ],
    ],
    [
      'an operator of a shell',
      'services: {web: {image: x, command: a && b}}',
      [
        'shop/compose.yaml:1:37 services.web.command: There is no shell: the command ends before "&"; write [sh, -c, "…"] for one',
      ],
    ],
    [
      'a build beside an image',
      'services: {web: {image: x, build: .}}',
      ['shop/compose.yaml:1:35 services.web.build: build is left out: the image x is taken, which is built elsewhere'],
    ],
    [
      'what is for a cluster',
      'services: {web: {image: x, deploy: {placement: {constraints: [a]}}}}',
      [
        'shop/compose.yaml:1:37 services.web.deploy.placement: placement is left out: it is for a cluster (Swarm); there is one device here',
      ],
    ],
    [
      'a second Compose file',
      { 'compose.yaml': 'services: {a: {image: x}}', 'docker-compose.yml': 'services: {a: {image: y}}' },
      ['shop/compose.yaml: Is taken; docker-compose.yml beside is left out: one name has to do'],
    ],
    [
      'a dollar sign in .env, without its text',
      { 'compose.yaml': 'services: {a: {image: x}}', '.env': 'P=pa$word\n' },
      [
        'shop/.env:1: There is a reference to a variable that is not set before this line; write $$ for a dollar sign, or use single quotes; it is taken as empty',
      ],
    ],
  ];
  for (const [name, files, want] of warned) {
    it(`warns of ${name}`, async () => {
      const { problems, warnings } = await convert(files);
      assert.deepEqual(lines(problems), []);
      assert.deepEqual(lines(warnings), want);
    });
  }

  it('names every file that it read or looked for', async () => {
    const { files, composeFiles } = await convert({
      'compose.yaml':
        'services: {a: {image: x, env_file: [{path: a.env, required: false}], extends: {file: b.yaml, service: b}}}',
      'b.yaml': 'services: {b: {image: x}}',
    });
    assert.deepEqual(composeFiles, ['/p/shop/compose.yaml']);
    for (const file of ['.env', 'compose.yaml', 'compose.override.yaml', 'a.env', 'b.yaml'])
      assert.ok(files.includes(`${FOLDER}/${file}`), file);
  });

  it('ends however often files include each other', async () => {
    const files = Array.from({ length: 40 }, (_, n) => [
      `f${n}.yaml`,
      `include: [f${n + 1}.yaml, f${n + 1}.yaml]\nservices: {}`,
    ]);
    const { problems } = await convert({
      'compose.yaml': 'include: [f0.yaml]\nservices: {a: {image: x}}',
      ...Object.fromEntries(files),
    });
    assert.ok(lines(problems).some((line) => line.endsWith('The project includes more than 200 files')));
  });

  // `npm run bench` measures it; this is for what takes many times that.
  it('takes a project of 57 services in little time', async () => {
    const text = composeText(57);
    await convert(text);
    const begin = process.cpuUsage();
    const { problems } = await convert(text);
    const { user, system } = process.cpuUsage(begin);
    assert.deepEqual(lines(problems), []);
    assert.ok((user + system) / 1000 < 150 * 4, `${(user + system) / 1000} ms`);
  });
});

describe('what a service mounts that is not on the disk where it is written', () => {
  const place = (path: string, { project, isRelative, isWritable, mustExist }: Wanted): Placed | undefined => {
    assert.equal(isRelative, path !== '/etc/x');
    if (!path.startsWith('/p/shop/')) return undefined;
    const name = path.slice('/p/shop/'.length);
    if (name === 'none') return { isThere: false, why: 'There is none' };
    if (name === 'data') return { isThere: true, source: `/state/${project}/data` };
    return { isThere: true, source: `/held/${name}`, digest: name, warning: `${isWritable} ${mustExist}` };
  };
  const look = (volumes: string): Promise<Converted> =>
    convertProject(
      {
        folder: FOLDER,
        readFile: async (path) =>
          path.endsWith('/compose.yaml')
            ? {
                text: `services:\n  web:\n    image: x\n    secrets: [s]\n    volumes:\n${volumes}secrets: {s: {file: s.txt}}\n`,
              }
            : { text: undefined },
        lookAt: async () => ({ isThere: true, digest: 's' }),
        shown: (path) => posix.relative(dirname(FOLDER), path),
        place,
      },
      parseDocument,
    );

  it('is mounted from where it is, must be there, and is in the label of contents', async () => {
    const { document, problems, warnings } = await look(
      '      - ./a:/a:ro\n      - {type: bind, source: ./b, target: /b}\n      - ./data:/data\n      - /etc/x:/x\n',
    );
    assert.deepEqual(lines(problems), []);
    assert.deepEqual(lines(warnings), [
      'shop/compose.yaml:6:9 services.web.volumes: false false',
      'shop/compose.yaml:7:30 services.web.volumes: true false',
    ]);
    assert.ok(document);
    const { services } = document.spec as { services: { web: { volumes: Values[]; labels: Values } } };
    assert.deepEqual(
      services.web.volumes.map(({ source, bind }) => [source, isMap(bind) && bind.create_host_path]),
      [
        ['/held/a', false],
        ['/held/b', false],
        ['/state/shop/data', true],
        ['/etc/x', true],
        ['/held/s.txt', false],
      ],
    );
    assert.deepEqual(Object.keys(services.web.labels), ['io.supercargo.contents']);
  });

  it('is a problem at its line when it cannot be had', async () => {
    const { problems } = await look('      - ./none:/a\n');
    assert.deepEqual(lines(problems), ['shop/compose.yaml:6:9 services.web.volumes: There is none']);
  });
});

describe('a service that has only a build', () => {
  const cases: readonly (readonly [build: string, command: string])[] = [
    ['.', 'docker build -t shop-web .'],
    ['{context: ./web}', 'docker build -t shop-web ./web'],
    ['{context: ../web, dockerfile: Dockerfile}', 'docker build -t shop-web ../web'],
    ['{context: ./web, dockerfile: prod/Dockerfile}', 'docker build -t shop-web -f web/prod/Dockerfile ./web'],
    ['{context: ./web, target: run}', 'docker build -t shop-web --target run ./web'],
    ['{dockerfile: Dockerfile.arm}', 'docker build -t shop-web -f Dockerfile.arm .'],
    ["./it's here", "docker build -t shop-web './it'\\''s here'"],
    ['https://git.example.org/web.git#main', 'docker build -t shop-web https://git.example.org/web.git#main'],
    ['{context: ., args: {TOKEN: hunter2}}', 'docker compose build web'],
    ['{context: ., secrets: [npm]}', 'docker compose build web'],
  ];
  for (const [build, command] of cases) {
    it(`is refused with the command that builds ${build}`, async () => {
      const { problems } = await convert(`services:\n  web:\n    build: ${build}\n`);
      assert.equal(problems.length, 1);
      const [{ message = '' } = {}] = problems;
      assert.equal(/ elsewhere: run `(.*?)` in the folder/.exec(message)?.[1], command);
      assert.match(message, /write image: shop-web\. .*`docker save -o shop-web\.tar shop-web`/);
      assert.doesNotMatch(message, /hunter2/);
    });
  }
});
