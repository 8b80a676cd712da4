import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { submoduleUrl } from '../../../../api/sources/git/submodules.js';
import { appText, TestRepository } from '../../../setup/git.js';
import { serveHttp } from '../../../setup/git-servers.js';
import { needPrograms } from '../../../setup/programs.js';
import { SourceBench } from './a-source.js';

describe('submodules', function () {
  this.timeout(180_000);
  before(async function () {
    this.timeout(120_000);
    await needPrograms('git');
  });

  it('are read at the commit that the repository names, when the source says so', async () => {
    const repository = TestRepository.make();
    const server = await serveHttp(repository);
    const shared = `${repository.folder}/shared.git`;
    execFileSync('git', ['clone', '--quiet', '--bare', repository.bare, shared]);
    repository.write({
      'apps/b.yaml': appText('b', 'shared'),
      'devices/hall/c.yaml': appText('c'),
      'apps/shop/compose.yaml': 'services: {web: {image: x, volumes: ["./web.conf:/etc/web.conf:ro"]}}\n',
      'apps/shop/web.conf': 'one',
    });
    repository.git('add', '--all');
    repository.git('commit', '--quiet', '-m', 'shared');
    repository.git('push', '--quiet', shared, 'HEAD:main');
    const pinned = repository.head();
    repository.git('commit', '--quiet', '--allow-empty', '-m', 'later');
    repository.git('push', '--quiet', shared, 'HEAD:main');
    repository.git('rm', '--quiet', '-r', 'apps', 'devices');
    repository.write({
      'a.yaml': appText('a'),
      '.gitmodules': '[submodule "s"]\n\tpath = mod\n\turl = ../shared.git\n',
    });
    repository.git('add', '--all');
    repository.git('update-index', '--add', '--cacheinfo', `160000,${pinned},mod`);
    repository.git('commit', '--quiet', '-m', 'with a submodule');
    repository.push();

    const bench = await SourceBench.make({ url: server.url, branch: 'main', submodules: true });
    try {
      assert.equal((await bench.sync()).failure, undefined);
      assert.equal(bench.declared, 'App/a App/b App/c App/shop');
      const [mount] = bench.store.get('App', 'shop')?.spec.services?.web?.volumes ?? [];
      assert.ok(typeof mount === 'object');
      assert.equal(readFileSync(String(mount.source), 'utf8'), 'one');
      assert.equal(bench.store.get('App', 'b')?.metadata.source?.file, 'git/fleet/mod/apps/b.yaml');
      await bench.declare({ url: server.url, branch: 'main', prune: { maxPercent: 100 } });
      assert.equal((await bench.sync()).failure, undefined);
      assert.equal(bench.declared, 'App/a');
    } finally {
      await bench.close();
      await server.close();
      repository.remove();
    }
  });

  it('get the credentials of the source on its own server, and none on another one', async () => {
    const repository = TestRepository.make();
    const server = await serveHttp(repository);
    server.login = 'git:hush-hush';
    repository.commit({ 'a.yaml': appText('a') });
    const pinned = repository.head();
    execFileSync('git', ['clone', '--quiet', '--bare', repository.bare, `${repository.folder}/shared.git`]);
    const elsewhere = 'https://127.0.0.1:1/x.git';
    repository.write({
      '.gitmodules': `[submodule "a"]\n\tpath = a\n\turl = ../shared.git\n[submodule "b"]\n\tpath = b\n\turl = ${elsewhere}\n`,
    });
    repository.git('add', '--all');
    repository.git('commit', '--quiet', '-m', 'modules');
    for (const path of ['a', 'b']) repository.git('update-index', '--add', '--cacheinfo', `160000,${pinned},${path}`);
    repository.git('commit', '--quiet', '-m', 'with submodules');
    repository.push();

    // Notes what git is told, and passes it on.
    const [git, noted] = [join(repository.folder, 'noting-git'), join(repository.folder, 'noted')];
    writeFileSync(git, `#!/bin/sh\n{ env | grep GIT_CONFIG_VALUE; echo --; } >> ${noted}\nexec git "$@"\n`, {
      mode: 0o755,
    });
    const bench = await SourceBench.make(
      { url: server.url, branch: 'main', submodules: true, credentials: { token: 'token' } },
      { git },
    );
    try {
      bench.secret('token', 'hush-hush');
      await bench.sync();
      await bench.sync();
      const calls = readFileSync(noted, 'utf8').split('--\n');
      const isGiven = (address: string): readonly boolean[] => [
        ...new Set(
          calls.filter((one) => one.includes(`=${address}\n`)).map((one) => one.includes('Authorization: Basic ')),
        ),
      ];
      assert.deepEqual(isGiven(server.url), [true]);
      assert.deepEqual(isGiven(server.url.replace('fleet', 'shared')), [true]);
      assert.deepEqual(isGiven(elsewhere), [false]);
    } finally {
      await bench.close();
      await server.close();
      repository.remove();
    }
  });
});

describe('submoduleUrl', () => {
  const SOURCE = 'https://git.example.org/team/fleet.git';
  const cases: readonly [string | undefined, string, string][] = [
    ['../shared.git', SOURCE, 'https://git.example.org/team/shared.git with credentials'],
    ['https://git.example.org/x.git', SOURCE, 'https://git.example.org/x.git with credentials'],
    ['https://other.example.org/x.git', SOURCE, 'https://other.example.org/x.git'],
    ['https://git.example.org:8443/x.git', SOURCE, 'https://git.example.org:8443/x.git'],
    ['http://other.example.org/x.git', SOURCE, 'A submodule over http is not followed; only over https and ssh'],
    ['file:///etc', SOURCE, 'A submodule over file is not followed; only over https and ssh'],
    ['/etc', SOURCE, 'A submodule over file is not followed; only over https and ssh'],
    ['../other.git', '/srv/fleet.git', 'A submodule over file is not followed; only over https and ssh'],
    [
      'git@evil.example.org:x',
      SOURCE,
      'A submodule over ssh is only followed on the server of the source, whose keys are known',
    ],
    ['https://a:b@git.example.org/x', SOURCE, 'The url of this submodule is not one that is followed'],
    ['ext::sh -c id', SOURCE, 'The url of this submodule is not one that is followed'],
    ['--upload-pack=id', SOURCE, 'The url of this submodule is not one that is followed'],
    [undefined, SOURCE, '.gitmodules does not say where this submodule comes from'],
  ];
  for (const [written, source, want] of cases) {
    it(`${written} in ${source}`, () => {
      const place = submoduleUrl(written, source);
      assert.equal(
        typeof place === 'string' ? place : `${place.address}${place.isSameServer ? ' with credentials' : ''}`,
        want,
      );
    });
  }
});
