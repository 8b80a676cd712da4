import assert from 'node:assert/strict';
import type { SeenImage } from '../../../../controllers/engine/engine.js';
import { type DiskSpaceDeps, diskSpace, NotEnoughDisk } from '../../../../controllers/engine/images/disk-space.js';

const MB = 1024 ** 2;

describe('room for a pull', () => {
  const { signal } = new AbortController();
  const local = (layers: readonly string[]): SeenImage => ({
    id: layers.join(),
    tags: [],
    digests: [],
    layers,
    config: {},
  });

  interface Case {
    readonly it: string;
    readonly freeMb: number | undefined;
    readonly minFreeMb?: number;
    /** Of the layers as they travel; undefined: the registry does not say. */
    readonly layersMb?: readonly number[];
    readonly local?: readonly SeenImage[];
    readonly want: 'pulled' | RegExp;
    readonly asked?: boolean;
  }
  const cases: readonly Case[] = [
    { it: 'is there', freeMb: 500, layersMb: [100, 50], want: 'pulled', asked: true },
    {
      it: 'is not there for an image that is too large',
      freeMb: 300,
      layersMb: [100, 50],
      want: /^not enough room for r\/web:1: it takes about 300 MB, and 300 MB are free in \/host\/docker, of which 100 MB are kept free$/,
      asked: true,
    },
    {
      it: 'is there when most layers are here already',
      freeMb: 300,
      layersMb: [100, 50],
      local: [local(['x']), local(['d0', 'y'])],
      want: 'pulled',
      asked: true,
    },
    {
      it: 'is not made by layers that lie on others here',
      freeMb: 300,
      layersMb: [100, 50],
      local: [local(['x', 'd1'])],
      want: /not enough/,
      asked: true,
    },
    {
      it: 'is short before anything is asked',
      freeMb: 99,
      want: /^not enough room for r\/web:1: 99 MB are free/,
      asked: false,
    },
    { it: 'is taken on trust when the registry does not say', freeMb: 101, want: 'pulled', asked: true },
    { it: 'is plenty: nobody is asked', freeMb: 10_000, layersMb: [9_000], want: 'pulled', asked: false },
    { it: 'is not looked at where the disk cannot be seen', freeMb: undefined, want: 'pulled', asked: false },
    { it: 'is not looked at when that is switched off', freeMb: 0, minFreeMb: 0, want: 'pulled', asked: false },
  ];
  for (const { it: what, freeMb, minFreeMb = 100, layersMb, local: images = [], want, asked = false } of cases) {
    it(what, async () => {
      const happened: string[] = [];
      const deps: DiskSpaceDeps = {
        engine: {
          info: async () => ({ version: '', apiVersion: '', rootDir: '/docker', logDriver: '', machine: 'x86_64' }),
          listImages: async () => images,
          inspectImage: async (id) => images.find((one) => one.id === id),
        },
        hostRoot: '/host',
        minFreeBytes: minFreeMb * MB,
        freeBytes: async () => (freeMb === undefined ? undefined : freeMb * MB),
        describe: async (_reference, _auth, architecture) => {
          happened.push(`asked for ${architecture}`);
          return (
            layersMb && { layers: layersMb.map((one) => one * MB), diffIds: layersMb.map((_, index) => `d${index}`) }
          );
        },
      };
      const pull = async (): Promise<void> => void happened.push('pulled');
      const pulling = diskSpace(deps).within('r/web:1', {}, signal, pull);
      if (want === 'pulled') await pulling;
      else {
        await assert.rejects(pulling, (error: Error) => {
          assert.ok(error instanceof NotEnoughDisk);
          assert.match(error.message, want);
          return true;
        });
      }
      assert.deepEqual(happened, [...(asked ? ['asked for amd64'] : []), ...(want === 'pulled' ? ['pulled'] : [])]);
    });
  }

  it('that runs out on the way ends the pull', async () => {
    let freeMb = 500;
    const space = diskSpace({
      engine: {
        info: async () => ({ version: '', apiVersion: '', rootDir: '/docker', logDriver: '', machine: 'x86_64' }),
        listImages: async () => [],
        inspectImage: async () => undefined,
      },
      hostRoot: '/',
      minFreeBytes: 100 * MB,
      freeBytes: async () => freeMb * MB,
      describe: async () => undefined,
    });
    const pulling = space.within('r/web:1', {}, signal, (stop) => {
      freeMb = 50;
      return new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
    });
    await assert.rejects(pulling, /not enough room for r\/web:1: 50 MB are free/);
  });
});
