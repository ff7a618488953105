import type { StackAddresses } from '@ariftly/local-stack'

/**
 * The addresses of the stack that all tests of this run share; set by `test/jest/setup.mjs`.
 * @throws Error when there is none: the test's file name has no `.int`, `.e2e` or `.faults`.
 */
export function stackAddresses(env: NodeJS.ProcessEnv = process.env): StackAddresses {
  return {
    kafka: required(env, 'ARIFTLY_TEST_KAFKA'),
    postgres: required(env, 'ARIFTLY_TEST_POSTGRES'),
    redis: required(env, 'ARIFTLY_TEST_REDIS'),
  }
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: only tests named *.int, *.e2e or *.faults have the stack.`)
  }
  return value
}
