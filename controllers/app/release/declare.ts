import type { Accepted, Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { type AnyDeclared, type AnyResource, type App, keyOf } from '../../../crds/model/kinds.js';
import { TerminalError, wait } from '../../runtime/outcome.js';
import { event } from '../events.js';
import type { AppDeps } from '../observe.js';
import type { AppStep } from '../plan.js';
import type { AppResult } from '../status.js';
import { declaredAs } from './children.js';

/** Tells whether a document is one of these images. Pure. */
export const isAmong = (images: readonly string[], { kind, metadata }: AnyResource): boolean =>
  kind === 'Image' && images.includes(metadata.name);

/** Returns the documents of `from` that are not in `declared`, as they were declared. Pure. */
export const without = (from: readonly AnyResource[], declared: readonly AnyDeclared[]): readonly AnyDeclared[] =>
  from
    .filter((one) => !declared.some(({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name))
    .map(declaredAs);

const REASONS = {
  stage: 'Staging',
  promote: 'Promoting',
  advance: 'MakingRoom',
  drop: 'MakingRoom',
  prune: 'Pruning',
  keep: 'Keeping',
  reclaim: 'Removing',
  remove: 'Removing',
} as const;

const revisionsOf = (store: Pick<Store, 'owned'>, { metadata }: App): readonly AnyDeclared[] =>
  store.owned(keyOf('App', metadata.name), 'Revision').filter(isActive).map(declaredAs);

/** Declares the App's children: those that are not among the documents are deleted. Its Revisions stay when not said. */
export async function proposeChildren(
  { store }: AppDeps,
  app: App,
  documents: readonly AnyDeclared[],
  revisions: readonly AnyDeclared[] = revisionsOf(store, app),
): Promise<Accepted> {
  const owner = `App/${app.metadata.name}` as const;
  const accepted = await store.propose({
    origin: owner,
    owner,
    documents: [...revisions, ...documents].map((document) => ({ document })),
  });
  if (accepted.refused.length > 0) {
    throw new TerminalError('NameTaken', accepted.refused.map(({ message }) => message).join(' '));
  }
  return accepted;
}

/** Declares the App's children for a step, and records an event. */
export async function propose(
  deps: AppDeps,
  app: App,
  step: Extract<AppStep, { readonly do: keyof typeof REASONS }>,
  documents: readonly AnyDeclared[],
  revisions?: readonly AnyDeclared[],
): Promise<Partial<AppResult> | undefined> {
  const accepted = await proposeChildren(deps, app, documents, revisions);
  if (accepted.created.length + accepted.changed.length + accepted.deleted.length === 0) {
    // A desired child is still being deleted; the store creates it again when it has gone.
    return { outcome: wait('ChildrenNotReady', `Waiting for what is being deleted: ${step.because}`).outcome };
  }
  event(deps, app, REASONS[step.do], `${REASONS[step.do]}: ${step.because}`);
  return undefined;
}
