import { createHash } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createPool } from '@ariftly/store'
import { insertApiKey } from '@ariftly/store/api-keys'
import type { ServiceProcess } from '@ariftly/testkit'
import { API_KEY, startBenchStack } from '../support/bench-stack.ts'

/** Ingest as a process of its own, at its default settings, on Kafka and Postgres of its own that flush as in production. */
export interface IngestSystem {
  readonly ingest: ServiceProcess
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
const TOPIC = 'ariftly.events.v1'

/** Starts it from the build; build first. */
export async function startIngestSystem(): Promise<IngestSystem> {
  return await startBenchStack({ parts: ['kafka', 'postgres'] }, async ({ stack, start, close }) => {
    const databaseUrl = stack.addresses.postgres
    await storeLimitedKey(databaseUrl)
    const ingest = await start('ingest')
    const kafka = { address: stack.addresses.kafka, pid: stack.kafka?.pid ?? 0 }
    return { ingest, kafka, databaseUrl, topic: TOPIC, apiKey: API_KEY, limitedKey: LIMITED_KEY, close }
  })
}

async function storeLimitedKey(url: string): Promise<void> {
  const pool = createPool({ role: null, url, applicationName: 'bench', max: 1 })
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
