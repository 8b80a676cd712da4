import assert from 'node:assert/strict';
import { dockerConfigPath, parseDockerConfig } from '../../../../controllers/engine/images/docker-config.js';

const auth = Buffer.from('me:secret').toString('base64');

describe("the config file of Docker's command", () => {
  const paths: readonly { it: string; env: Readonly<Record<string, string>>; want: string }[] = [
    { it: 'is where DOCKER_CONFIG says', env: { DOCKER_CONFIG: '/etc/d', HOME: '/root' }, want: '/etc/d/config.json' },
    {
      it: 'is in the home folder otherwise',
      env: { DOCKER_CONFIG: '', HOME: '/root' },
      want: '/root/.docker/config.json',
    },
  ];
  for (const { it: what, env, want } of paths) it(what, () => assert.equal(dockerConfigPath(env), want));

  it('tells credentials by host, whatever form the key has', () => {
    const { auths } = parseDockerConfig(
      JSON.stringify({ auths: { 'https://index.docker.io/v1/': { auth }, 'registry.example:5000': { auth } } }),
    );
    assert.deepEqual([...auths.keys()], ['docker.io', 'registry.example:5000']);
    assert.deepEqual(auths.get('registry.example:5000'), { auth });
  });

  it('tells helpers, and leaves out what is no name', () => {
    const { helpers, store } = parseDockerConfig(
      JSON.stringify({ credHelpers: { 'a.example': 'ecr', 'b.example': 1 }, credsStore: 'pass' }),
    );
    assert.deepEqual([...helpers], [['a.example', 'ecr']]);
    assert.equal(store, 'pass');
  });

  for (const [what, text] of [
    ['an empty map', '{}'],
    ['something that is no map', '[]'],
    ['empty parts', '{"auths":{},"credHelpers":[],"credsStore":""}'],
  ] as const) {
    it(`says nothing when it is ${what}`, () => {
      const { auths, helpers, store } = parseDockerConfig(text);
      assert.deepEqual([auths.size, helpers.size, store], [0, 0, undefined]);
    });
  }

  it('is refused, without any of its text, when auths is no map', () => {
    assert.throws(() => parseDockerConfig('{"auths":["secret"]}'), /^CredentialsError: auths is not a map$/);
  });
});
