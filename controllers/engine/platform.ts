import type { SeenImage } from './engine.js';

type ImagePlatform = NonNullable<SeenImage['platform']>;

/** Docker's names of architectures by `uname -m`. */
const ARCHITECTURES: readonly (readonly [machine: RegExp, architecture: string])[] = [
  [/^(x86_64|amd64)$/, 'amd64'],
  [/^i[3-6]86$/, '386'],
  [/^(aarch64|arm64)/, 'arm64'],
  [/^arm/, 'arm'],
];

/** Processors that also run programs of others. */
const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** Returns the architecture of a machine as images name it: `amd64` for `x86_64`. Pure. */
export const architectureOf = (machine: string): string =>
  ARCHITECTURES.find(([pattern]) => pattern.test(machine))?.[1] ?? machine;

/**
 * Tells whether an engine on that machine (`x86_64`, `armv7l`, as its info says) runs an image without emulation. An
 * image that does not say its platform counts as running. Pure.
 */
export function runsOn(image: ImagePlatform | undefined, machine: string | undefined): boolean {
  if (!image || !machine) return true;
  const architecture = architectureOf(machine);
  if (image.architecture !== architecture) return (ALSO_RUNS[architecture] ?? []).includes(image.architecture);
  const [needed, has] = [/\d+/.exec(image.variant), /^armv(\d+)/.exec(machine)];
  return architecture !== 'arm' || !needed || !has || Number(needed[0]) <= Number(has[1]);
}

/**
 * Returns why an image will not run, and what to do about it; undefined when it will. `platform`: what the document
 * asks for, which may differ from the machine's. Pure.
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
    return `${is}, and the document asks for ${platform}: change image or platform, or remove the image so that it is pulled again`;
  }
  if (machine === undefined || runsOn(made, machine)) return undefined;
  const own = architectureOf(machine);
  return `${is}, which this device (${own}) does not run: name an image for linux/${own}, or say platform: ${platformText(made)} if the device emulates it`;
}

/** Compares platforms; a variant counts only where both have one. */
function isOf({ os, architecture, variant }: ImagePlatform, platform: string): boolean {
  const [wantedOs, wanted, wantedVariant] = platform.split('/');
  return os === wantedOs && architecture === wanted && (!variant || !wantedVariant || variant === wantedVariant);
}

/** As in `linux/arm/v7`. Pure. */
const platformText = ({ os, architecture, variant }: ImagePlatform): string =>
  [os, architecture, variant].filter(Boolean).join('/');
