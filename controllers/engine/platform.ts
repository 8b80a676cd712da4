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

/**
 * Why an image will not run, and what to do about it; undefined when it will. `platform`: what the document asks for, which
 * may be another one than that of the machine. Pure.
 */
export function foreignImage(
  reference: string,
  { platform: made }: Pick<SeenImage, 'platform'>,
  { machine, platform }: { readonly machine: string | undefined; readonly platform: string | null | undefined },
): string | undefined {
  if (!made) return undefined;
  const is = `image ${reference} is made for ${platformText(made)}`;
  if (platform) {
    if (isOf(made, platform)) return undefined;
    return `${is}, and the document asks for ${platform}: change image or platform, or remove the image so that it is pulled anew`;
  }
  if (machine === undefined || runsOn(made, machine)) return undefined;
  const own = architectureOf(machine);
  return `${is}, which this device (${own}) does not run: name an image for linux/${own}, or say platform: ${platformText(made)} if the device emulates it`;
}

/** A variant counts only where both say one. */
function isOf({ os, architecture, variant }: ImagePlatform, platform: string): boolean {
  const [wantedOs, wanted, wantedVariant] = platform.split('/');
  return os === wantedOs && architecture === wanted && (!variant || !wantedVariant || variant === wantedVariant);
}

/** `linux/arm/v7`. Pure. */
const platformText = ({ os, architecture, variant }: ImagePlatform): string =>
  [os, architecture, variant].filter(Boolean).join('/');
