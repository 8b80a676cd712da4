/**
 * Mutation tests of the pure planners: `npm run test:mutation [-- --mutate controllers/app/plan.ts]`. Stryker changes a
 * planner in one place (a `&&` to `||`, a string to '') and expects a test to fail; what no test notices is printed as
 * `Survived`. The answer to a survivor is a row in the planner's table. Not in CI: it takes
 * many minutes.
 *
 * Stryker is fetched when it is asked for: its mocha runner wants mocha 11 beside it, and `npm ci` should not wait for it.
 */

/** The tables of what is done about one service. */
const SERVICE_TABLES = [
  'test/controllers/service/plan.test.ts',
  'test/controllers/service/plan-steps.test.ts',
  'test/controllers/service/strategy/plan.test.ts',
  'test/controllers/service/container/drift.test.ts',
  'test/controllers/service/container/left-behind.test.ts',
  'test/controllers/planner-vectors/*.test.ts',
];

/** Every planner, and the tests that have to notice a change of it. */
const PLANNERS = {
  'api/store/proposal/immutable-fields.ts': ['test/api/store/proposal/plan-proposal.test.ts'],
  'api/store/proposal/ownership.ts': [
    'test/api/store/proposal/plan-proposal.test.ts',
    'test/api/store/proposal/derived-names.test.ts',
  ],
  'api/store/proposal/plan-deletion.ts': ['test/api/store/proposal/plan-deletion.test.ts'],
  'api/store/proposal/plan-proposal.ts': ['test/api/store/proposal/plan-proposal.test.ts'],
  'controllers/app/commands/commands.ts': ['test/controllers/app/commands/commands.test.ts'],
  'controllers/app/images/disk-pressure.ts': ['test/controllers/app/images/disk-pressure.test.ts'],
  'controllers/app/images/image-retention.ts': ['test/controllers/app/images/image-retention.test.ts'],
  'controllers/app/plan.ts': ['test/controllers/app/plan.test.ts', 'test/controllers/planner-vectors/*.test.ts'],
  'controllers/git-source/plan.ts': ['test/controllers/git-source/plan.test.ts'],
  'controllers/host-config/commit-confirm.ts': ['test/controllers/host-config/commit-confirm.test.ts'],
  'controllers/host-config/device/plan.ts': ['test/controllers/host-config/device/plan*.test.ts'],
  'controllers/host-config/network/plan.ts': ['test/controllers/host-config/network/plan*.test.ts'],
  'controllers/image/plan.ts': ['test/controllers/image/plan.test.ts'],
  'controllers/network/plan.ts': ['test/controllers/network/plan.test.ts'],
  'controllers/runtime/result-to-action.ts': ['test/controllers/runtime/result-to-action.test.ts'],
  'controllers/service/commands/commands.ts': ['test/controllers/service/commands/commands.test.ts'],
  'controllers/service/container/drift.ts': ['test/controllers/service/container/drift.test.ts'],
  'controllers/service/container/left-behind.ts': ['test/controllers/service/container/left-behind.test.ts'],
  'controllers/service/dependencies/namespaces.ts': ['test/controllers/service/dependencies/namespaces.test.ts'],
  'controllers/service/dependencies/networks-and-volumes.ts': [
    'test/controllers/service/dependencies/networks-and-volumes.test.ts',
  ],
  'controllers/service/dependencies/siblings.ts': ['test/controllers/service/dependencies/siblings.test.ts'],
  'controllers/service/health/runs.ts': ['test/controllers/service/health/runs.test.ts'],
  'controllers/service/plan.ts': SERVICE_TABLES,
  'controllers/service/plan-steps.ts': SERVICE_TABLES,
  'controllers/service/repair-in-place.ts': SERVICE_TABLES,
  'controllers/service/update/kill-first.ts': SERVICE_TABLES,
  'controllers/service/update/record.ts': ['test/controllers/service/update/*.test.ts'],
  'controllers/service/update/surge.ts': SERVICE_TABLES,
  'controllers/service/update/update-policy.ts': ['test/controllers/service/update/update-policy.test.ts'],
  'controllers/volume/plan.ts': ['test/controllers/volume/plan.test.ts'],
};

/** Tests of the planners that `--mutate` names, or of all: every test that is loaded costs time with each mutant. */
const named = process.argv[process.argv.indexOf('--mutate') + 1]?.split(',').filter((file) => file in PLANNERS) ?? [];
const specs = Object.entries(PLANNERS).flatMap(([file, spec]) => (named.length === 0 || named.includes(file) ? spec : []));

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: Object.keys(PLANNERS),
  testRunner: 'mocha',
  mochaOptions: { spec: [...new Set(specs)] },
  testRunnerNodeArgs: ['--import', 'tsx'],
  coverageAnalysis: 'perTest',
  // What runs while a module is loaded cannot be switched on and off: each such mutant would need a process of its own.
  ignoreStatic: true,
  concurrency: 1,
  reporters: ['clear-text', 'progress-append-only'],
  // It would be rewritten with TypeScript 5, which is not installed; tsx needs no change of it.
  tsconfigFile: 'none',
};
