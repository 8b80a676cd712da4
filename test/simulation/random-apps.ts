import type { AnyDeclared } from '../../crds/model/kinds.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';
import { declareApp } from '../setup/declared.js';
import type { SeededRandom } from './seeded-random.js';

/** Images that are local from the start, and those that a registry serves. */
export const LOCAL_IMAGES = ['web:1', 'web:2'] as const;
export const SERVED_IMAGES = ['shop:1', 'shop:2'] as const;

const APPS = [
  { name: 'one', appId: 1, uuid: 'u' },
  { name: 'two', appId: 2, uuid: 'o' },
] as const;

/** What one app may be made of; each part is thrown on its own, so that little or much changes between two sets. */
interface Parts {
  present: boolean;
  release: AppSpec['release'];
  reclaim: 'Retain' | 'Delete';
  images: readonly string[];
  variables: readonly (string | undefined)[];
  ports: readonly (number | undefined)[];
  subnets: readonly (string | undefined)[];
  flags: { readonly internal: boolean; readonly back: boolean; readonly volume: boolean; readonly api: boolean };
  job: 'none' | 'once' | 'off';
  side: boolean;
  depends: boolean;
  joins: readonly string[];
}

/**
 * Apps that change at random. Every set of them can be made true on a device: nothing waits for what never comes, no two
 * things want the same port or subnet for good.
 */
export class RandomApps {
  readonly #parts: Parts[];

  constructor(private readonly random: SeededRandom) {
    this.#parts = APPS.map((_, index) => this.#throwAll(index));
  }

  /** Changes a little, or everything. */
  change(): void {
    const index = this.random.below(this.#parts.length);
    const fresh = this.#throwAll(index);
    const before = this.#parts[index];
    if (before !== undefined && this.random.chance(15)) {
      before.present = !before.present;
      return;
    }
    if (before === undefined || this.random.chance(15)) {
      this.#parts[index] = fresh;
      return;
    }
    const names = this.random.shuffled(Object.keys(fresh)).slice(0, 1 + this.random.below(3));
    this.#parts[index] = {
      ...before,
      ...Object.fromEntries(Object.entries(fresh).filter(([name]) => names.includes(name))),
    };
  }

  documents(): readonly AnyDeclared[] {
    return this.#parts.flatMap((parts, index) => {
      const app = APPS[index];
      return app && parts.present
        ? [declareApp(servicesOf(parts, 10 * (index + 1)), { ...app, ...specOf(parts) })]
        : [];
    });
  }

  #throwAll(index: number): Parts {
    const { random } = this;
    const id = 1 + random.below(3);
    return {
      present: random.chance(85),
      release: random.chance(5) ? null : { commit: 'abc'[id - 1] ?? 'a', id },
      reclaim: random.chance(25) ? 'Delete' : 'Retain',
      images: [0, 1, 2, 3].map(() => random.pick([...LOCAL_IMAGES, ...SERVED_IMAGES])),
      variables: [0, 1, 2, 3].map(() => random.pick([undefined, '1', '2'])),
      ports: random.shuffled([8000 + index * 10, 8001 + index * 10, undefined]),
      subnets: random.shuffled([`10.${1 + index}.1.0/24`, `10.${1 + index}.2.0/24`, undefined]),
      flags: {
        internal: random.chance(30),
        back: random.chance(70),
        volume: random.chance(70),
        api: random.chance(20),
      },
      job: random.pick(['none', 'once', 'off']),
      side: random.chance(40),
      depends: random.chance(50),
      joins: random.pick([['default'], ['front'], ['front', 'default'], ['default', 'front']]),
    };
  }
}

function specOf({ release, reclaim, subnets, flags }: Parts): Partial<AppSpec> {
  const definition = (subnet: string | undefined) => (subnet ? { ipam: { config: [{ subnet }] } } : {});
  return {
    release: release ?? null,
    volumeReclaim: reclaim,
    volumes: flags.volume ? { data: {} } : {},
    networks: {
      front: { ...definition(subnets[0]), internal: flags.internal },
      ...(flags.back ? { back: definition(subnets[1]) } : {}),
    },
  };
}

function servicesOf(parts: Parts, imageId: number): Record<string, Partial<AppService>> {
  const { images, variables, ports, flags, job, side, depends, joins } = parts;
  const plain = (at: number): Partial<AppService> => ({
    image: images[at] ?? 'web:1',
    imageId: imageId + at,
    ...(variables[at] === undefined ? {} : { environment: { V: variables[at] } }),
    ...(ports[at] === undefined ? {} : { ports: [`${ports[at]}:80`] }),
  });
  return {
    db: {
      ...plain(0),
      ...(flags.volume ? { volumes: ['data:/data'] } : {}),
      ...(flags.back ? { networks: ['back'] } : {}),
    },
    web: {
      ...plain(1),
      networks: [...joins],
      ...(depends ? { depends_on: ['db'] } : {}),
      ...(flags.api ? { labels: { 'io.balena.features.supervisor-api': '1' } } : {}),
    },
    ...(job === 'none' ? {} : { job: { ...plain(2), ...(job === 'once' ? { restart: 'no' } : { running: false }) } }),
    ...(side ? { side: { ...plain(3), ports: [], network_mode: 'service:web' } } : {}),
  };
}
