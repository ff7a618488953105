import { defineRow, plain, type Queryable, type RowOf, time, timeOrNull } from '@ariftly/store'

const logRow = defineRow('log', {
  epoch: plain<number>(),
  topic: plain<string>(),
  openedAtMs: time(),
})

const partitionRow = defineRow('p', {
  partition: plain<number>(),
  /** The first offset that is not projected. */
  nextOffset: plain<number>(),
  /** When it moved last. */
  projectedAtMs: time(),
  /** When the newest record of the newest second that has one was appended; null before the first. */
  appendedAtMs: timeOrNull(),
  /** The first offset that webhooks were not matched with yet; null before matching began. */
  matchedOffset: plain<number | null>(),
  matchedAtMs: timeOrNull(),
})

/** How far one partition of the log is projected and matched. */
export type PartitionProgress = RowOf<typeof partitionRow>

/** The newest epoch of the log, and how far it is projected. */
export interface LogProgress extends RowOf<typeof logRow> {
  /** By number. Empty until a projector has begun. */
  readonly partitions: readonly PartitionProgress[]
}

/**
 * Reads the newest epoch with the positions of both projections; undefined before the first epoch. By the primary keys of `log_epochs` and
 * `projection_offsets`, and one row of `log_times_appended_at` a partition.
 */
export async function readLogProgress(db: Queryable): Promise<LogProgress | undefined> {
  const { rows } = await db.query<{ partition: number | null }>(PROGRESS)
  const log = logRow.readFirst({ rows })
  if (log === undefined) return undefined
  return { ...log, partitions: rows.filter(({ partition }) => partition !== null).map(partitionRow.read) }
}

const PROGRESS = `
  WITH log AS (SELECT epoch, topic, created_at AS opened_at FROM log_epochs ORDER BY epoch DESC LIMIT 1)
  SELECT ${logRow.columns}, ${partitionRow.columns}
    FROM log
    LEFT JOIN LATERAL (
         SELECT events.partition, events.next_offset, events.updated_at AS projected_at,
                (SELECT t.appended_at FROM log_times t
                  WHERE t.epoch = log.epoch AND t.partition = events.partition
                  ORDER BY t.appended_at DESC LIMIT 1) AS appended_at,
                matched.next_offset AS matched_offset, matched.updated_at AS matched_at
           FROM projection_offsets events
           LEFT JOIN projection_offsets matched
                  ON matched.projection = 'webhooks' AND matched.epoch = log.epoch AND matched.topic = log.topic
                 AND matched.partition = events.partition
          WHERE events.projection = 'events' AND events.epoch = log.epoch AND events.topic = log.topic) AS p ON true
   ORDER BY p.partition`
