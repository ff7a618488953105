import type { Queryable } from '@ariftly/store'

/** A node of a plan that reads a table. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** Explains each statement (which runs it), then runs it as the pool would; collects the nodes that read tables. */
export function explaining(pool: Queryable): { readonly db: Queryable; readonly scans: PlanNode[] } {
  const scans: PlanNode[] = []
  async function query(config: string | { text: string; values?: unknown[] }, given?: unknown[]): Promise<unknown> {
    const text = typeof config === 'string' ? config : config.text
    const values = (typeof config === 'string' ? given : config.values) ?? []
    await pool.query(`PREPARE explained AS ${text}`)
    const { rows } = await pool.query<{ 'QUERY PLAN': string | readonly [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained ${values.length === 0 ? '' : `(${values.map(literal).join()})`}`,
    )
    await pool.query('DEALLOCATE explained')
    const plan = rows[0]?.['QUERY PLAN']
    const parsed = (typeof plan === 'string' ? JSON.parse(plan) : plan) as readonly [{ Plan: PlanNode }]
    scans.push(...flatten(parsed[0].Plan).filter((node) => node['Relation Name'] !== undefined))
    return await pool.query(text, values)
  }
  return { db: { query } as unknown as Queryable, scans }
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)]
}

function literal(value: unknown): string {
  if (value === null || typeof value === 'number') return JSON.stringify(value)
  if (Array.isArray(value)) return `'{${value.join()}}'`
  return `'${value instanceof Date ? value.toISOString() : (value as string)}'`
}

/** The rows that a node has read, those too that its filter removed. */
export const rowsRead = (node: PlanNode): number =>
  ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1)
