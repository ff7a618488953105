import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, type Receiver, type World } from '@ariftly/testkit'
import type pg from 'pg'
import { isWanted, type Observation, type PlannedEvent, type Wanted } from './ledger.ts'
import { UPGRADED_TASK } from './upgrade.ts'
import { countRecords, readLog, readTable } from './observe.ts'
import type { Run } from './run.ts'
import { createArrivals, seenByWebhook } from './webhooks.ts'

/** Options of {@link observeAtRest}. */
export interface RestOptions {
  readonly run: Omit<Run, 'clients' | 'posts'>
  readonly world: World
  /** A pool of the owner. */
  readonly db: pg.Pool
  /** Where the run's webhooks lead, if it has any. */
  readonly receiver?: Receiver
  /** How long to wait for missing events. */
  readonly patienceMs: number
  /** How long to wait for duplicates. */
  readonly settleMs: number
  readonly say: (line: string) => void
}

/**
 * Waits until all written events have arrived everywhere, or the patience ends, closes the clients and returns the observation. The
 * load has ended.
 */
export async function observeAtRest(o: RestOptions): Promise<Observation> {
  const { run, db } = o
  const brokers = (o.world.env['KAFKA_BROKERS'] ?? '').split(',')
  const { topic, dlqTopic } = o.world.topics
  const written = await countRecords(brokers, topic)
  await eventually('all records are projected', async () => (await projectedUpTo(db)) >= written, {
    timeoutMs: o.patienceMs,
    everyMs: 200,
  })
  o.say(`${written} records written and projected`)
  const table = (await readTable(db)).filter(isOfRun)
  const requests = o.receiver?.requests ?? []
  const missing = createMissing(run, table, createArrivals(requests))
  await eventually('nothing is missing', () => missing() === 0, { timeoutMs: o.patienceMs, everyMs: 200 }).then(
    () => o.say('all events have arrived'),
    async () => o.say(`${missing()} still missing: ${await describeDeliveries(db)}`),
  )
  await sleep(o.settleMs)
  await Promise.all([...run.lists, ...run.streams].map((client) => client.close()))
  return {
    acknowledged: [...run.acknowledged.values()],
    log: (await readLog(brokers, topic)).filter(isOfRun),
    table,
    deadLetters: await countRecords(brokers, dlqTopic),
    streams: run.streams.map((stream) => stream.seen),
    webhooks: seenByWebhook(run.subscriptions, requests),
    listed: run.lists.flatMap((list) => list.listed),
  }
}

/** Missing events, over all streams and webhooks. */
function createMissing(
  run: RestOptions['run'],
  table: readonly PlannedEvent[],
  hasArrived: (webhookId: string, eventId: string) => boolean,
): () => number {
  const ofStreams = run.streams.map(({ seen, has }) => ({ has, ids: idsOf(table, seen) }))
  const ofWebhooks = run.subscriptions.map((subscription) => ({
    has: (id: string) => hasArrived(subscription.id, id),
    ids: idsOf(table, subscription),
  }))
  return function missing() {
    return [...ofStreams, ...ofWebhooks].reduce((sum, { has, ids }) => sum + ids.filter((id) => !has(id)).length, 0)
  }
}

function idsOf(table: readonly PlannedEvent[], o: { tenant: string; wanted: Wanted }): readonly string[] {
  return table.filter((event) => isWanted(event, o.tenant, o.wanted)).map(({ id }) => id)
}

/** What Postgres has planned for missing deliveries: the first information for a diagnosis. */
async function describeDeliveries(db: pg.Pool): Promise<string> {
  const states = await db.query('SELECT webhook_id, state, count(*)::int, min(due_at) FROM deliveries GROUP BY 1, 2')
  const endpoints = await db.query('SELECT webhook_id, consecutive_failures, next_probe_at FROM webhook_endpoints')
  return JSON.stringify({ states: states.rows, endpoints: endpoints.rows })
}

async function projectedUpTo(db: pg.Pool): Promise<number> {
  const sql = `SELECT sum(next_offset)::float8 AS next FROM projection_offsets WHERE projection = 'events'`
  const result = await db.query<{ next: number | null }>(sql)
  return result.rows[0]?.next ?? 0
}

/** Whether an event is of the run, and not of the release that it was upgraded from. */
function isOfRun({ taskId }: { readonly taskId: string }): boolean {
  return taskId !== UPGRADED_TASK
}
