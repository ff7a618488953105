import { databaseConnection, redisConnection, type Logger } from '@ariftly/runtime'
import { checkKafka } from './check-kafka.ts'
import { checkPostgres } from './check-postgres.ts'
import { checkRedis } from './check-redis.ts'
import type { CheckConfig } from '../config.ts'
import type { Finding } from './finding.ts'

/** Checks all backends at the same time. It changes nothing. An empty result means that the services will work. */
export async function checkBackends(config: CheckConfig, log: Logger): Promise<readonly Finding[]> {
  const { url, tls } = databaseConnection(config)
  const adminUrl = config.DATABASE_ADMIN_URL ?? url
  const found = await Promise.all([
    checkKafka(config, log),
    checkPostgres({ url, adminUrl, ...(tls === undefined ? {} : { tls }) }),
    checkRedis(redisConnection(config)),
  ])
  return found.flat()
}
