import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newTypeId } from '@ariftly/events'
import { generateApiKey } from '@ariftly/auth'
import { createKeyring } from '@ariftly/keyring'
import { startStack } from '@ariftly/local-stack'
import { createPool, type Pool } from '@ariftly/store'
import { insertApiKey } from '@ariftly/store/api-keys'
import { DEADLINES, eventually, insertSampleWebhook, startServiceProcess, type ServiceProcess } from '@ariftly/testkit'
import { Redis } from 'ioredis'
import { startWorker, type Worker } from '../ingest/worker.ts'
import { cpuSecondsOf } from '../support/process-usage.ts'
import type { Arrival, ReceiverKind, ReceiversRequest } from './receivers.ts'

/** Ingest, projector and one webhook worker at their default settings, on a stack of their own, and receivers. */
export interface WebhookSystem {
  readonly redisUrl: string
  readonly pool: Pool
  /** Starts a worker. */
  startWorker(env?: Readonly<Record<string, string>>): Promise<ServiceProcess>
  /** Ends all workers. */
  stopWorkers(): Promise<void>
  /** Receivers of these kinds; answers their URLs. Once. */
  listen(kinds: readonly ReceiverKind[]): Promise<readonly string[]>
  /** Makes a webhook for the events of one agent, and answers its id. */
  subscribe(o: BenchWebhook): Promise<string>
  /** Enables or disables the webhooks for the events of these agents; their deliveries wait meanwhile. */
  enable(agents: readonly string[], enabled: boolean): Promise<void>
  /** Posts events with numbers from `from` on, one for each agent; answers when they were accepted, in ms of the monotonic clock. */
  post(tenant: string, agents: readonly string[], from: number): Promise<number>
  /** Posts gzipped lines of NDJSON with this many events; returns the same as `post`. */
  postGzipped(tenant: string, body: Buffer, events: number): Promise<number>
  /** Waits until the projection holds all that was posted. */
  awaitAllProjected(): Promise<void>
  /** Waits until the projection holds so many records in all. */
  awaitProjected(records: number): Promise<void>
  received(): Promise<number>
  takeArrivals(): Promise<readonly Arrival[]>
  /** Seconds of processor time used so far, by part: the workers' own processes, the worker's connections of Postgres, Redis. */
  cpuSeconds(): Promise<Readonly<Record<'worker' | 'postgres' | 'redis', number>>>
  /** Commands that clients have sent to Redis so far, including the worker's blocking wait. */
  redisCommands(): Promise<number>
  /** Empties Redis. */
  flushRedis(): Promise<void>
  /** Counts the worker's statements while `work` runs, from the log of Postgres: by statement, with its time in ms. */
  countStatements(work: () => Promise<void>): Promise<ReadonlyMap<string, { count: number; ms: number }>>
  close(): Promise<void>
}

/** A webhook of a benchmark; for all events of tasks, unordered and without a rate limit if nothing is said. */
export interface BenchWebhook {
  readonly tenant: string
  readonly agent: string
  readonly url: string
  readonly ordering?: 'none' | 'task'
  readonly rateLimit?: number
  readonly events?: readonly string[]
  /** Conditions on the payload, as JSON. */
  readonly filter?: string
}

const ENCRYPTION_KEYS = `bench:${Buffer.alloc(32, 1).toString('base64')}`

