import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeDataFolder } from '../../../api/device-state/data-folder.js';
import { StorageError } from '../../../api/platform/disk.js';

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

describe('closeDataFolder', () => {
  let folder: string;
  const warnings: unknown[] = [];
  const close = () => closeDataFolder(folder, { warn: (...output: unknown[]) => void warnings.push(output) });
  const at = (name: string) => join(folder, name);
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  const put = (name: string, mode: number) => {
    writeFileSync(at(name), '{}');
    chmodSync(at(name), mode);
  };
  const refused = (pattern: RegExp) =>
    assert.throws(close, (error) => error instanceof StorageError && pattern.test(error.message));

  beforeEach(() => {
    warnings.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'supercargo-data-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('makes the folder for its owner only', () => {
    folder = join(folder, 'a/b');
    close();
    assert.equal(modeOf(folder), 0o700);
  });

  it('closes an empty folder that others may read', () => {
    chmodSync(folder, 0o755);
    close();
    assert.equal(modeOf(folder), 0o700);
  });

  it("closes an agent's folder and its files, and says which ones could be read", () => {
    mkdirSync(at('documents'));
    put('keys.json', 0o644);
    put('host.json.corrupt-1', 0o640);
    put('tags.json', 0o600);
    chmodSync(folder, 0o755);
    close();
    assert.equal(modeOf(folder), 0o700);
    assert.deepEqual(['keys.json', 'host.json.corrupt-1', 'tags.json'].map(at).map(modeOf), [0o600, 0o600, 0o600]);
    assert.match(JSON.stringify(warnings), /keys\.json.*|host\.json/);
    assert.equal(warnings.length, 2);
  });

  it('leaves the mode of a folder that holds only other things', () => {
    put('notes', 0o644);
    chmodSync(folder, 0o755);
    close();
    assert.equal(modeOf(folder), 0o755);
    assert.equal(modeOf(at('notes')), 0o644);
  });

  it('refuses a folder into which others can put something', () => {
    for (const mode of [0o777, 0o1777, 0o770]) {
      chmodSync(folder, mode);
      refused(/^Others on this device can change .* \(mode 077[07]\).*chmod go-rwx/);
    }
  });

  it('refuses files and folders that others can reach and change', () => {
    chmodSync(folder, 0o755);
    put('keys.json', 0o666);
    refused(/can change .*keys\.json \(mode 0666\)/);
    rmSync(at('keys.json'));
    mkdirSync(at('documents'));
    chmodSync(at('documents'), 0o777);
    refused(/can change .*documents \(mode 0777\)/);
    chmodSync(folder, 0o700);
    close();
  });

  it('takes a folder that is reached through a link, and a link in it', () => {
    symlinkSync('/nowhere', at('images'));
    symlinkSync(folder, `${folder}-link`);
    const real = folder;
    folder = `${folder}-link`;
    close();
    rmSync(folder);
    folder = real;
  });

  if (isRoot) {
    it('refuses a folder of another user', () => {
      chownSync(folder, NOBODY, NOBODY);
      refused(/belongs to another user \(65534\)/);
    });

    it('refuses what another user has put there', () => {
      put('keys.json', 0o666);
      chownSync(at('keys.json'), NOBODY, NOBODY);
      refused(/keys\.json in the data folder belongs to another user \(65534\)/);
      assert.ok(existsSync(at('keys.json')));
    });
  }
});
