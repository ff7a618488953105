import type { World } from '@ariftly/testkit'

/** What was projected of events whose `data.n` are numbers, for the tenant `acme`. */
export interface SentRows {
  /** Numbers of each task in the order of the log. */
  numbersByTask(prefix: string): Promise<Map<string, number[]>>
  count(prefix: string): Promise<number>
  /** Numbers of the rows with these ids, in order. */
  numbersOf(ids: readonly string[]): Promise<number[]>
}

/** Reads the projection of a world. */
export function createSentRows(world: World): SentRows {
  return {
    async numbersByTask(prefix) {
      const { rows } = await world.admin.query<{ readonly task_id: string; readonly n: number }>(
        `select task_id, (data->>'n')::int as n from events where tenant_id = 'acme' and task_id like $1 order by partition, "offset"`,
        [`${prefix}%`],
      )
      const byTask = new Map<string, number[]>()
      for (const { task_id: task, n } of rows) byTask.set(task, [...(byTask.get(task) ?? []), n])
      return byTask
    },
    async count(prefix) {
      const { rows } = await world.admin.query<{ count: string }>(
        `select count(*) from events where tenant_id = 'acme' and task_id like $1`,
        [`${prefix}%`],
      )
      return Number(rows[0]?.count)
    },
    async numbersOf(ids) {
      const { rows } = await world.admin.query<{ n: number }>(
        `select (data->>'n')::int as n from events where tenant_id = 'acme' and id = any($1::uuid[]) order by 1`,
        [ids.map(uuidOf)],
      )
      return rows.map(({ n }) => n)
    },
  }
}

/** The UUID of a TypeID, as Postgres has it. */
function uuidOf(id: string): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  let value = 0n
  for (const char of id.slice('evt_'.length)) value = (value << 5n) | BigInt(alphabet.indexOf(char))
  return value.toString(16).padStart(32, '0')
}
