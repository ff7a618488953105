import { createHash, randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { createPool, type Pool } from '@ariftly/store'
import { insertApiKey } from '@ariftly/store/api-keys'
import { eventually, type ServiceProcess } from '@ariftly/testkit'
import { pin } from '../ingest/worker.ts'
import { API_KEY, startBenchStack } from '../support/bench-stack.ts'

/** A gateway as a process of its own at its default settings, on Kafka and Postgres of its own. */
export interface StreamSystem {
  readonly gateway: ServiceProcess
  /** Present when it was asked for. */
  readonly ingest: ServiceProcess | undefined
  readonly broker: string
  readonly topic: string
  /** Of tenant `default`. */
  readonly apiKey: string
  /** Starts another gateway on the processor of the first one; gives the seconds until it is ready. */
  startAnother(): Promise<number>
  /** Makes a key of another tenant. */
  addKey(tenant: string): Promise<string>
  /** Events that are projected; 0 without a projector. */
  projected(): Promise<number>
  close(): Promise<void>
}

/** The measured process has one processor, all else the other; the same for the peers. */
export const CPU = { measured: 0, others: 1 } as const

const TOPIC = 'ariftly.events.v1'

/** Starts it from the build; build first. */
export async function startStreamSystem(
  o: {
    readonly withIngest?: boolean
    readonly withProjector?: boolean
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<StreamSystem> {
  const env = { LOG_LEVEL: 'warn', DRAIN_MS: '0', ...o.env }
  return await startBenchStack({ parts: ['kafka', 'postgres'], env }, async ({ stack, start, spawn, close }) => {
    const gateway = await start('stream-gateway')
    const ingest = o.withIngest === true ? await start('ingest') : undefined
    const projector = o.withProjector === true ? await start('projector') : undefined
    pin(gateway.pid, CPU.measured)
    for (const pid of [stack.kafka?.pid, stack.postgres?.pid, ingest?.pid, projector?.pid])
      if (pid !== undefined) pin(pid, CPU.others)

    async function withDatabase<T>(work: (db: Pool) => Promise<T>): Promise<T> {
      const db = createPool({ role: null, url: stack.addresses.postgres, applicationName: 'bench', max: 1 })
      try {
        return await work(db)
      } finally {
        await db.end()
      }
    }

    async function startAnother(): Promise<number> {
      const startedMs = performance.now()
      const service = await spawn('stream-gateway')
      pin(service.pid, CPU.measured)
      await eventually('the gateway is ready', async () => (await fetch(`${service.url}/readyz`)).ok, { everyMs: 20 })
      return (performance.now() - startedMs) / 1000
    }

    async function addKey(tenant: string): Promise<string> {
      const key = `bench_${randomBytes(24).toString('base64url')}`
      const createdAtMs = Date.now()
      const quota = { eventsPerS: null, bytesPerS: null }
      const hash = createHash('sha256').update(key).digest()
      const scopes = ['events:read', 'events:write']
      const id = newTypeId('key', createdAtMs)
      await withDatabase((db) =>
        insertApiKey(db, { id, tenant, name: 'bench', scopes, hash, quota, expiresAtMs: null, createdAtMs }),
      )
      return key
    }

    async function projected(): Promise<number> {
      const sql = `SELECT coalesce(sum(next_offset), 0)::int AS n FROM projection_offsets WHERE projection = 'events'`
      return await withDatabase(async (db) => (await db.query<{ n: number }>(sql)).rows[0]?.n ?? 0)
    }

    return {
      gateway,
      ingest,
      broker: stack.addresses.kafka,
      topic: TOPIC,
      apiKey: API_KEY,
      startAnother,
      addKey,
      projected,
      close,
    }
  })
}
