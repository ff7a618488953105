import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '@ariftly/local-stack'

/**
 * The stack that all tests of one jest run share: real Kafka, Postgres and Redis on free ports, with a migrated database that tests
 * clone. `environment` is what `stackAddresses` of the testkit reads.
 */
export async function startTestStack(): Promise<{
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-test-'))
  const stack = await startStack({
    dataDir,
    ephemeral: true,
    env: localEnvironment(),
    progress: (line) => process.stderr.write(`${line}\n`),
    onExit: (_name, detail) => process.stderr.write(`${detail}\n`),
  })
  try {
    const { createTemplateDatabase } = await import('@ariftly/testkit')
    await createTemplateDatabase(stack.addresses.postgres)
  } catch (error) {
    // While the house is being built this is a warning: tests without tables go on.
    process.stderr.write(`The template database is NOT migrated: ${String(error)}\n`)
  }
  const { kafka, postgres, redis } = stack.addresses
  return {
    environment: {
      ARIFTLY_TEST_KAFKA: kafka,
      ARIFTLY_TEST_POSTGRES: postgres,
      ARIFTLY_TEST_REDIS: redis,
      ARIFTLY_TEST_DIR: dataDir,
    },
    close: () => stack.close(),
  }
}

/** Tests never run on a stack that the shell happens to name: only programs are looked up in the environment. */
function localEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME } = process.env
  return { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME }
}
