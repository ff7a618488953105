import { startOwnStack } from '@ariftly/testkit'

/**
 * The stack that all tests of one jest run share: real Kafka, Postgres and Redis on free ports, with a migrated database that tests
 * clone. `environment` is what `stackAddresses` of the testkit reads.
 */
export async function startTestStack(): Promise<{
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}> {
  const { addresses, dataDir, close } = await startOwnStack()
  const environment = {
    ARIFTLY_TEST_KAFKA: addresses.kafka,
    ARIFTLY_TEST_POSTGRES: addresses.postgres,
    ARIFTLY_TEST_REDIS: addresses.redis,
    ARIFTLY_TEST_DIR: dataDir,
  }
  return { environment, close }
}
