import { bisect } from '@ariftly/async'
import { isMissingPartition, sqlState, type Transaction } from '@ariftly/store'
import { insertEvents } from './insert-events.ts'
import { type ProjectedEvent } from './event-arrays.ts'

/** What happened to events that were to be inserted. */
export interface Inserted {
  readonly inserted: number
  /** Events that Postgres refused, with its reason. */
  readonly refused: readonly { readonly event: ProjectedEvent; readonly detail: string }[]
}

/**
 * Inserts with a savepoint, and bisects what Postgres refuses until each row that it refuses is alone. A row without a partition is not
 * refused: the call fails.
 */
export async function insertApart(tx: Transaction, events: readonly ProjectedEvent[]): Promise<Inserted> {
  const refused: { readonly event: ProjectedEvent; readonly detail: string }[] = []
  let inserted = 0
  let reason = ''

  async function insertSome(some: readonly ProjectedEvent[]): Promise<boolean> {
    await tx.query('SAVEPOINT part')
    try {
      inserted += (await insertEvents(tx, some)).inserted
      await tx.query('RELEASE SAVEPOINT part')
      return true
    } catch (error) {
      if (!isRefusedRow(error) || isMissingPartition(error)) throw error
      reason = sqlState(error) ?? ''
      await tx.query('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part')
      return false
    }
  }

  await bisect(events, {
    attempt: insertSome,
    onRefused: (event) => void refused.push({ event, detail: `refused by the store: ${reason}` }),
  })
  return { inserted, refused }
}

/**
 * Data that cannot be stored (class 22) or that breaks a constraint (class 23): trying again does not help, unless it is a partition that
 * is missing.
 */
export function isRefusedRow(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '')
}
