import type { Running } from '@ariftly/runtime'
import { createPool, withTransaction } from '@ariftly/store'
import { advancePositions, currentEpoch, ensurePositions, readPositions } from '@ariftly/store/projection'
import { decodeRecord, newTypeId, typeIdToUuid, type LogEvent } from '@ariftly/events'
import { createKafka, startLogReader } from '@ariftly/kafka'
import { createKeyring } from '@ariftly/keyring'
import type { StackAddresses } from '@ariftly/local-stack'
import {
  type EventuallyOptions,
  type ServiceProcess,
  type World,
  createWorld,
  eventually,
  insertEvents,
  insertSampleWebhook,
  sampleEvent,
  silentLog,
  startInProcess,
} from '@ariftly/testkit'
import { start, webhookWorkerConfig } from '@ariftly-services/webhook-worker'

/** The secret of every webhook of these tests. */
export const SECRET = 'a-signing-secret-of-a-test'

const PARTITIONS = 3

/**
 * Short times, so that retries, probes and the death of a worker happen within a test. An attempt has the time that a busy machine
 * may need: after a timeout it is retried, and a test that counts requests would fail.
 */
const FAST = {
  WEBHOOK_RETRY_SCHEDULE_S: '0,0,1',
  WEBHOOK_WORKER_DEAD_MS: '3000',
  WEBHOOK_TIMEOUT_MS: '10000',
  WEBHOOK_PROBE_MS: '200',
}

/** A world with a projection of its own, in which webhook workers run in this process. */
export interface WorkerWorld {
  readonly world: World
  /** Starts a worker and waits until it is ready. */
  startWorker(env?: Readonly<Record<string, string>>): Promise<Running>
  /** Starts a worker as its own process, from the build. */
  startProcess(env?: Readonly<Record<string, string>>, o?: { readonly untilReady?: boolean }): Promise<ServiceProcess>
  /** Workers that were started so. */
  readonly processes: readonly ServiceProcess[]
  /** Makes a webhook for `task.*` and gives its id. */
  subscribe(o: { tenant: string; url: string; ordering?: 'none' | 'task'; rateLimit?: number }): Promise<string>
  /** Appends events to the log, alternating between `tasks` tasks (default: a new one each). */
  post(tenant: string, count: number, tasks?: number): Promise<readonly LogEvent[]>
  /** Appends these events, maybe again. */
  append(events: readonly LogEvent[]): Promise<void>
  /** How many deliveries of a webhook are in each state. */
  states(webhookId: string): Promise<Readonly<Record<string, number>>>
  /** Waits until a webhook has exactly so many deliveries in each of these states. */
  reaches(webhookId: string, wanted: Readonly<Record<string, number>>, options?: EventuallyOptions): Promise<void>
  /** Waits until the projection holds so many events in all. */
  projected(events: number): Promise<void>
  close(): Promise<void>
}

