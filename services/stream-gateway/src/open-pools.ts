import { databaseConnection, type Releasers } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import { LIST_SETTINGS } from '@ariftly/store/events'
import type { StreamGatewayConfig } from './config.ts'

/** The connections of the gateway to Postgres. */
export interface GatewayPools {
  /** For pages of history and look-ups of duplicates. */
  readonly pool: Pool
  /** For queries that must not wait for those: the projection's position, the epoch, the stream counts of other gateways. */
  readonly watchPool: Pool
}

const POOL_MAX = 8
const WATCH_POOL_MAX = 3
const WATCH_STATEMENT_MS = 2000

/** Makes the pools; they connect when they are first used, and are closed with `releasers`. */
export function openPools(config: StreamGatewayConfig, releasers: Releasers): GatewayPools {
  const shared = { ...databaseConnection(config), role: SERVICE_ROLE }
  const pool = createPool({
    ...shared,
    applicationName: 'ariftly-stream-gateway',
    max: POOL_MAX,
    settings: LIST_SETTINGS,
  })
  releasers.add('pool', () => pool.end())
  const watchPool = createPool({
    ...shared,
    applicationName: 'ariftly-stream-gateway-watch',
    max: WATCH_POOL_MAX,
    statementTimeoutMs: WATCH_STATEMENT_MS,
  })
  releasers.add('watch pool', () => watchPool.end())
  return { pool, watchPool }
}
