import { databaseConnection } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool, type PoolOptions } from '@ariftly/store'
import { LIST_SETTINGS } from '@ariftly/store/events'
import type { WebhookWorkerConfig } from './config.ts'

/** The worker's connections to Postgres, apart by what must not wait for what. */
export interface WorkerPools {
  readonly matching: Pool
  readonly scheduling: Pool
  readonly outcomes: Pool
  /** One connection, so that nothing delays a heartbeat. */
  readonly heartbeat: Pool
  /** Finds what is redelivered; has `LIST_SETTINGS`. */
  readonly redeliveries: Pool
  readonly starts: Pool
  /** Upkeep. */
  readonly other: Pool
}

/**
 * Every statement of the worker finds its rows by index. Plans are kept, and one that was made while a partition was still
 * empty must not read all of it once it is full.
 */
const SESSION_SETTINGS = { enable_seqscan: 'off', enable_mergejoin: 'off' }
/**
 * For connections whose statements are the same few all the time: each is planned once. Postgres would plan a statement again
 * for every small batch, as its estimate for two ids is lower than that for an array of unknown length: 5 to 12 ms over all
 * partitions, where running it takes less than one.
 */
const PLANNED_ONCE = { plan_cache_mode: 'force_generic_plan' }
/**
 * What a crash of Postgres may undo without harm need not wait for its disk: matches go together with their position and are
 * written again, a queued delivery is pending again, and an attempt that was under way is repeated as after any crash. Only
 * outcomes must stay, and an outcome's commit flushes all earlier commits.
 */
const REPEATABLE = { synchronous_commit: 'off' }
/** A statement of the scheduler that takes longer would delay other webhooks: it is cancelled, and its webhooks are bisected. */
const SHORT_MS = 2_000

/** Makes the pools; nothing connects before its first query. `onAnswer` is called after each heartbeat. */
export function createPools(config: WebhookWorkerConfig, onAnswer?: () => void): WorkerPools {
  function open(
    name: string,
    max: number,
    settings: Readonly<Record<string, string>>,
    more: Pick<PoolOptions, 'statementTimeoutMs' | 'onAnswer'> = {},
  ) {
    return createPool({
      ...databaseConnection(config),
      applicationName: `ariftly-webhook-${name}`,
      max,
      role: SERVICE_ROLE,
      settings: { ...SESSION_SETTINGS, ...settings },
      ...more,
    })
  }
  return {
    matching: open('matcher', 6, { ...REPEATABLE, ...PLANNED_ONCE }),
    scheduling: open('scheduler', 3, { ...REPEATABLE, ...PLANNED_ONCE }, { statementTimeoutMs: SHORT_MS }),
    outcomes: open('outcomes', 3, PLANNED_ONCE),
    heartbeat: open('heartbeat', 1, REPEATABLE, { statementTimeoutMs: SHORT_MS, onAnswer }),
    redeliveries: open('redeliveries', 1, { ...LIST_SETTINGS, ...REPEATABLE }),
    starts: open('starts', 2, { ...REPEATABLE, ...PLANNED_ONCE }),
    other: open('worker', 4, REPEATABLE),
  }
}

/** Closes all of them. */
export async function closePools(pools: WorkerPools): Promise<void> {
  await Promise.all(Object.values(pools).map((pool: Pool) => pool.end()))
}
