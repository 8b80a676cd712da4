import assert from 'node:assert/strict';
import { durationMs } from '../../../crds/model/duration.js';
import { parseGitUrl } from '../../../crds/model/git-url.js';
import { parseDocument } from '../../../crds/schema/parse.js';

const issuesOf = (spec: object): readonly string[] => {
  const parsed = parseDocument({
    apiVersion: 'supercargo.io/v1',
    kind: 'GitSource',
    metadata: { name: 'fleet' },
    spec: { url: 'https://git.example.org/fleet.git', ...spec },
  });
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`);
};

const CREDENTIALS =
  'spec.url: Credentials do not belong here, nor anything behind ? or #: put them into a file and name it in credentials.token';
const SSH = { credentials: { sshKey: 'key', knownHosts: 'hosts' } };

describe('a GitSource', () => {
  describe('is taken with', () => {
    const cases: Record<string, object> = {
      'its url alone': {},
      everything: {
        branch: 'main',
        path: 'apps/kitchen',
        include: ['*.yaml'],
        exclude: ['drafts/**'],
        interval: '60s',
        cron: '0 4 * * *',
        timeout: '1m30s',
        suspend: false,
        atomic: false,
        allowRewind: true,
        submodules: true,
        credentials: { token: 'fleet-token', username: 'x', ca: 'ca.pem' },
        verify: { object: 'commit', allowedSigners: 'signers', keyring: 'keys.gpg' },
        prune: { enabled: true, maxPercent: 20, onRemoval: 'Keep' },
        webhook: { secret: 'hook' },
        vars: { PORT: 8080, NAME: 'x', ON: true },
        varsFrom: [{ file: 'db.env' }, { file: 'password', name: 'PASSWORD' }],
        decryption: { ageKey: 'age.txt' },
        statusBranch: 'status',
      },
      'ssh, in short': { url: 'git@example.org:fleet.git', ...SSH },
      'ssh, in long': { url: 'ssh://git@example.org:2222/fleet.git', ...SSH },
      'a path of this device': { url: '/srv/fleet.git' },
      'a token over http to this device': { url: 'http://127.0.0.1:8080/fleet.git', credentials: { token: 't' } },
      'a signed tag': { semver: '^1.2', verify: { object: 'tag', keyring: 'k' } },
    };
    for (const [name, spec] of Object.entries(cases)) it(name, () => assert.deepEqual(issuesOf(spec), []));
  });

  describe('is refused with', () => {
    const cases: readonly { it: string; spec: object; want: readonly string[] }[] = [
      {
        it: 'a password in its url',
        spec: { url: 'https://me:hunter2@git.example.org/x' },
        want: [CREDENTIALS],
      },
      ...['?access_token=hunter2', '?private_token=hunter2', '#token=hunter2', '?x'].map((end) => ({
        it: `a url that ends with ${end}`,
        spec: { url: `https://git.example.org/x.git${end}` },
        want: [CREDENTIALS],
      })),
      {
        it: 'a token that would travel in the clear',
        spec: { url: 'http://git.example.org/x', credentials: { token: 't' } },
        want: ['spec.credentials.token: A token is only sent over https, not over http'],
      },
      {
        it: 'ssh without known hosts and key',
        spec: { url: 'git@example.org:x' },
        want: [
          'spec.credentials.knownHosts: Missing: over ssh the keys of the server have to be known',
          'spec.credentials.sshKey: Missing: over ssh a private key logs in',
        ],
      },
      {
        it: 'a branch and a tag',
        spec: { branch: 'main', tag: 'v1' },
        want: ['spec.tag: Only one of branch, tag, commit or semver can be chosen; branch is there too'],
      },
      {
        it: 'a branch that git does not allow',
        spec: { branch: 'a..b' },
        want: ['spec.branch: This is not a name that git allows'],
      },
      {
        it: 'paths that lead out',
        spec: { paths: ['apps', '../etc'] },
        want: ['spec.paths[1]: Expected a path inside the repository, without ..'],
      },
      {
        it: 'an interval that would be a busy loop',
        spec: { interval: '10ms' },
        want: ['spec.interval: Too short: 10ms, at least 1s'],
      },
      {
        it: 'a cron that is none',
        spec: { cron: 'often' },
        want: ['spec.cron: "often" is no cron expression: expected five or six fields, such as 0 4 * * *'],
      },
      {
        it: 'a cron whose range would be written out number by number',
        spec: { cron: '0-9999999999 * * * *' },
        want: ['spec.cron: "0-9999999999" is no minute of a cron expression: they go from 0 to 59'],
      },
      {
        it: 'times that no timer and no date can count',
        spec: { interval: '9999999999h', timeout: '30d' },
        want: [
          'spec.timeout: Too long: 30d, at most 1d',
          'spec.interval: Too long: 9999999999h, at most 3650d; suspend: true for never',
        ],
      },
      {
        it: 'a signature of nobody',
        spec: { verify: {} },
        want: ['spec.verify: Says nobody whose signature counts: name allowedSigners, keyring or both'],
      },
      {
        it: 'a signed tag of a branch',
        spec: { branch: 'main', verify: { object: 'tag', keyring: 'k' } },
        want: ['spec.verify.object: A signed tag needs tag or semver beside it'],
      },
      {
        it: 'its status on the branch that it reads',
        spec: { branch: 'main', statusBranch: 'main' },
        want: ['spec.statusBranch: This is the branch that is read; status goes to one of its own'],
      },
    ];
    for (const { it: name, spec, want } of cases) it(name, () => assert.deepEqual(issuesOf(spec), want));

    for (const url of [
      'ext::sh -c id',
      '-u',
      '--upload-pack=x',
      'ssh://-oProxyCommand=id/x',
      'git@-oProxyCommand=id:x',
      'a/b',
    ]) {
      it(`the url ${url}`, () => assert.match(issuesOf({ url, ...SSH }).join(), /^spec\.url: /));
    }
    for (const secret of ['../keys.json', '/etc/shadow', '.hidden', 'a/b']) {
      it(`the secret ${secret}`, () =>
        assert.match(issuesOf({ webhook: { secret } }).join(), /spec\.webhook\.secret: /));
    }
    for (const branch of ['-x', '--all', '', 'a b', 'a:b', '/a', 'a.lock', 'refs/../x', '@', 'a@{1}']) {
      it(`the branch "${branch}"`, () => assert.match(issuesOf({ branch }).join(), /spec\.branch: /));
    }
  });
});

