import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '@ariftly/local-stack'
import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'

/** Ingest as a process of its own, at its default settings, on Kafka and Postgres of its own that flush as in production. */
export interface IngestHouse {
  readonly ingest: ServiceProcess
  readonly kafka: { readonly address: string; readonly pid: number }
  readonly databaseUrl: string
  readonly topic: string
  /** Of tenant `default`, without a quota. */
  readonly apiKey: string
  close(): Promise<void>
}

const API_KEY = 'bench-key-0123456789abcdef'
const TOPIC = 'ariftly.events.v1'

/** Starts it from what is built; build first. */
export async function startIngestHouse(): Promise<IngestHouse> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const stack = await startStack({ dataDir, parts: ['kafka', 'postgres'] })
  let ingest: ServiceProcess | undefined

  async function close(): Promise<void> {
    ingest?.kill('SIGTERM')
    await ingest?.exited
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
    ingest = await startServiceProcess('ingest', env)
    const kafka = { address: stack.addresses.kafka, pid: stack.kafka?.pid ?? 0 }
    return { ingest, kafka, databaseUrl, topic: TOPIC, apiKey: API_KEY, close }
  } catch (error) {
    await close()
    throw error
  }
}
