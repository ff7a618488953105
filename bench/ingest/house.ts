import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newTypeId } from '@ariftly/events'
import { startStack } from '@ariftly/local-stack'
import { createPool, insertApiKey } from '@ariftly/store'
import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'

/** Ingest as a process of its own, at its default settings, on Kafka and Postgres of its own that flush as in production. */
export interface IngestHouse {
  readonly ingest: ServiceProcess
  /** Another one, which packs what it sends to Kafka. */
  readonly gzipIngest: ServiceProcess
  readonly kafka: { readonly address: string; readonly pid: number }
  readonly databaseUrl: string
  readonly topic: string
  /** Of tenant `default`, without a quota. */
  readonly apiKey: string
  /** Of tenant `limited`, with a quota of {@link QUOTA_PER_S}. */
  readonly limitedKey: string
  close(): Promise<void>
}

/** Events a second of the key that has a quota. */
export const QUOTA_PER_S = 100

const LIMITED_KEY = 'bench-limited-key-0123456789'
const API_KEY = 'bench-key-0123456789abcdef'
const TOPIC = 'ariftly.events.v1'

/** Starts it from what is built; build first. */
export async function startIngestHouse(): Promise<IngestHouse> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const stack = await startStack({ dataDir, parts: ['kafka', 'postgres'] })
  const processes: ServiceProcess[] = []

  async function close(): Promise<void> {
    for (const process of processes) process.kill('SIGTERM')
    await Promise.all(processes.map((process) => process.exited))
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }

  try {
    const databaseUrl = stack.addresses.postgres
    const env = { KAFKA_BROKERS: stack.addresses.kafka, KAFKA_TOPIC: TOPIC, DATABASE_URL: databaseUrl }
    const admin = {
      DATABASE_ADMIN_URL: databaseUrl,
      ARIFTLY_BOOTSTRAP_KEY: API_KEY,
      KAFKA_DLQ_TOPIC: 'ariftly.events.dlq.v1',
    }
    const migrate = await startServiceProcess('migrate', { ...env, ...admin }, { untilReady: false })
    if ((await migrate.exited) !== 0) throw new Error(`migrate failed:\n${migrate.output()}`)
    await storeLimitedKey(databaseUrl)
    const ingest = await startServiceProcess('ingest', env)
    processes.push(ingest)
    const gzipIngest = await startServiceProcess('ingest', { ...env, INGEST_COMPRESSION: 'gzip' })
    processes.push(gzipIngest)
    const kafka = { address: stack.addresses.kafka, pid: stack.kafka?.pid ?? 0 }
    return { ingest, gzipIngest, kafka, databaseUrl, topic: TOPIC, apiKey: API_KEY, limitedKey: LIMITED_KEY, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function storeLimitedKey(url: string): Promise<void> {
  const pool = createPool({ url, applicationName: 'bench', max: 1 })
  await insertApiKey(pool, {
    id: newTypeId('key'),
    tenant: 'limited',
    name: 'limited',
    scopes: ['events:write'],
    hash: createHash('sha256').update(LIMITED_KEY).digest(),
    quota: { eventsPerS: QUOTA_PER_S, bytesPerS: null },
    expiresAtMs: null,
    createdAtMs: Date.now(),
  })
  await pool.end()
}
