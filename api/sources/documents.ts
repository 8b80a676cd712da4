import type { Issue } from '../../crds/model/issue.js';
import type { AnyDeclared, Kind, Problem } from '../../crds/model/kinds.js';
import type { Proposed } from '../store/store.js';

/** Checks one document against its kind's schema: `parseDocument` of crds. */
export type Parse = (
  value: unknown,
  options?: { readonly isTargetState?: boolean },
) =>
  | { readonly ok: true; readonly document: AnyDeclared }
  | { readonly ok: false; readonly kind?: Kind; readonly name?: string; readonly issues: readonly Issue[] };

/** The documents of a text, and its problems. */
export interface Documents {
  readonly documents: readonly Proposed[];
  readonly problems: readonly Problem[];
  /** Things that were left out on purpose although they were written; nothing is kept back because of them. */
  readonly warnings: readonly Problem[];
}

/** The part of a pino logger that sources use. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One readable line: `manifests/hello.yaml:12:5 spec.services.web.ports[0]: …`. Pure. */
export function problemLine({ source, path, message, kind, name }: Problem): string {
  const place = source ? [source.file, source.line, source.column].filter((part) => part !== undefined).join(':') : '';
  const where = path ?? (kind && name && !message.includes(name) ? `${kind} ${name}` : '');
  const lead = [place, where].filter(Boolean).join(' ');
  return lead === '' ? message : `${lead}: ${message}`;
}
