import type { SeenImage } from './engine.js';

type ImagePlatform = NonNullable<SeenImage['platform']>;

/** Docker's word for what `uname -m` says. */
const ARCHITECTURES: readonly (readonly [machine: RegExp, architecture: string])[] = [
  [/^(x86_64|amd64)$/, 'amd64'],
  [/^i[3-6]86$/, '386'],
  [/^(aarch64|arm64)/, 'arm64'],
  [/^arm/, 'arm'],
];

/** Processors that run the programs of others as well. */
const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** `amd64` for `x86_64`: the architecture of an engine as images name it. Pure. */
export const architectureOf = (machine: string): string =>
  ARCHITECTURES.find(([pattern]) => pattern.test(machine))?.[1] ?? machine;

/**
 * Whether an engine on that machine (`x86_64`, `armv7l`, as its info says) runs an image without emulation. An image that
 * does not say what it is made for is given the benefit of the doubt. Pure.
 */
export function runsOn(image: ImagePlatform | undefined, machine: string | undefined): boolean {
  if (!image || !machine) return true;
  const architecture = architectureOf(machine);
  if (image.architecture !== architecture) return (ALSO_RUNS[architecture] ?? []).includes(image.architecture);
  const [needed, has] = [/\d+/.exec(image.variant), /^armv(\d+)/.exec(machine)];
  return architecture !== 'arm' || !needed || !has || Number(needed[0]) <= Number(has[1]);
}

/** Why an image will not run on a machine, and what to do about it; undefined when it will. Pure. */
export function foreignImage(
  reference: string,
  image: Pick<SeenImage, 'platform'>,
  machine: string | undefined,
): string | undefined {
  const { platform } = image;
  if (platform === undefined || machine === undefined || runsOn(platform, machine)) return undefined;
  const made = platformText(platform);
  return `image ${reference} is made for ${made}, which this device (${architectureOf(machine)}) does not run: name an image for linux/${architectureOf(machine)}, or say platform: ${made} if the device emulates it`;
}

/** `linux/arm/v7`. Pure. */
export const platformText = ({ os, architecture, variant }: ImagePlatform): string =>
  [os, architecture, variant].filter(Boolean).join('/');
