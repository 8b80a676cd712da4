import assert from 'node:assert/strict';
import type { KnownImage } from '../../../controllers/engine/cache/image-cache.js';
import { isKeptName, type KeptNameFacts, planKeptNames } from '../../../controllers/image/kept-names.js';

const idOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const nameOf = (digit: string): string => `supercargo.io/kept:${digit.repeat(12)}`;
const image = (digit: string, ...tags: readonly string[]): KnownImage => ({ id: idOf(digit), tags, digests: [] });
const plan = (images: readonly KnownImage[], needed: readonly string[], more: Partial<KeptNameFacts> = {}): string =>
  planKeptNames({
    needed: new Map(needed.map((digit) => [idOf(digit), 'shop.1'])),
    own: new Set(needed.map(idOf)),
    images,
    cleans: true,
    ...more,
  })
    .map((step) => (step.do === 'name' ? `name ${step.id[7]} ${step.name}` : `unname ${step.name} ${step.heir?.[7]}`))
    .join('; ');

describe('planKeptNames', () => {
  const other = image('b', 'shop:local');
  const cases: readonly {
    readonly it: string;
    readonly images: readonly KnownImage[];
    readonly needed?: readonly string[];
    readonly more?: Partial<KeptNameFacts>;
    readonly want: string;
  }[] = [
    {
      it: 'names an image that is needed and has lost its name',
      images: [image('a'), other],
      needed: ['a'],
      want: `name a ${nameOf('a')}`,
    },
    { it: 'does nothing about one that nobody needs', images: [image('a'), other], want: '' },
    { it: 'does nothing about one that has a name', images: [image('a', 'shop:1'), other], needed: ['a'], want: '' },
    { it: 'does nothing twice', images: [image('a', nameOf('a')), other], needed: ['a'], want: '' },
    { it: 'does nothing about one that is gone', images: [other], needed: ['a'], want: '' },
    {
      it: 'leaves it to the pass that names it',
      images: [image('a'), other],
      needed: ['a'],
      more: { own: new Set() },
      want: '',
    },
    {
      it: 'takes a name away that nobody needs, and the image stays without one',
      images: [image('a', nameOf('a')), other],
      want: `unname ${nameOf('a')} b`,
    },
    {
      it: 'leaves the last name of all where no other image can have it',
      images: [image('a', nameOf('a'))],
      want: '',
    },
    {
      it: 'takes a name away from an image that has another one by now',
      images: [image('a', 'shop:1', nameOf('a'))],
      needed: ['a'],
      want: `unname ${nameOf('a')} undefined`,
    },
    {
      it: 'takes a name back that somebody has given to another image',
      images: [image('a'), image('b', 'shop:local', nameOf('a'))],
      needed: ['a'],
      want: `name a ${nameOf('a')}`,
    },
    {
      it: 'finishes what an agent has left that died on the way',
      images: [image('a'), image('b', 'shop:local', nameOf('a'))],
      want: `unname ${nameOf('a')} undefined`,
    },
    {
      it: 'leaves cleaning to another pass',
      images: [image('a', nameOf('a')), other],
      more: { cleans: false },
      want: '',
    },
  ];
  for (const { it: does, images, needed = [], more, want } of cases)
    it(does, () => assert.equal(plan(images, needed, more), want));

  it('knows its names however they are written, and no others', () => {
    assert.ok(isKeptName(nameOf('a')));
    assert.equal(isKeptName('supercargo.io/kept-by-me:1'), false);
    assert.equal(isKeptName('kept:1'), false);
  });
});
