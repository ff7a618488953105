import { Fault } from '@ariftly/fault'
import type pg from 'pg'

/** `MERGE … RETURNING`, `transaction_timeout` and more that the queries use came with it. */
const MAJOR_MIN = 17

/**
 * Gives a new connection its settings. They are set by statements and not by the start-up packet, as PgBouncer does not pass its `options`
 * on. The role comes last: the owner's rights may be needed for a setting. A pooler that shares sessions between transactions loses them
 * unnoticed: `preflight` finds that.
 * @throws Fault `postgres_too_old`, not retryable.
 */
export async function prepareSession(
  client: pg.ClientBase,
  settings: Readonly<Record<string, string>>,
  role: string | null,
): Promise<void> {
  const wanted: readonly (readonly [name: string, value: string])[] = [
    ...Object.entries(settings),
    ...(role === null ? [] : [['role', role] as const]),
  ]
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  )
  const version = rows[0]?.version ?? 0
  if (version < MAJOR_MIN * 10_000) {
    throw new Fault({
      code: 'postgres_too_old',
      message: `This is PostgreSQL ${Math.floor(version / 10_000)}; version ${MAJOR_MIN} or newer is needed.`,
    })
  }
  const sets = wanted.map((_, at) => `set_config($${2 * at + 1}, $${2 * at + 2}, false)`)
  await client.query(`SELECT ${sets.join(', ')}`, wanted.flat())
}
