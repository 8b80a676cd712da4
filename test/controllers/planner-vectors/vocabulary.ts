import assert from 'node:assert/strict';
import { type AppFacts, planApp } from '../../../controllers/app/plan.js';
import { childrenOf } from '../../../controllers/app/release/children.js';
import type { SeenContainer } from '../../../controllers/engine/engine.js';
import type { DesiredContainer, ServiceState } from '../../../controllers/service/service-state.js';
import type { AnyDeclared, AnyResource, App } from '../../../crds/model/kinds.js';
import { quietAppFacts } from '../../setup/app-facts.js';
import { aDocument, anApp, ready } from '../../setup/documents.js';
import { planText } from '../../setup/plan-text.js';
import { network, serviceLine } from '../service/service-states.js';

/**
 * The planner vectors of docs/reference/composition.md §10.3: situations that were played through with the Supervisor's
 * planner, each with what is planned here. The Supervisor has one planner; here an App and its Services plan each for
 * themselves, so a vector that is about both has a row for each of them, under one id.
 *
 * The app of the vectors is App `hello`: service `a` depends on service `b`, networks `x`, `y` and `default`, volume `v`.
 * A plan is a line of steps with their reasons, then how the pass ends: `start c1 (it had been stopped); progressing:
 * Starting`. A wait is what the Supervisor calls `noop`. Images are named `Image/hello.a-IMAGE`, without their hash.
 */
export interface Vector {
  readonly id: string;
  readonly given: string;
  /** What the Supervisor does then; with what is otherwise here in brackets. */
  readonly supervisor: string;
  /** What the App, or a Service, plans. */
  readonly plan: () => string;
  readonly want: string;
}

/** One test a row: `P13, service b: b has a new image that is not local → fetch b`. */
export function testVectors(vectors: readonly Vector[]): void {
  for (const { id, given, supervisor, plan, want } of vectors) {
    it(`${id}: ${given} → ${supervisor}`, () => {
      assert.equal(plan().replace(/(Image\/hello\.\w+)-[0-9a-f]{8}/g, '$1-IMAGE'), want);
    });
  }
}

// The app

export const SPEC = {
  appId: 1,
  release: { commit: 'a', id: 1 },
  services: { a: { image: 'a:1', depends_on: ['b'] }, b: { image: 'b:1' } },
  networks: { x: {}, y: {} },
  volumes: { v: {} },
};
const APP = anApp({ spec: SPEC, status: { ...ready(), release: SPEC.release, phase: 'Settled' } });

/** Everything that the release is to consist of. */
export const DESIRED = childrenOf(APP);
/** These, as documents that are settled. */
export const settledChildren = (which: readonly AnyDeclared[] = DESIRED): readonly AnyResource[] =>
  which.map(
    (one) =>
      aDocument(one.kind, one.metadata.name, one.spec, {
        origin: 'App/hello',
        owner: 'App/hello',
        status: ready() as never,
      }) as AnyResource,
  );
export const ofKind = (kind: AnyDeclared['kind']) => DESIRED.filter((one) => one.kind === kind);
export const butKind = (kind: AnyDeclared['kind']) => DESIRED.filter((one) => one.kind !== kind);

/** All of the release before: the same, but for the commit of its services. */
export const releaseBefore = (): readonly AnyResource[] =>
  settledChildren().map((one) =>
    one.kind === 'Service' ? ({ ...one, spec: { ...one.spec, release: { commit: 'z', id: 9 } } } as AnyResource) : one,
  );

/** What is planned for the App. `document` is the App itself; the rest is what it finds, all quiet when not said. */
export const app =
  ({ document = APP, ...facts }: Partial<AppFacts> & { readonly document?: App } = {}) =>
  (): string =>
    planText(() => planApp(document, quietAppFacts({ desired: DESIRED, ...facts })));

// A service

interface ServiceRow extends Partial<Omit<ServiceState, 'desired' | 'containers'>> {
  /** What its document wants, where that is not what its container is; undefined: it is deleted. */
  readonly wants?: Partial<DesiredContainer> | undefined;
  /** Newest first; one that runs and is as desired when not said. */
  readonly containers?: readonly Partial<SeenContainer>[];
}

/** What is planned for a service. It has the lock when not said. */
export const service =
  (row: ServiceRow = {}) =>
  (): string => {
    const { wants, containers = [{}], ...state } = row;
    const isDeleted = 'wants' in row && wants === undefined;
    return serviceLine(wants, containers, isDeleted ? { ...state, desired: undefined } : state);
  };

export const NO_CONTAINER: readonly Partial<SeenContainer>[] = [];
export const NEVER_STARTED = { state: 'created', startedAt: undefined } as const;
export const IMAGE_MISSING: Partial<DesiredContainer> = { image: undefined, reference: 'web:2' };
export const OTHER_IMAGE: Partial<DesiredContainer> = { image: { id: 'sha256:2', specHash: 'h2' } };
export const OTHER_NAME: Partial<DesiredContainer> = { containerName: 'web_1_2_b' };
export const ONE_NETWORK_MISSING: Partial<DesiredContainer> = {
  networks: [network('u_y', undefined, 'it does not exist yet')],
};
/** Containers have to leave that network, because it is another one now. */
export const recreatedNetwork = (name: string): Pick<ServiceState, 'closing'> => ({
  closing: new Map([[name, 'recreated']]),
});
