const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // Replaces the defaults. The SDK has a condition of its own: it is published, and programs that set `source` are not to get its sources.
  testEnvironmentOptions: { customExportConditions: ['source', '@ariftly/source', 'node', 'node-addons'] },
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, sourceMaps: 'inline' }],
  },
  // These two publish their TypeScript under the condition `source` too.
  transformIgnorePatterns: ['/node_modules/(?!eventsource(-parser)?/)'],
  modulePathIgnorePatterns: ['<rootDir>/(packages|services|dev)/[^/]+/dist/', '<rootDir>/.cache/', '<rootDir>/.data/'],
}
// Runs once for all projects: one stack of real Kafka, Postgres and Redis.
const stack = { globalSetup: './test/jest/setup.mjs', globalTeardown: './test/jest/teardown.mjs' }
// Tests that load the whole system and break it, or measure how fast it answers then: each needs the machine for itself.
const SYSTEM = [
  'chaos/system-chaos',
  'faults/main-job',
  'faults/parts-stopped',
  'faults/rolling-restart',
  'faults/three-brokers',
  'faults/wrong-log',
  'streams/chaos',
].map((name) => `<rootDir>/test/${name}.faults.test.ts`)
const level = (name, extra) => ({ ...shared, ...extra, displayName: name, testMatch: [`**/*.${name}.test.ts`] })

export default {
  // Long beyond what a test takes on a machine that is busy with others: bounds of waits are shorter, and say what was missing.
  testTimeout: 120_000,
  reporters: ['default', './test/jest/last-line-reporter.mjs'],
  projects: [
    {
      ...level('unit'),
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.(int|e2e|faults)\\.test\\.ts$'],
    },
    level('int', stack),
    level('e2e', stack),
    level('faults', { ...stack, testPathIgnorePatterns: ['/node_modules/', ...SYSTEM] }),
    { ...level('system', stack), testMatch: SYSTEM },
  ],
}
