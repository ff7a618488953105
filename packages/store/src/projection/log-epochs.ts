import { prepared } from '../prepared.ts'
import type { Queryable, Transaction } from '../queryable.ts'

/** An identity of a topic: the same name on another cluster, created again, or after a wipe, is another epoch. */
export interface LogEpoch {
  readonly epoch: number
  readonly clusterId: string
  readonly topicId: string
  /** When it was opened, epoch milliseconds. */
  readonly openedAtMs: number
}

const COLUMNS = 'epoch, cluster_id, topic_id, created_at'

interface EpochRow {
  readonly epoch: number
  readonly cluster_id: string
  readonly topic_id: string
  readonly created_at: Date
}

/** Reads the newest epoch of a topic; undefined before the migrate step has opened the first. */
export async function currentEpoch(db: Queryable, topic: string): Promise<LogEpoch | undefined> {
  const { rows } = await db.query<EpochRow>(
    prepared(`SELECT ${COLUMNS} FROM log_epochs WHERE topic = $1 ORDER BY epoch DESC LIMIT 1`, [topic]),
  )
  return rows[0] && epochOf(rows[0])
}

/**
 * Opens a new epoch, one above all others of the database (1 for the first), for a topic. Of two concurrent calls the second
 * fails with 23505, as the epoch is the primary key. Owner's role only: services cannot replace the log.
 */
export async function openEpoch(
  db: Queryable,
  o: { readonly topic: string; readonly clusterId: string; readonly topicId: string },
): Promise<LogEpoch> {
  const { topic, clusterId, topicId } = o
  const { rows } = await db.query<EpochRow>(
    `INSERT INTO log_epochs (epoch, topic, cluster_id, topic_id)
     SELECT coalesce(max(epoch), 0) + 1, $1, $2, $3 FROM log_epochs
     RETURNING ${COLUMNS}`,
    [topic, clusterId, topicId],
  )
  const row = rows[0]
  if (!row) throw new Error('INSERT … RETURNING gave no row')
  return epochOf(row)
}

function epochOf(row: EpochRow): LogEpoch {
  return {
    epoch: row.epoch,
    clusterId: row.cluster_id,
    topicId: row.topic_id,
    openedAtMs: row.created_at.getTime(),
  }
}

/**
 * Keeps others from opening an epoch until the transaction ends; reads continue. So "none yet, open one" is one step however many
 * run `migrate` or `adopt-log` at the same time. Owner's role only.
 */
export async function lockLogEpochs(tx: Transaction): Promise<void> {
  await tx.query('LOCK TABLE log_epochs IN SHARE ROW EXCLUSIVE MODE')
}