/** Starts it from the build; build first. */
export async function startWebhookSystem(): Promise<WebhookSystem> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const stack = await startStack({ dataDir })
  const { kafka, postgres, redis: redisUrl } = stack.addresses
  const pool = createPool({ role: null, url: postgres, applicationName: 'bench', max: 2, statementTimeoutMs: 60_000 })
  const redis = new Redis(redisUrl)
  const receivers = await startWorker(join(import.meta.dirname, 'receivers.ts'))
  const processes: ServiceProcess[] = []
  const workers: ServiceProcess[] = []

  async function close(): Promise<void> {
    await stopWorkers()
    for (const process of processes) process.kill('SIGTERM')
    await Promise.all(processes.map((process) => process.exited))
    await receivers.close()
    redis.disconnect()
    await pool.end()
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }

  const env = {
    KAFKA_BROKERS: kafka,
    DATABASE_URL: postgres,
    DATABASE_ADMIN_URL: postgres,
    REDIS_URL: redisUrl,
    ENCRYPTION_KEYS,
    LOG_LEVEL: 'warn',
    WEBHOOK_ALLOW_HTTP: 'true',
  }

  async function startTheWorker(more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const worker = await startServiceProcess('webhook-worker', { ...env, ...more }, { timeoutMs: 60_000 })
    workers.push(worker)
    return worker
  }

  async function stopWorkers(): Promise<void> {
    const ending = workers.splice(0)
    for (const worker of ending) worker.kill('SIGTERM')
    await Promise.all(ending.map((worker) => worker.exited))
  }

  const keyring = createKeyring(ENCRYPTION_KEYS)
  let posted = 0
  const apiKeys = new Map<string, string>()

  async function apiKeyOf(tenant: string): Promise<string> {
    const known = apiKeys.get(tenant)
    if (known !== undefined) return known
    const { key, hash } = generateApiKey()
    const nowMs = Date.now()
    const quota = { eventsPerS: null, bytesPerS: null }
    const row = { tenant, name: 'bench', scopes: ['events:write'], hash, quota, expiresAtMs: null, createdAtMs: nowMs }
    await insertApiKey(pool, { id: newTypeId('key', nowMs), ...row })
    apiKeys.set(tenant, key)
    return key
  }

  async function subscribe(o: BenchWebhook): Promise<string> {
    const { tenant, agent, url, ordering = 'none', rateLimit = null, events = ['task.*'], filter = null } = o
    const id = newTypeId('whk')
    const secret = keyring.seal(Buffer.from(`a-secret-of-${agent}`), `webhook:${tenant}:${id}`)
    return await insertSampleWebhook(pool, { id, tenant, url, events, agent, ordering, rateLimit, filter, secret })
  }

  async function enable(agents: readonly string[], enabled: boolean): Promise<void> {
    await pool.query(
      `UPDATE webhooks SET enabled = $1, disabled_reason = CASE WHEN $1 THEN NULL ELSE 'manual' END WHERE agent = ANY ($2)`,
      [enabled, agents],
    )
  }

  async function post(tenant: string, agents: readonly string[], from: number): Promise<number> {
    const lines = agents.map((agent, index) => line(agent, from + index))
    return await postBody(tenant, lines.join('\n'), lines.length)
  }

  async function postBody(tenant: string, body: string | Buffer, events: number): Promise<number> {
    const response = await fetch(`${processes[0]?.url}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await apiKeyOf(tenant)}`,
        'content-type': 'application/x-ndjson',
        ...(typeof body === 'string' ? {} : { 'content-encoding': 'gzip' }),
      },
      body,
    })
    const acceptedMs = Number(process.hrtime.bigint()) / 1e6
    const text = await response.text()
    if (response.status !== 202) throw new Error(`ingest answered ${response.status}: ${text.slice(0, 300)}`)
    posted += events
    return acceptedMs
  }

  async function awaitProjected(records: number): Promise<void> {
    const sql = `SELECT coalesce(sum(next_offset), 0)::float8 AS next FROM projection_offsets WHERE projection = 'events'`
    await eventually(
      `${records} records are projected`,
      async () => ((await pool.query<{ next: number }>(sql)).rows[0]?.next ?? 0) >= records,
      { timeoutMs: DEADLINES.load, everyMs: 50 },
    )
  }

  async function cpuSeconds() {
    const sql = `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'ariftly-webhook-%'`
    const backends = (await pool.query<{ pid: number }>(sql)).rows.map(({ pid }) => pid)
    return {
      worker: cpuSecondsOf(workers.map(({ pid }) => pid)),
      postgres: cpuSecondsOf(backends),
      redis: cpuSecondsOf(stack.redis === undefined ? [] : [stack.redis.pid]),
    }
  }

  async function redisCommands(): Promise<number> {
    const stats = await redis.info('commandstats')
    const sent = /^cmdstat_(?:evalsha|eval|multi|exec|bzpopmin|ping|info|client\|\w+|hello|select):calls=(\d+)/gm
    return [...stats.matchAll(sent)].reduce((sum, match) => sum + Number(match[1]), 0)
  }

  async function countStatements(work: () => Promise<void>) {
    const log = join(dataDir, 'postgres/log')
    await pool.query(`ALTER SYSTEM SET log_line_prefix = '~%a~'`)
    await pool.query('ALTER SYSTEM SET log_min_duration_statement = 0')
    await pool.query('SELECT pg_reload_conf()')
    const from = readFileSync(log).length
    await work()
    await pool.query('ALTER SYSTEM RESET ALL')
    await pool.query('SELECT pg_reload_conf()')
    return readStatements(readFileSync(log).subarray(from).toString('utf8'))
  }

  try {
    const migrate = await startServiceProcess('migrate', env, { untilReady: false })
    if ((await migrate.exited) !== 0) throw new Error(`migrate failed:\n${migrate.output()}`)
    for (const name of ['ingest', 'projector'] as const) {
      processes.push(await startServiceProcess(name, env, { timeoutMs: 60_000 }))
    }
    return {
      redisUrl,
      pool,
      startWorker: startTheWorker,
      stopWorkers,
      listen: async (kinds) => urlsOf(await ask<number[]>(receivers, { type: 'listen', kinds })),
      subscribe,
      enable,
      post,
      postGzipped: postBody,
      awaitAllProjected: () => awaitProjected(posted),
      awaitProjected,
      received: () => ask<number>(receivers, { type: 'count' }),
      takeArrivals: () => ask<Arrival[]>(receivers, { type: 'take' }),
      cpuSeconds,
      redisCommands,
      flushRedis: async () => void (await redis.flushall()),
      countStatements,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function ask<A>(receivers: Worker, request: ReceiversRequest): Promise<A> {
  return await receivers.ask<A>(request)
}

function urlsOf(ports: readonly number[]): readonly string[] {
  return ports.map((port) => `http://127.0.0.1:${port}/webhook`)
}

/** An event whose line has 300 bytes. */
function line(agent: string, number: number): string {
  const head = `{"type":"task.progress","task_id":"task_${number}","agent":"${agent}","data":{"n":${number},"message":"`
  return `${head}${'x'.repeat(300 - head.length - 3)}"}}`
}

/** The log holds one entry a protocol step (parse, bind, execute): a statement is counted when it is executed. */
function readStatements(log: string): ReadonlyMap<string, { count: number; ms: number }> {
  const statements = new Map<string, { count: number; ms: number }>()
  const entry = /^~ariftly-webhook-\w+~LOG:\s+duration: ([\d.]+) ms\s+(parse|bind|execute|statement)[^:]*: ([^~]*)/gm
  for (const [, ms, step, text = ''] of log.matchAll(entry)) {
    const name = text.replace(/\s+/g, ' ').slice(0, 60)
    const known = statements.get(name) ?? { count: 0, ms: 0 }
    const executed = step === 'execute' || step === 'statement'
    statements.set(name, { count: known.count + (executed ? 1 : 0), ms: known.ms + Number(ms) })
  }
  return statements
}
