/** What a plan says: the answer of `POST /apis/supercargo.io/v1/plan`. */
export interface Plan {
  readonly apiVersion: string;
  readonly kind: 'Plan';
  /** What would be done on the device, in order. What has nothing to do with each other is done side by side. */
  readonly actions: readonly PlannedAction[];
  /** Documents that would not be taken, or that no device could make true as they are. */
  readonly refused: readonly PlanRefusal[];
  /** Where it would wait. */
  readonly waits: readonly PlanWait[];
  /** What is to be known besides, a sentence each. */
  readonly notes: readonly string[];
  /** Of all downloads whose size is known, at most: layers that are there already are not downloaded again. Absent when none is known. */
  readonly downloadBytes?: number;
  /** False: the rehearsal has not come to rest within its limits; what is said is what it did until then. */
  readonly complete: boolean;
}

export interface PlannedAction {
  /** `Service/shop.web` */
  readonly object: string;
  readonly action: ActionName;
  /** Why: fields, `services.web.environment.MODE: "fast" → "safe"`, or sentences. Secrets are masked. */
  readonly because: readonly string[];
  /** What is asked of the engine for it, in order. */
  readonly steps: readonly string[];
  /** Of a download, at most; absent when the registry does not tell. */
  readonly bytes?: number;
  /** How long the service would be down: 0 for not at all, or what its last update took; absent when that is not known. */
  readonly downtimeSeconds?: number;
}

/** `configure`: settings of the host; what is written to its files is not rehearsed. `fetch`: a repository is read; what it declares is not known before. */
export const ACTION_NAMES = [
  'create',
  'replace',
  'remove',
  'start',
  'stop',
  'restart',
  'rename',
  'update',
  'download',
  'tag',
  'configure',
  'fetch',
] as const;
export type ActionName = (typeof ACTION_NAMES)[number];

export interface PlanRefusal {
  readonly object: string;
  readonly reason: string;
  /** `spec.services.web.ports[0]`, where it is about one field. */
  readonly field?: string;
  /** Where that stands in a body of YAML, or the nearest that stands above it; counted from 1. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

interface PlanWait {
  readonly object: string;
  readonly reason: string;
  readonly message: string;
  /** How long it is known to last, s. */
  readonly forSeconds?: number;
  /** The plan goes on behind it as if it had ended. False: it is what everything still waits for in the end. */
  readonly passed: boolean;
}
