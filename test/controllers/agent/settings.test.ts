import assert from 'node:assert/strict';
import { printable, readSettings, type Settings } from '../../../controllers/agent/settings.js';

const read = (args: readonly string[], env: Record<string, string> = {}): Settings => {
  const settings = readSettings(args, env, '/home/me');
  assert.ok(typeof settings === 'object');
  return settings;
};

describe('settings', () => {
  it('has the defaults of an installed agent', () => {
    const { dataFolder, manifestFolders, listen, apiPort, engine, localMode, development } = read([]);
    assert.deepEqual(
      { dataFolder, manifestFolders, listen, apiPort, engine, localMode, development },
      {
        dataFolder: '/var/lib/supercargo',
        manifestFolders: ['/etc/supercargo/manifests'],
        listen: '127.0.0.1:48484',
        apiPort: 48484,
        engine: 'external',
        localMode: true,
        development: false,
      },
    );
  });

  it('takes the environment, and flags before it', () => {
    const env = { SUPERCARGO_DATA: '/a', SUPERCARGO_MANIFESTS: '/m:/n', SUPERCARGO_LISTEN: '0.0.0.0:80' };
    assert.equal(read([], env).dataFolder, '/a');
    assert.equal(read(['--data', '/b'], env).dataFolder, '/b');
    assert.deepEqual(read([], env).manifestFolders, ['/m', '/n']);
    assert.equal(read([], env).apiPort, 80);
    assert.equal(read([], { DOCKER_HOST: 'tcp://10.0.0.9:2375' }).dockerHost, 'tcp://10.0.0.9:2375');
    assert.equal(read([], { DOCKER_HOST: '' }).dockerHost, undefined);
    assert.equal(read(['--listen', 'unix:/run/s.sock']).apiPort, 48484);
  });

  it('makes the data folder absolute, because programs like git run in folders of their own', () => {
    assert.equal(read(['--data', '.data']).dataFolder, '/home/me/.data');
    assert.equal(read([], { SUPERCARGO_DATA: '../d' }).dataFolder, '/home/d');
  });

  it('takes several addresses to listen on, and the port of the first for containers', () => {
    for (const [text, listen, apiPort] of [
      ['unix:/run/s.sock,127.0.0.1:80', 'unix:/run/s.sock 127.0.0.1:80', 80],
      ['127.0.0.1:80, [::1]:81', '127.0.0.1:80 [::1]:81', 80],
      ['[::1]:81', '[::1]:81', 81],
    ] as const) {
      const settings = read(['--listen', text]);
      assert.deepEqual([settings.listen, settings.apiPort], [listen, apiPort]);
    }
  });

  it('keeps images for ten minutes, for another time, or not at all', () => {
    const grace = (text: string) => read([], { SUPERCARGO_IMAGE_GRACE: text }).imageGraceMs;
    assert.equal(read([]).imageGraceMs, 600_000);
    assert.deepEqual([grace('1h30m'), grace('0'), grace('0s')], [5_400_000, 0, 0]);
  });

  const bad: { args?: string[]; env?: Record<string, string>; want: RegExp }[] = [
    { args: ['--listen', '48484'], want: /Cannot listen on "48484": use host:port/ },
    { args: ['--listen', 'x:99999'], want: /Cannot listen/ },
    { args: ['--listen', '127.0.0.1:80,x'], want: /Cannot listen on "x": use host:port/ },
    { args: ['--listen', '[::z]:80'], want: /Cannot listen on "\[::z\]:80"/ },
    { args: ['--listen', ','], want: /no address to listen on in ","/ },
    { env: { SUPERCARGO_LISTEN: '' }, want: /no address to listen on in ""/ },
    { args: ['--engine', 'podman'], want: /Unknown engine "podman": expected one of auto, external, private/ },
    { args: ['--lock-root', 'locks'], want: /--lock-root is "locks": expected an absolute path/ },
    { args: ['--colour'], want: /--colour.*See --help/ },
    { args: ['stray'], want: /stray/ },
    { env: { SUPERCARGO_LOG_LEVEL: 'loud' }, want: /Unknown log level "loud"/ },
    { env: { SUPERCARGO_LOCAL_MODE: 'maybe' }, want: /SUPERCARGO_LOCAL_MODE is "maybe": expected on or off/ },
    { env: { SUPERCARGO_API_KEY: 'a b' }, want: /SUPERCARGO_API_KEY may hold/ },
    { env: { SUPERCARGO_IMAGE_GRACE: '10' }, want: /SUPERCARGO_IMAGE_GRACE is "10": expected a time such as 10m/ },
    { env: { SUPERCARGO_MANIFESTS: ':' }, want: /names no folder/ },
  ];
  for (const { args = [], env = {}, want } of bad) {
    it(`refuses ${[...args, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)].join(' ')}`, () => {
      assert.throws(() => readSettings(args, env, '/'), { name: 'SettingsError', message: want });
    });
  }

  it('prints no key', () => {
    const text = JSON.stringify(printable(read([], { SUPERCARGO_API_KEY: 'topsecret' })));
    assert.ok(!text.includes('topsecret'));
  });

  it('knows help and version', () => {
    assert.equal(readSettings(['--help'], {}, '/'), 'help');
    assert.equal(readSettings(['--version'], {}, '/'), 'version');
  });
});
