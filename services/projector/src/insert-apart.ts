import { sqlState, type Transaction } from '@ariftly/store'
import { insertEvents, type ProjectedEvent } from '@ariftly/store/projection'

/** What came of events that were to be inserted. */
export interface Inserted {
  readonly inserted: number
  /** Events that Postgres refused, with its reason. */
  readonly refused: readonly { readonly event: ProjectedEvent; readonly detail: string }[]
}

/** Inserts with a savepoint, and halves what Postgres refuses until the rows that it refuses stand alone. */
export async function insertApart(tx: Transaction, events: readonly ProjectedEvent[]): Promise<Inserted> {
  await tx.query('SAVEPOINT part')
  try {
    const { inserted } = await insertEvents(tx, events)
    await tx.query('RELEASE SAVEPOINT part')
    return { inserted, refused: [] }
  } catch (error) {
    if (!isRefusedRow(error)) throw error
    await tx.query('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part')
    const [only, ...others] = events
    if (only === undefined) return { inserted: 0, refused: [] }
    if (others.length === 0) {
      return { inserted: 0, refused: [{ event: only, detail: `refused by the store: ${sqlState(error) ?? ''}` }] }
    }
    const middle = events.length >> 1
    const left = await insertApart(tx, events.slice(0, middle))
    const right = await insertApart(tx, events.slice(middle))
    return { inserted: left.inserted + right.inserted, refused: [...left.refused, ...right.refused] }
  }
}

/** Data that cannot be stored (class 22) or that breaks a constraint (class 23): trying again does not help. */
export function isRefusedRow(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '')
}
