import type pg from 'pg'
import { TENANT } from './rows.ts'

/** One combination of filters; `queries` have other values each. */
export interface Shape {
  readonly name: string
  readonly queries: readonly string[]
}

interface Sample {
  readonly task_id: string
  readonly agent: string
  readonly type: string
  readonly created_at: Date
}

const DAY_MS = 86_400_000

/** How each filter of the specification is asked for a sampled event. */
const FILTERS: Readonly<Record<string, (sample: Sample) => string>> = {
  task_id: ({ task_id: id }) => `task_id=${id}`,
  agent: ({ agent }) => `agent=${agent}`,
  type: ({ type }) => `type=${type}`,
  after: ({ created_at: at }) => `after=${new Date(at.getTime() - DAY_MS).toISOString()}`,
  before: ({ created_at: at }) => `before=${new Date(at.getTime() + DAY_MS).toISOString()}`,
}

/** No filter, each filter alone and each pair, with values of events drawn from the whole history. */
export async function drawShapes(db: pg.Pool, queriesEach: number): Promise<readonly Shape[]> {
  const { rows } = await db.query<Sample>(
    `SELECT task_id, agent, type, to_timestamp(uuid_v7_ms(id) / 1000.0) AS created_at
       FROM events TABLESAMPLE SYSTEM (0.1) REPEATABLE (4)
      WHERE tenant_id = $1 ORDER BY md5(id::text) LIMIT $2`,
    [TENANT, queriesEach],
  )
  const names = Object.keys(FILTERS)
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other]))
  return [[], ...names.map((name) => [name]), ...pairs].map((filters) => ({
    name: filters.join('_') || 'none',
    queries: rows.map((sample) => ['limit=50', ...filters.map((filter) => FILTERS[filter]?.(sample))].join('&')),
  }))
}
