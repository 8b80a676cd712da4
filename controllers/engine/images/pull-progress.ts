import { EngineError } from '../engine.js';

/** One line of Docker's progress of a pull. */
export interface PullMessage {
  /** The layer, or the tag in lines about the whole. */
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number } | null;
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
}

interface Layer {
  /** Compressed bytes; undefined until its download has begun. */
  readonly bytes: number | undefined;
  /** Fraction from 0 to 1. */
  readonly downloaded: number;
  readonly extracted: number;
}

/** Number of layers that are counted: no file system stacks more. Each message costs as much as there are. */
const MOST_LAYERS = 500;
/** Part of the whole that is downloading; the rest is extraction. */
const DOWNLOAD_SHARE = 0.9;

/**
 * Adds up the layers of one pull: layers weigh as many bytes as they have (the mean of the others while unknown), a
 * layer that is already here weighs nothing. `take` returns whole percent that never go down and reach 100 only by
 * `finish`; it throws errors that Docker reports inside the stream.
 */
export function pullProgress(): { take(message: PullMessage): number; finish(): number } {
  const layers = new Map<string, Layer>();
  let percent = 0;

  return {
    take(message) {
      const failure = message.errorDetail?.message ?? message.error;
      if (failure !== undefined) throw new EngineError(failure.trim(), message.errorDetail?.code || 500);
      if (message.id !== undefined) {
        const known = layers.get(message.id);
        const layer = nextLayer(known, message);
        if (layer !== undefined && (known !== undefined || layers.size < MOST_LAYERS)) layers.set(message.id, layer);
      }
      percent = Math.max(percent, Math.min(99, Math.floor(100 * doneShare(layers))));
      return percent;
    },
    finish() {
      percent = 100;
      return percent;
    },
  };
}

/** Returns the layer after a line; undefined when the line is not about a layer. Pure. */
function nextLayer(layer: Layer | undefined, { status, progressDetail }: PullMessage): Layer | undefined {
  const known = layer ?? { bytes: undefined, downloaded: 0, extracted: 0 };
  const { current = 0, total = 0 } = progressDetail ?? {};
  const share = total > 0 ? Math.min(1, current / total) : undefined;
  switch (status) {
    case 'Pulling fs layer':
    case 'Waiting':
      return known;
    case 'Downloading':
      return { ...known, bytes: total > 0 ? total : known.bytes, downloaded: share ?? known.downloaded };
    case 'Verifying Checksum':
    case 'Download complete':
      return { ...known, downloaded: 1 };
    case 'Extracting':
      return { ...known, downloaded: 1, extracted: share ?? known.extracted };
    case 'Pull complete':
      return { ...known, downloaded: 1, extracted: 1 };
    case 'Already exists':
      return { bytes: 0, downloaded: 1, extracted: 1 };
    default:
      return undefined;
  }
}

function doneShare(layers: ReadonlyMap<string, Layer>): number {
  let known = 0;
  let sum = 0;
  for (const { bytes = 0 } of layers.values()) {
    if (bytes === 0) continue;
    known += 1;
    sum += bytes;
  }
  const mean = known === 0 ? 1 : sum / known;
  let done = 0;
  let whole = 0;
  for (const { bytes = mean, downloaded, extracted } of layers.values()) {
    whole += bytes;
    done += bytes * (DOWNLOAD_SHARE * downloaded + (1 - DOWNLOAD_SHARE) * extracted);
  }
  return whole === 0 ? 0 : done / whole;
}