export async function createWorkerWorld(
  env: Readonly<Record<string, string>> = {},
  addresses?: StackAddresses,
): Promise<WorkerWorld> {
  const options = { partitions: PARTITIONS, env: { ...FAST, ...env } }
  const world = await createWorld(addresses === undefined ? options : { ...options, addresses })
  const projector = await startProjector(world)
  const keyring = createKeyring(world.env['ENCRYPTION_KEYS'] ?? '')
  const workers: Running[] = []
  const processes: ServiceProcess[] = []

  async function startWorker(more: Readonly<Record<string, string>> = {}): Promise<Running> {
    const worker = await startInProcess({ config: webhookWorkerConfig, start }, { ...world.env, ...more })
    workers.push(worker)
    return worker
  }

  async function startProcess(
    more: Readonly<Record<string, string>> = {},
    o: { readonly untilReady?: boolean } = {},
  ): Promise<ServiceProcess> {
    const process = await world.startService('webhook-worker', more, o)
    processes.push(process)
    return process
  }

  async function subscribe(o: Parameters<WorkerWorld['subscribe']>[0]): Promise<string> {
    const id = newTypeId('whk')
    const aad = `webhook:${o.tenant}:${id}`
    const { tenant, url, ordering = 'none', rateLimit = null } = o
    const headers = keyring.seal(Buffer.from('{"X-Own":"mine"}'), aad)
    const secret = keyring.seal(Buffer.from(SECRET), aad)
    const settings = { url, events: ['task.*'], headerNames: ['X-Own'], headers, rateLimit, ordering, secret }
    return await insertSampleWebhook(world.admin, { id, tenant, ...settings })
  }

  async function post(tenant: string, count: number, tasks = count): Promise<readonly LogEvent[]> {
    const events = Array.from({ length: count }, (_, index) => taskEvent(tenant, `task-${index % tasks}`, index))
    await world.append(events)
    return events
  }

  async function states(webhookId: string): Promise<Readonly<Record<string, number>>> {
    const { rows } = await world.admin.query<{ state: string; n: number }>(
      'SELECT state, count(*)::int AS n FROM deliveries WHERE webhook_id = $1 GROUP BY state',
      [typeIdToUuid('whk', webhookId)],
    )
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]))
  }

  async function reaches(id: string, wanted: Readonly<Record<string, number>>, o?: EventuallyOptions): Promise<void> {
    const check = async () => {
      const found = await states(id)
      const isMet = Object.entries(wanted).every(([state, n]) => (found[state] ?? 0) === n)
      if (!isMet) throw new Error(`there are ${JSON.stringify(found)}`)
      return true
    }
    await eventually(`deliveries ${JSON.stringify(wanted)}`, check, o)
  }

  async function close(): Promise<void> {
    await Promise.all(workers.map((worker) => worker.close()))
    await projector.close()
    await world.close()
  }

  return {
    world,
    startWorker,
    startProcess,
    processes,
    subscribe,
    post,
    append: (events) => world.append(events),
    states,
    reaches,
    projected: (events) => world.projected(events),
    close,
  }
}

function taskEvent(tenant: string, task: string, index: number): LogEvent {
  const data = Buffer.from(`{"task_id":"${task}","message":"Größe 1.0","progress":0.30,"index":${index}}`)
  return sampleEvent({
    tenant,
    taskId: task,
    data,
    traceparent: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
  })
}

/** A small projection of events, so that these tests run one service only. */
async function startProjector(world: World): Promise<{ close(): Promise<void> }> {
  const { KAFKA_BROKERS: brokers = '', KAFKA_TOPIC: topic = '', DATABASE_URL: url = '' } = world.env
  const client = createKafka({ brokers: [brokers], clientId: 'test-projector', log: silentLog })
  const pool = createPool({ role: null, url, applicationName: 'test-projector', max: 4 })
  const epoch = await currentEpoch(pool, topic)
  if (epoch === undefined) throw new Error('the world has no epoch')
  const key = { projection: 'events', epoch: epoch.epoch, topic }
  await ensurePositions(pool, { ...key, starts: new Map(Array.from({ length: PARTITIONS }, (_, index) => [index, 0])) })
  const reader = startLogReader({
    client,
    topic,
    groupId: `${topic}-projector`,
    partitionCount: PARTITIONS,
    identity: epoch,
    log: silentLog,
    positions: (wanted) => readPositions(pool, { ...key, partitions: wanted }),
    async handle({ partition, records, firstOffset, lastOffset }) {
      const rows = records.flatMap((record) => {
        const decoded = decodeRecord(record, PARTITIONS)
        if (decoded.kind !== 'event') return []
        const place = { epoch: epoch.epoch, partition, offset: record.offset, appendedAtMs: record.timestampMs }
        return [{ ...decoded.event, ...place }]
      })
      const advance = { partition, expected: firstOffset, next: lastOffset + 1, lastOffset: null, lastId: null }
      await withTransaction(pool, async (tx) => {
        if (!(await advancePositions(tx, { ...key, advances: [advance] }))) throw new Error('another projector')
        await insertEvents(tx, rows)
      })
      return { type: 'done' }
    },
  })
  return {
    async close() {
      await reader.close()
      await client.close()
      await pool.end()
    },
  }
}
