import assert from 'node:assert/strict';
import { CommitTree } from '../../../../api/sources/git/commit-tree.js';
import type { TreeEntry } from '../../../../api/sources/git/git-output.js';

/** Returns a tree of files; `-> target` is a link, `submodule` one. */
function treeOf(files: Readonly<Record<string, string>>): CommitTree<TreeEntry> {
  const entries = Object.entries(files).map(([path, text]): TreeEntry => {
    const type = text.startsWith('-> ') ? 'link' : text === 'submodule' ? 'submodule' : 'file';
    return { type, oid: text, path };
  });
  return new CommitTree(entries, ({ oid }) => oid.slice('-> '.length));
}

/** Prints what a path leads to. */
function found(tree: CommitTree<TreeEntry>, path: string): string {
  const one = tree.find(path);
  if (one.is === 'file') return `file ${one.entry.path}`;
  if (one.is === 'folder') return `folder ${one.path}`;
  return one.is === 'missing' ? 'missing' : one.why;
}

describe('CommitTree', () => {
  const tree = treeOf({
    'shop/compose.yaml': '-> ../variants/small.yaml',
    'shop/conf': '-> ../shared/conf',
    'shop/up': '-> ../../etc',
    'shop/etc': '-> /etc/passwd',
    'shop/loop': '-> loop',
    'shop/round/self': '-> ..',
    'shop/gone': '-> nothing',
    'shop/module': 'submodule',
    'shop/through': '-> conf/a.conf',
    'shared/conf/a.conf': 'a',
    'shared/conf/b/c.conf': 'c',
    'variants/small.yaml': 'services: {}',
    'evil/../../x': 'x',
    'evil/.git/hooks/x': 'x',
    [`evil/${'n'.repeat(300)}`]: 'x',
    'web.conf': 'at the root, behind folders',
    '/absolute': 'x',
  });

  const cases: readonly (readonly [string, string])[] = [
    ['', 'folder '],
    ['shop', 'folder shop'],
    ['shop/', 'folder shop'],
    ['shop/compose.yaml', 'file variants/small.yaml'],
    ['shop/conf', 'folder shared/conf'],
    ['shop/conf/b/c.conf', 'file shared/conf/b/c.conf'],
    ['shop/conf/../variants/small.yaml', 'missing'], // as for a kernel: .. of what the link leads to
    ['shop/conf/../../variants/small.yaml', 'file variants/small.yaml'],
    ['shop/through', 'file shared/conf/a.conf'],
    ['shop/compose.yaml/x', 'missing'],
    ['shop/none', 'missing'],
    ['shop/gone', 'missing'],
    ['shop/up', 'it leads out of the repository'],
    ['../x', 'it leads out of the repository'],
    ['shop/etc', 'a link leads out of the repository'],
    ['shop/loop', 'its links lead in a circle'],
    ['shop/module', 'it is in a submodule'],
    ['shop/module/x', 'it is in a submodule'],
    ['evil', 'folder evil'],
    ['evil/x', 'missing'],
    ['x', 'missing'],
    ['web.conf', 'file web.conf'],
    ['absolute', 'missing'],
  ];
  for (const [path, want] of cases) {
    it(`finds ${want} for ${JSON.stringify(path)}`, () => assert.equal(found(tree, path), want));
  }

  it('lists what is below a folder as if links were what they lead to, each folder once on the way', () => {
    const { files = [], left } = tree.below('shop') ?? {};
    assert.deepEqual(
      files.map(({ path, entry }) => `${path} = ${entry.path}`),
      [
        'compose.yaml = variants/small.yaml',
        'conf/a.conf = shared/conf/a.conf',
        'conf/b/c.conf = shared/conf/b/c.conf',
        'through = shared/conf/a.conf',
      ],
    );
    assert.deepEqual(left, ['etc', 'gone', 'loop', 'module', 'round/self', 'up']);
  });

  it('takes a folder for empty that is only there to be written to', () => {
    const empty = (files: Readonly<Record<string, string>>) => treeOf(files).below('data')?.isEmpty;
    assert.equal(empty({ 'data/.gitkeep': '' }), true);
    assert.equal(empty({ 'data/.gitignore': '*', 'data/cache/.gitkeep': '' }), true);
    assert.equal(empty({ 'data/.gitkeep': '', 'data/seed.sql': '' }), false);
    assert.equal(empty({ 'other/x': '' }), true);
  });

  it('gives up what links multiply without end', () => {
    const links = Object.fromEntries(
      Array.from({ length: 12 }, (_, level) =>
        Array.from({ length: 8 }, (_none, at) => [`l${level}/${at}`, `-> ../l${level + 1}`]),
      ).flat(),
    );
    assert.equal(treeOf({ ...links, 'l12/x': 'x' }).below('l0'), undefined);
  });

  it('takes a hundred thousand files in its stride', () => {
    const many = treeOf(Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`a/${at % 300}/${at}`, 'x'])));
    assert.equal(found(many, 'a/7/7'), 'file a/7/7');
    assert.equal(many.below('a'), undefined);
    assert.equal(many.below('a/7')?.files.length, 334);
  });
});
