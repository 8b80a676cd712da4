import assert from 'node:assert/strict';
import { foreignImage, runsOn } from '../../../controllers/engine/platform.js';

const platform = (text: string) => {
  const [os = '', architecture = '', variant = ''] = text.split('/');
  return { os, architecture, variant };
};

describe('runsOn', () => {
  const cases: readonly [image: string, machine: string, runs: boolean][] = [
    ['linux/amd64', 'x86_64', true],
    ['linux/386', 'x86_64', true],
    ['linux/arm64/v8', 'x86_64', false],
    ['linux/arm64/v8', 'aarch64', true],
    ['linux/arm/v7', 'aarch64', true],
    ['linux/amd64', 'aarch64', false],
    ['linux/arm/v7', 'armv7l', true],
    ['linux/arm/v6', 'armv7l', true],
    ['linux/arm/v7', 'armv6l', false],
    ['linux/arm', 'armv6l', true],
    ['linux/arm64', 'armv7l', false],
    ['linux/amd64', 'i686', false],
    ['linux/386', 'i686', true],
    ['linux/riscv64', 'riscv64', true],
  ];
  for (const [image, machine, runs] of cases) {
    it(`says that ${image} ${runs ? 'runs' : 'does not run'} on ${machine}`, () =>
      assert.equal(runsOn(platform(image), machine), runs));
  }

  it('accepts an image where something is unknown', () => {
    assert.ok(runsOn(undefined, 'x86_64'));
    assert.ok(runsOn(platform('linux/arm64'), undefined));
  });
});

describe('foreignImage', () => {
  const about = (made: string, machine: string | undefined, asked?: string) =>
    foreignImage('web:1', { platform: platform(made) }, { machine, platform: asked });

  it('says what to do', () => {
    assert.equal(
      about('linux/arm64/v8', 'x86_64'),
      'image web:1 is made for linux/arm64/v8, which this device (amd64) does not run: name an image for linux/amd64, or say platform: linux/arm64/v8 if the device emulates it',
    );
    assert.equal(
      about('linux/amd64', 'x86_64', 'linux/arm64'),
      'image web:1 is made for linux/amd64, and the document asks for linux/arm64: change image or platform, or remove the image so that it is pulled again',
    );
  });

  it('says nothing of what fits, or is not known', () => {
    assert.equal(about('linux/amd64', 'x86_64'), undefined);
    assert.equal(about('linux/arm64/v8', 'x86_64', 'linux/arm64'), undefined);
    assert.equal(about('linux/arm', undefined), undefined);
    assert.equal(about('linux/arm/v7', 'x86_64', 'linux/arm/v7'), undefined);
    assert.equal(foreignImage('web:1', {}, { machine: 'x86_64', platform: 'linux/arm64' }), undefined);
  });
});
