import assert from 'node:assert/strict';
import { type DeviceScope, folderOf, matchWhen } from '../../../../api/sources/git/device-scope.js';
import { layOver, mergePatch, type ScopedItem } from '../../../../api/sources/git/overlays.js';
import { DEVICE } from './a-source.js';

const app = (command: string, more: object = {}) => ({
  kind: 'App',
  metadata: { name: 'a' },
  spec: { command },
  ...more,
});
const item = (file: string, value: unknown, folder: ScopedItem['folder'] = 'all'): ScopedItem => ({
  value,
  folder,
  locate: (path) => ({ file: path === '' ? file : `${file}#${path}` }),
  isQuoted: () => false,
});

describe('layOver', () => {
  const base = item('base', app('base'));
  const north = item('north', app('north', { when: { tags: { site: 'north' } } }));
  const exact = item('exact', app('exact', { when: { arch: 'aarch64', tags: { site: ['south', 'north'] } } }));
  const byName = item('by-name', app('by name'), 'name');
  const byNameNorth = item('by-name-north', app('by name, north', { when: { tags: { site: 'north' } } }), 'name');
  const byUuid = item('by-uuid', app('by uuid'), 'uuid');
  const other = item('other', app('other', { when: { name: 'hall' } }));

  const cases: readonly { it: string; items: readonly ScopedItem[]; want: string }[] = [
    { it: 'takes what is for everybody', items: [base], want: 'base' },
    { it: 'leaves out what is for another device', items: [base, other], want: 'base' },
    { it: 'prefers what asks for a fact of the device', items: [north, base], want: 'north' },
    { it: 'prefers two facts to one', items: [exact, north, base], want: 'exact' },
    { it: "prefers the folder of the device's name to any facts", items: [byName, exact, base], want: 'by name' },
    { it: 'prefers facts in that folder', items: [byNameNorth, byName], want: 'by name, north' },
    {
      it: "prefers the folder of the device's uuid to all else",
      items: [byUuid, byNameNorth, exact, base],
      want: 'by uuid',
    },
  ];
  for (const { it: name, items, want } of cases) {
    for (const order of [items, [...items].reverse()]) {
      it(`${name}, ${order === items ? 'in one order' : 'in the other'}`, () => {
        const { items: laid, problems } = layOver(order, DEVICE);
        assert.deepEqual(problems, []);
        assert.deepEqual(
          laid.map(({ value }) => value),
          [app(want)],
        );
      });
    }
  }

  it('gives nothing when everything is for others', () => {
    assert.deepEqual(layOver([other], DEVICE), { items: [], problems: [] });
  });

  it('refuses two of the same rank, and says where both are', () => {
    const twin = item('twin', app('twin', { when: { arch: 'aarch64' } }));
    const { problems } = layOver([north, twin], DEVICE);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', /^The same document is in north, and neither is more special/);
    assert.deepEqual(problems[0]?.source, { file: 'twin' });
  });

  it('says of each field in which file it is written', () => {
    const overlay = item('overlay', { kind: 'App', metadata: { name: 'a' }, spec: { ports: [1] } }, 'name');
    const { items } = layOver([base, overlay], DEVICE);
    assert.deepEqual(items[0]?.value, { kind: 'App', metadata: { name: 'a' }, spec: { command: 'base', ports: [1] } });
    assert.deepEqual(items[0]?.locate('spec.command'), { file: 'base#spec.command' });
    assert.deepEqual(items[0]?.locate('spec.ports[0]'), { file: 'overlay#spec.ports[0]' });
  });
});

describe('mergePatch', () => {
  const cases: readonly [string, unknown, unknown, unknown][] = [
    ['merges maps', { a: { b: 1, c: 2 } }, { a: { c: 3 } }, { a: { b: 1, c: 3 } }],
    ['replaces lists', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['takes away what is null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['replaces a text by a map', { a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
  ];
  for (const [name, below, above, want] of cases) it(name, () => assert.deepEqual(mergePatch(below, above), want));
});

describe('matchWhen', () => {
  const text = (when: unknown, device: DeviceScope = DEVICE): string => {
    const match = matchWhen(when, device);
    return 'wrong' in match ? match.wrong : match.ok ? `yes, ${match.facts}` : 'no';
  };
  const cases: readonly [unknown, string][] = [
    [undefined, 'yes, 0'],
    [{ name: 'kitchen' }, 'yes, 1'],
    [{ uuid: 'f'.repeat(32), deviceType: 'raspberrypi4-64', arch: ['amd64', 'aarch64'] }, 'yes, 3'],
    [{ tags: { site: 'north' } }, 'yes, 1'],
    [{ tags: { site: 'south' } }, 'no'],
    [{ tags: { floor: 1 } }, 'no'],
    [{ name: 'kitchen', arch: 'amd64' }, 'no'],
    [{}, 'It asks for nothing; leave it out, or ask for name, uuid, deviceType, arch, tags'],
    [{ type: 'x' }, 'Unknown fact "type"; known are name, uuid, deviceType, arch, tags'],
    [{ name: [] }, 'Expected a text or a list of texts for each fact'],
    [{ tags: 'north' }, 'Expected tags to be a map of tag to text'],
    ['kitchen', 'Expected a map of name, uuid, deviceType, arch or tags'],
  ];
  for (const [when, want] of cases) it(JSON.stringify(when) ?? 'nothing', () => assert.equal(text(when), want));
});

describe('folderOf', () => {
  const cases: readonly [string, readonly string[], string][] = [
    ['devices/kitchen/a.yaml', [], 'name'],
    [`devices/${'f'.repeat(32)}/a.yaml`, [], 'uuid'],
    ['devices/hall/a.yaml', [], 'another device'],
    ['devices/a.yaml', [], 'all'],
    ['apps/devices/hall/a.yaml', [], 'all'],
    ['apps/devices/hall/a.yaml', ['apps'], 'another device'],
    ['apps/devices/kitchen/deep/a.yaml', ['apps'], 'name'],
    ['other/a.yaml', ['apps', 'other'], 'all'],
  ];
  for (const [path, roots, want] of cases) {
    it(`${path} of ${roots.join() || 'all'}`, () => assert.equal(folderOf(path, roots, DEVICE), want));
  }
});