describe('parseGitUrl', () => {
  const cases: readonly [string, string | undefined][] = [
    ['https://git.example.org/fleet.git', 'https git.example.org https://git.example.org/fleet.git'],
    ['git@example.org:team/fleet.git', 'ssh example.org ssh://git@example.org/team/fleet.git'],
    ['git@example.org:/srv/fleet.git', 'ssh example.org ssh://git@example.org/srv/fleet.git'],
    ['ssh://git@example.org:22/x', 'ssh example.org ssh://git@example.org:22/x'],
    ['/srv/fleet.git', 'file  file:///srv/fleet.git'],
    ['file:///srv/fleet.git', 'file  file:///srv/fleet.git'],
    ['file://host/fleet.git', undefined],
    ['ext::sh', undefined],
    ['https://', undefined],
  ];
  for (const [text, want] of cases) {
    it(text, () => {
      const url = parseGitUrl(text);
      assert.equal(url && `${url.transport} ${url.host} ${url.address}`, want);
    });
  }
});

describe('durationMs', () => {
  const cases: readonly [string, number | undefined][] = [
    ['60s', 60_000],
    ['1m30s', 90_000],
    ['1d2h', 93_600_000],
    ['250ms', 250],
    ['5', undefined],
    ['', undefined],
    ['5 m', undefined],
  ];
  for (const [text, want] of cases) it(JSON.stringify(text), () => assert.equal(durationMs(text), want));
});
