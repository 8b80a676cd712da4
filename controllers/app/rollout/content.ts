import { textOf } from '../../../api/store/frozen.js';
import { canonicalHash } from '../../../crds/model/hash.js';
import { type AnyDeclared, API_VERSION } from '../../../crds/model/kinds.js';
import { childName } from '../../../crds/model/names.js';
import type { Revision } from '../../../crds/model/revisions.js';

/** What an App promotes: its networks, volumes and services, by kind and name. */
export type Promoted = Extract<AnyDeclared, { readonly kind: 'Network' | 'Volume' | 'Service' }>;

/** What is promoted, and the name of its Revision, which is made of it: the same content has the same name. */
export interface Content {
  readonly name: string;
  readonly documents: readonly Promoted[];
}

/** How much of the hash the name of a Revision holds: 40 bits, for a handful of revisions of one App. */
const DIGITS = 10;

/**
 * The content of an App's children. What becomes of the data of volumes when the App goes is no part of it: nothing that
 * runs depends on that. Pure.
 */
export function contentOf(app: string, children: readonly AnyDeclared[]): Content {
  const known = made.get(children);
  if (known?.of === app) return known.content;
  const content = makeContent(app, children);
  made.set(children, { of: app, content });
  return content;
}

/** By the children that it was made of: most passes have the same. */
const made = new WeakMap<readonly AnyDeclared[], { readonly of: string; readonly content: Content }>();

function makeContent(app: string, children: readonly AnyDeclared[]): Content {
  // In the order in which they are declared, which is that in which clients see services, and no part of the name.
  const documents = children.filter((one) => one.kind === 'Network' || one.kind === 'Volume' || one.kind === 'Service');
  return { name: nameOf(app, documents), documents };
}

function nameOf(app: string, documents: readonly Promoted[]): string {
  const sorted = documents.toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1));
  const hash = canonicalHash(sorted.map((one) => [keyText(one), specText(one)]));
  return childName(app, hash.slice(0, DIGITS));
}

/** Tells whether a Revision is what its name is made of: somebody may have edited its file. Pure. */
export function isIntact({ metadata, spec }: Revision): boolean {
  const known = intact.get(spec);
  if (known !== undefined) return known;
  const is = metadata.name === nameOf(spec.app, spec.documents.map(asPromoted));
  intact.set(spec, is);
  return is;
}

/** By the spec, which is frozen. */
const intact = new WeakMap<Revision['spec'], boolean>();

/** A document as a Revision keeps it. Pure. */
export const asPromoted = ({ kind, name, spec }: Revision['spec']['documents'][number]): Promoted =>
  ({ apiVersion: API_VERSION, kind, metadata: { name }, spec }) as unknown as Promoted;

const keyText = ({ kind, metadata }: AnyDeclared): string => `${kind}/${metadata.name}`;

function specText(one: Promoted): string {
  if (one.kind !== 'Volume') return textOf(one.spec);
  const { reclaim: _, ...spec } = one.spec;
  return textOf(spec);
}
