import { Agent, get, type IncomingMessage } from 'node:http'
import { startServiceProcess } from '@ariftly/testkit'
import pg from 'pg'
import { openHistory, type History } from './query/history.ts'
import { drawShapes, type Shape } from './query/shapes.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { percentile, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROWS = bySize({ full: 5_000_000, smallest: 100_000 })
const QUERIES_EACH = bySize({ full: 300, smallest: 5 })
const WARM_UP = bySize({ full: 50, smallest: 1 })
/** Requests before the first measured one: a process that has just started runs its code before it is compiled. */
const START_UP = bySize({ full: 1_000, smallest: 10 })
const DEEP_ROWS = bySize({ full: 500_000, smallest: 2_000 })
const DEEP_RUNS = bySize({ full: 300, smallest: 3 })

/**
 * GET /v1/events over HTTP from the api service, one request after another, over a history of five million events: each filter of
 * the specification alone and in pairs at 50 rows, and page 10,000 against page 1.
 */
export const query: Bench = async (say, { rows = ROWS } = {}) => {
  const history = await openHistory(rows, say)
  const db = new pg.Pool({ connectionString: history.databaseUrl, max: 1 })
  try {
    const api = await startServiceProcess('api', {
      KAFKA_BROKERS: history.kafka,
      DATABASE_URL: history.databaseUrl,
      ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
      LOG_LEVEL: 'warn',
    })
    const client = createClient(api.url, history)
    try {
      const shapes = await drawShapes(db, QUERIES_EACH)
      for (let request = 0; request < START_UP; request += 1) await client.list('limit=50')
      const measured: Measurement[] = []
      const target: Target = { client, api: api.pid, backends: () => backendsOf(db) }
      for (const shape of shapes) measured.push(...(await measure(target, shape, say)))
      const p99s = measured.filter(({ name }) => name.endsWith('p99_ms')).map(({ value }) => value)
      const worst = { name: 'p99_worst_ms', value: Math.max(...p99s), unit: 'ms' }
      return [...measured, worst, await deepPage(client, say)]
    } finally {
      client.close()
      api.kill('SIGTERM')
      await api.exited
    }
  } finally {
    await db.end()
    await history.close()
  }
}

interface Client {
  /** The milliseconds until the complete answer was received, and the answer. */
  list(query: string): Promise<{ readonly ms: number; readonly text: string }>
  close(): void
}

function createClient(url: string, { apiKey }: History): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const headers = { authorization: `Bearer ${apiKey}` }

  async function list(search: string): Promise<{ ms: number; text: string }> {
    const startedMs = performance.now()
    const text = await new Promise<string>((resolve, reject) => {
      const request = get(`${url}/v1/events?${search}`, { agent, headers }, (response) => {
        readAll(response).then(resolve, reject)
      })
      request.on('error', reject)
    })
    return { ms: performance.now() - startedMs, text }
  }

  return { list, close: () => agent.destroy() }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  if (response.statusCode !== 200) throw new Error(`the api answered ${response.statusCode}: ${text.slice(0, 300)}`)
  return text
}

interface Target {
  readonly client: Client
  /** Process ids of the api and of what Postgres runs for its lists. */
  readonly api: number
  readonly backends: () => Promise<readonly number[]>
}

async function backendsOf(db: pg.Pool): Promise<readonly number[]> {
  const { rows } = await db.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'ariftly-api events'`,
  )
  return rows.map(({ pid }) => pid)
}

/** Times as a client sees them, and the processor time that a request takes, which other work on the machine hardly changes. */
async function measure(target: Target, shape: Shape, say: (line: string) => void): Promise<readonly Measurement[]> {
  const { client } = target
  for (const search of shape.queries.slice(0, WARM_UP)) await client.list(search)
  const pids = [target.api, ...(await target.backends())]
  const cpuBefore = cpuSecondsOf(pids)
  const times: number[] = []
  for (const search of shape.queries) times.push((await client.list(search)).ms)
  const cpu = ((cpuSecondsOf(pids) - cpuBefore) * 1000) / times.length
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
  say(`${shape.name}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, processor ${cpu.toFixed(2)} ms`)
  return [
    { name: `${shape.name}_p50_ms`, value: p50, unit: 'ms' },
    { name: `${shape.name}_p99_ms`, value: p99, unit: 'ms' },
    { name: `${shape.name}_cpu_ms`, value: cpu, unit: 'ms' },
  ]
}

/** Walks to row 500,000 in large pages, then alternates between the page of 50 there and the first page. */
async function deepPage(client: Client, say: (line: string) => void): Promise<Measurement> {
  let cursor = ''
  for (let row = 0; row < DEEP_ROWS; row += 500) {
    const { text } = await client.list(`limit=500${cursor}`)
    const { next_cursor: next } = JSON.parse(text.slice(text.lastIndexOf('],') + 2).replace(/^/, '{')) as {
      next_cursor: string | null
    }
    if (next === null) throw new Error('the history is shorter than 10,000 pages')
    cursor = `&cursor=${next}`
  }
  const [first, deep]: [number[], number[]] = [[], []]
  for (let run = 0; run < DEEP_RUNS; run += 1) {
    first.push((await client.list('limit=50')).ms)
    deep.push((await client.list(`limit=50${cursor}`)).ms)
  }
  const [one, tenThousand] = [percentile(first, 0.5), percentile(deep, 0.5)]
  say(`page 1 ${one.toFixed(2)} ms, page 10,000 ${tenThousand.toFixed(2)} ms`)
  return { name: 'page_10000_vs_1', value: tenThousand / one, unit: '' }
}
