import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKafka, createTopics, type KafkaClient } from '@ariftly/kafka'
import { startStack } from '@ariftly/local-stack'
import { createLogger } from '@ariftly/runtime'
import { startServiceProcess } from '@ariftly/testkit'
import pg from 'pg'
import { cpuSecondsOfFamily } from '../support/process-usage.ts'
import { fillTopic, type Filled } from './workload.ts'

/** A stack of its own that flushes to disk as in production, with the same kind of events in two topics: ours, and as JSON. */
export interface ProjectorSystem {
  readonly env: Readonly<Record<string, string>>
  readonly kafka: string
  readonly databaseUrl: string
  readonly db: pg.Pool
  readonly jsonTopic: string
  readonly ours: Filled
  readonly json: Filled
  /** Seconds of processor time of Postgres, all its processes together. */
  readonly postgresCpuS: () => number
  /** Empties the table and puts the projection back to the log's start. */
  reset(): Promise<void>
  close(): Promise<void>
}

const PARTITIONS = 12
const TOPIC = 'ariftly.events.v1'
const JSON_TOPIC = 'bench.events.json'

/** Starts it from the build; build first. */
export async function startProjectorSystem(
  events: { readonly ours: number; readonly json: number },
  say: (line: string) => void,
): Promise<ProjectorSystem> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const stack = await startStack({ dataDir, parts: ['kafka', 'postgres'], progress: say })
  const { kafka, postgres } = stack.addresses
  const db = new pg.Pool({ connectionString: postgres, max: 2 })
  // At the end Postgres may have stopped before the last connection is closed.
  db.on('error', () => undefined)
  db.on('connect', (client) => client.on('error', () => undefined))
  const log = createLogger({ service: 'bench', level: 'silent' })
  const client = createKafka({ brokers: [kafka], clientId: 'bench', log })
  const env = { KAFKA_BROKERS: kafka, KAFKA_TOPIC: TOPIC, DATABASE_URL: postgres, LOG_LEVEL: 'warn' }

  async function close(): Promise<void> {
    await client.close()
    await db.end()
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }

  try {
    await migrate(env)
    say(`${events.ours} events are written to the log, and ${events.json} as JSON`)
    const ours = await fillTopic(client, { topic: TOPIC, partitions: PARTITIONS, count: events.ours, json: false })
    const json = await fillJson(client, events.json)
    return {
      env,
      kafka,
      databaseUrl: postgres,
      db,
      jsonTopic: JSON_TOPIC,
      ours,
      json,
      postgresCpuS: () => cpuSecondsOfFamily(stack.postgres?.pid ?? 0),
      reset: () => reset(db),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function migrate(env: Readonly<Record<string, string>>): Promise<void> {
  const admin = { DATABASE_ADMIN_URL: env['DATABASE_URL'] ?? '', KAFKA_DLQ_TOPIC: 'ariftly.events.dlq.v1' }
  const process = await startServiceProcess('migrate', { ...env, ...admin }, { untilReady: false })
  if ((await process.exited) !== 0) throw new Error(`migrate failed:\n${process.output()}`)
}

async function fillJson(client: KafkaClient, count: number): Promise<Filled> {
  const topics = { topic: JSON_TOPIC, dlqTopic: `${JSON_TOPIC}.dlq`, partitions: PARTITIONS, replication: 1 }
  await createTopics(client, topics)
  return await fillTopic(client, { topic: JSON_TOPIC, partitions: PARTITIONS, count, json: true })
}

async function reset(db: pg.Pool): Promise<void> {
  await db.query('TRUNCATE events, log_times')
  await db.query('UPDATE projection_offsets SET next_offset = 0, last_offset = NULL, last_id = NULL')
  await db.query('CHECKPOINT')
}
