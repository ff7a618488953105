import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '@ariftly/local-stack'
import { migrate } from '@ariftly/store'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { uuidToTypeId } from '@ariftly/events'
import { stackEnvironment, startServiceProcess } from '@ariftly/testkit'
import pg from 'pg'
import { percentile, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROWS = bySize({ full: 10_000_000, smallest: 100_000 })
const QUERIES_EACH = bySize({ full: 300, smallest: 5 })
const WARM_UP = bySize({ full: 50, smallest: 1 })
const API_KEY = 'bench-key-0123456789abcdef'
/** Of the tenant that asks; it has nine rows in ten. */
const WEBHOOKS = 50
const EVENTS_A_TASK = 20
const DAYS = 30

/**
 * GET /v1/deliveries over HTTP from the api service, one request after the other, over ten million deliveries of 30 days: each
 * filter alone and in pairs, at 50 rows.
 */
export const deliveries: Bench = async (say, { rows = ROWS } = {}) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-deliveries-'))
  const stack = await startStack({ dataDir, parts: ['kafka', 'postgres'], env: stackEnvironment() })
  const db = new pg.Pool({ connectionString: stack.addresses.postgres, max: 1 })
  try {
    await migrate(stack.addresses.postgres)
    await seedBootstrapKey(db, API_KEY)
    await load(db, rows, say)
    const api = await startServiceProcess('api', {
      KAFKA_BROKERS: stack.addresses.kafka,
      DATABASE_URL: stack.addresses.postgres,
      ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
      LOG_LEVEL: 'warn',
    })
    const client = createClient(api.url)
    try {
      const measured: Measurement[] = []
      for (const [name, queries] of Object.entries(await drawQueries(db, rows))) {
        measured.push(...(await measure(client, name, queries, say)))
      }
      const p99s = measured.filter(({ name }) => name.endsWith('p99_ms')).map(({ value }) => value)
      const worst = { name: 'p99_worst_ms', value: Math.max(...p99s), unit: 'ms' }
      return [...measured, worst]
    } finally {
      client.close()
      api.kill('SIGTERM')
      await api.exited
    }
  } finally {
    await db.end()
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** One in a hundred has failed, by one of three errors; indexes are built after the load. */
async function load(db: pg.Pool, rows: number, say: (line: string) => void): Promise<void> {
  const startedMs = performance.now()
  const lap = (what: string): void => say(`${what} after ${Math.round((performance.now() - startedMs) / 1000)} s`)
  await db.query(`SET synchronous_commit = off; SET maintenance_work_mem = '512MB'`)
  const indexes = await db.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
       FROM pg_index WHERE indrelid = 'deliveries'::regclass AND NOT indisprimary`,
  )
  for (const { name } of indexes.rows) await db.query(`DROP INDEX ${name}`)
  await db.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                             finished_at, created_at, attempt_count, last_attempt_at, last_response_status, last_error_class)
     SELECT (left(uuid_v7_floor(ms)::text, 14) || '7' || substr(hash, 1, 3) || '-8' || substr(hash, 4, 3) || '-' || substr(hash, 7, 12))::uuid,
            CASE WHEN n % 10 = 9 THEN 'other' ELSE 'default' END,
            ('00000000-0000-7000-8000-' || lpad(to_hex(n % ${WEBHOOKS}), 12, '0'))::uuid,
            ('00000000-0000-7000-9000-' || lpad(to_hex(n / 4), 12, '0'))::uuid,
            (ARRAY['task.progress', 'task.complete', 'task.failed', 'tool_call.executed'])[1 + n / 4 % 4],
            'task_' || (n / 4 / ${EVENTS_A_TASK}), 1, 0, n, state, at, at, 1, at, 200,
            CASE WHEN state = 'failed' THEN (ARRAY['timeout', 'http_5xx', 'http_4xx'])[1 + n % 3] END
       FROM (SELECT n, md5(n::text) AS hash, CASE WHEN n % 101 = 0 THEN 'failed' ELSE 'delivered' END AS state,
                    (extract(epoch FROM now()) * 1000)::bigint - (($1::bigint - n) * ${DAYS * 86_400_000}::bigint / $1) AS ms,
                    now() - (($1::bigint - n) * interval '${DAYS} days' / $1) AS at
               FROM generate_series(1, $1::bigint) AS n) AS made`,
    [rows],
  )
  lap(`made ${rows} rows`)
  for (const { definition } of indexes.rows) await db.query(definition.replace(' ON ONLY ', ' ON '))
  lap('built the indexes')
  await db.query('VACUUM (ANALYZE) deliveries')
  await db.query('CHECKPOINT')
  lap('vacuumed')
}

/** Queries of each shape, by its name. */
async function drawQueries(db: pg.Pool, rows: number): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows: drawn } = await db.query<{
    webhook_id: string
    event_id: string
    ordering_key: string
    created_at: Date
  }>(
    `SELECT webhook_id, event_id, ordering_key, created_at
       FROM (SELECT ('00000000-0000-7000-9000-' || lpad(to_hex((random() * $1)::bigint / 4), 12, '0'))::uuid AS event
               FROM generate_series(1, $2)) e
      CROSS JOIN LATERAL (SELECT * FROM deliveries d WHERE d.event_id = e.event AND d.tenant_id = 'default' LIMIT 1) d`,
    [rows - 10, QUERIES_EACH],
  )
  const each = (write: (row: (typeof drawn)[number], webhook: string, at: string) => string): readonly string[] =>
    drawn.map((row) => write(row, `webhook_id=${uuidToTypeId('whk', row.webhook_id)}`, row.created_at.toISOString()))
  return {
    webhook: each((_row, webhook) => webhook),
    webhook_before: each((_row, webhook, at) => `${webhook}&before=${at}`),
    webhook_failed: each((_row, webhook) => `${webhook}&status=failed`),
    webhook_error: each((_row, webhook, at) => `${webhook}&error_class=timeout&before=${at}`),
    webhook_rare: each((_row, webhook) => `${webhook}&error_class=blocked`),
    webhook_type: each((_row, webhook, at) => `${webhook}&type=task.failed&before=${at}`),
    event: each((row) => `event_id=${uuidToTypeId('evt', row.event_id)}`),
    task: each((row) => `task_id=${row.ordering_key}`),
    failed: each((_row, _webhook, at) => `status=failed&before=${at}`),
    failed_rare: each(() => 'status=failed&error_class=blocked'),
    span: each((_row, _webhook, at) => `after=2020-01-01T00:00:00Z&before=${at}`),
    span_rare: each((_row, _webhook, at) => `after=2020-01-01T00:00:00Z&before=${at}&error_class=blocked`),
  }
}

interface Client {
  /** Milliseconds until the complete answer was received. */
  list(query: string): Promise<number>
  close(): void
}

function createClient(url: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const headers = { authorization: `Bearer ${API_KEY}` }

  async function list(search: string): Promise<number> {
    const startedMs = performance.now()
    await new Promise<void>((resolve, reject) => {
      const request = get(`${url}/v1/deliveries?${search}`, { agent, headers }, (response) => {
        readAll(response).then(resolve, reject)
      })
      request.on('error', reject)
    })
    return performance.now() - startedMs
  }

  return { list, close: () => agent.destroy() }
}

async function readAll(response: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  if (response.statusCode !== 200) throw new Error(`the api answered ${response.statusCode}: ${text.slice(0, 300)}`)
}

async function measure(
  client: Client,
  name: string,
  queries: readonly string[],
  say: (line: string) => void,
): Promise<readonly Measurement[]> {
  for (const search of queries.slice(0, WARM_UP)) await client.list(search)
  const times: number[] = []
  for (const search of queries) times.push(await client.list(search))
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
  say(`${name}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`)
  return [
    { name: `${name}_p50_ms`, value: p50, unit: 'ms' },
    { name: `${name}_p99_ms`, value: p99, unit: 'ms' },
  ]
}
