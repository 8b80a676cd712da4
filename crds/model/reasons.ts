import type { ReasonText } from './descriptor.js';
import { KIND_REASONS } from './kind-reasons.js'; // generated from crds/*.yaml; do not edit
import type { Kind } from './kinds.js';

/** Reasons that the runtime sets, whatever the kind. */
export const COMMON_REASONS = {
  Settled: {
    meaning: 'A pass at this generation found nothing to do.',
    whatToDo: 'Nothing.',
  },
  Retrying: {
    meaning: 'The last attempt failed in a way that may pass; it is tried again, with growing pauses.',
    whatToDo: 'Nothing if it passes; otherwise mend what the message names.',
  },
  InvalidSpec: {
    meaning: 'The document says something that cannot be made true.',
    whatToDo: 'Correct the fields that the message names.',
  },
  EngineUnreachable: {
    meaning: 'The container engine has not answered yet, or does not answer any more.',
    whatToDo: 'See that the engine runs: `systemctl status docker`.',
  },
  EngineHangs: {
    meaning: 'The container engine leaves a request about it unanswered, or fails again and again to tell of it.',
    whatToDo: 'Nothing if it goes on; otherwise see what the message names, and the log of the engine.',
  },
  OwnerMissing: {
    meaning: 'The App that made the document is missing, so nobody updates or removes it; what runs goes on.',
    whatToDo: 'Declare that App again, or delete the document.',
  },
} as const satisfies Readonly<Record<string, ReasonText>>;

/**
 * Why a document of the kind is not Ready, for programs: the common reasons and those of the annotation
 * `supercargo.io/reasons` in its CRD. Without a kind: of any.
 */
export type ReasonOf<K extends Kind = Kind> =
  | keyof typeof COMMON_REASONS
  | { readonly [One in K]: keyof (typeof KIND_REASONS)[One] & string }[K];
export type Reason = ReasonOf;

/** Returns the reasons of a kind with their meaning, its own first. Pure. */
export const reasonsOf = (kind: Kind): Readonly<Record<string, ReasonText>> => ({
  ...KIND_REASONS[kind],
  ...COMMON_REASONS,
});
