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

/** Values that hardly any event of the other filter has, so that a page has to be found among very many that do not fit. */
const RARE: Readonly<Record<string, (sample: Sample) => string>> = {
  rare_type: () => 'type=approval.resolved',
  other_agent: ({ agent }) => `agent=${agent === 'agent-199' ? 'agent-198' : 'agent-199'}`,
}
const RARE_PAIRS = [
  ['task_id', 'rare_type'],
  ['task_id', 'other_agent'],
  ['agent', 'rare_type'],
]

/** No filter, each filter alone, each pair, and pairs that fit hardly anything; values are of events drawn from the whole history. */
export async function drawShapes(db: pg.Pool, queriesEach: number): Promise<readonly Shape[]> {
  const { rows } = await db.query<Sample>(
    `SELECT task_id, agent, type, to_timestamp(uuid_v7_ms(id) / 1000.0) AS created_at
       FROM events TABLESAMPLE SYSTEM (0.1) REPEATABLE (4)
      WHERE tenant_id = $1 ORDER BY md5(id::text) LIMIT $2`,
    [TENANT, queriesEach],
  )
  const names = Object.keys(FILTERS)
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other]))
  const say = (filter: string, sample: Sample): string | undefined => (FILTERS[filter] ?? RARE[filter])?.(sample)
  return [[], ...names.map((name) => [name]), ...pairs, ...RARE_PAIRS].map((filters) => ({
    name: filters.join('_') || 'none',
    queries: rows.map((sample) => ['limit=50', ...filters.map((filter) => say(filter, sample))].join('&')),
  }))
}
