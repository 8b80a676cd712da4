import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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
