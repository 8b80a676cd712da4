import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundles } from '../scripts/bundles.js';
import { packageFolders, thirdPartyLicenses } from '../scripts/third-party-licenses.js';

describe('the licences beside the bundle', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'licences-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const aPackage = async (fields: object, files: Readonly<Record<string, string>> = {}): Promise<string> => {
    const path = join(folder, 'node_modules', '@a', 'b');
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'package.json'), JSON.stringify({ name: '@a/b', version: '1.2.3', ...fields }));
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
    return path;
  };

  it('name every package of agent and command, with version and text', async function () {
    this.timeout(180_000);
    const { agent, command } = await bundles();
    const inputs = [agent, command].flatMap((one) => Object.keys(one.inputs));
    const text = thirdPartyLicenses(packageFolders(inputs));
    const foreign = inputs.filter((file) => file.includes('node_modules/'));
    assert.ok(foreign.length > 0);
    for (const file of foreign) {
      const [, path = '', name = ''] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(file) ?? [];
      const { version } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'));
      assert.ok(text.includes(`\n${name} ${version}\nLicence: `), file);
    }
    for (const name of ['@hapi/hapi', 'dockerode', 'commander', 'yaml']) assert.ok(text.includes(`\n${name} `), name);
  });

  it('hold licence and notice, and say what is declared where there is no text', async () => {
    const path = await aPackage({ license: 'MIT' });
    assert.match(thirdPartyLicenses([path]), /\n@a\/b 1\.2\.3\nLicence: MIT\n\nThe package has no licence text/);
    await aPackage({ license: 'Apache-2.0' }, { 'LICENSE.md': 'You may.', NOTICE: 'By us.', 'licensed.js': 'code' });
    assert.match(thirdPartyLicenses([path]), /\nLicence: Apache-2\.0\n\nYou may\.\n\nBy us\.\n$/);
  });

  it('are no licences of a package that has none', async () => {
    const path = await aPackage({});
    assert.throws(() => thirdPartyLicenses([path]), /@a\/b 1\.2\.3 has no licence, so it may not be in the bundle/);
  });

  it('count a package inside another by its own name, and each once', () => {
    const files = [
      'api/x.ts',
      'node_modules/a/i.js',
      'node_modules/a/j.js',
      'node_modules/a/node_modules/@b/c/lib/i.js',
    ];
    assert.deepEqual(packageFolders(files), ['node_modules/a', 'node_modules/a/node_modules/@b/c']);
  });
});
