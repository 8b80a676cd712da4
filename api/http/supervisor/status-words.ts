import type { Image, Service } from '../../../crds/model/kinds.js';

const ENGINE_WORDS: Readonly<Record<string, string>> = { running: 'Running', created: 'Installed', dead: 'Dead' };

/**
 * Returns the Supervisor's word for a service's state; engine states that it passes on stay lower case. Undefined
 * without a container. Pure.
 */
export const serviceWord = ({ status }: Pick<Service, 'status'>): string | undefined =>
  status?.state === undefined ? undefined : (ENGINE_WORDS[status.state] ?? status.state);

/** State of the older of two running containers of a service; the younger one's is in its status. */
export const HANDING_OVER = 'Handing over';

/** Returns the Supervisor's word for an image, and its progress in percent. Pure. */
export function imageWord(image: Pick<Image, 'status'> | undefined): { status: string; progress: number | null } {
  const state = image?.status?.state ?? 'Downloading';
  return { status: state, progress: state === 'Downloading' ? (image?.status?.downloadProgress ?? 0) : null };
}
