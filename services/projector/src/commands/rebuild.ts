import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import { insertEvents } from '../insert-events.ts'
import { type ProjectedEvent } from '../event-arrays.ts'
import { createEventPartitions, type EventPartitions } from '../event-partitions.ts'
import { insertApart, isRefusedRow, type Inserted } from '../insert-apart.ts'
import { withoutDeleted } from '../tenant-deletion/without-deleted.ts'
import { readPlaces, type CommandContext } from './command.ts'
import { logEvents } from './log-events.ts'
import { createRefusedEvents } from './refused-events.ts'

/**
 * Reads the log from its start up to the projection's positions and inserts the events that are missing in the table, but for those
 * that are older than what the table keeps. It moves no offset and touches no row that is there: rows older than the log are
 * their only copy. Readers keep an answer throughout, and the projector may run at the same time. An event that Postgres refuses
 * is passed over: one that is a dead letter for that is counted, any other is named, and then the exit code is 1.
 */
export async function rebuild(context: CommandContext): Promise<number> {
  const { epoch, partitions: places } = await readPlaces(context)
  const partitions = createEventPartitions(context.pool)
  const refusedBefore = createRefusedEvents(context)
  let read = 0
  let inserted = 0
  let expired = 0
  let deadLetters = 0
  let refused = 0
  for (const place of places) {
    for await (const events of logEvents(context, place, epoch.epoch)) {
      await partitions.ensure(events)
      const kept = partitions.kept(events)
      const outcome = await insertStorable(context.pool, partitions, kept)
      read += events.length
      expired += events.length - kept.length
      inserted += outcome.inserted
      for (const { event, detail } of outcome.refused) {
        if (await refusedBefore.has(place.partition, event.offset)) deadLetters += 1
        else {
          refused += 1
          context.print(`partition ${place.partition} offset ${event.offset} ${event.tenant} ${event.id}: ${detail}`)
        }
      }
    }
    context.print(`partition ${place.partition}: ${read} events read so far, ${inserted} inserted`)
  }
  if (expired > 0) context.print(`left out ${expired} events that are older than what the table keeps`)
  if (deadLetters > 0)
    context.print(`left out ${deadLetters} events that the store refuses, and that are dead letters for that`)
  if (refused > 0) context.print(`left out ${refused} events that the store refuses now, and that are no dead letters`)
  context.print(`read ${read}, inserted ${inserted}`)
  return refused === 0 ? 0 : 1
}

async function insertStorable(
  pool: Pool,
  partitions: EventPartitions,
  events: readonly ProjectedEvent[],
): Promise<Inserted> {
  try {
    return await withTransaction(pool, async (tx) => {
      const { inserted } = await insertEvents(tx, await withoutDeletedSince(tx, events))
      return { inserted, refused: [] }
    })
  } catch (error) {
    if (!isRefusedRow(error)) throw error
    await partitions.renew(events)
    return await withTransaction(pool, async (tx) => insertApart(tx, await withoutDeletedSince(tx, events)))
  }
}

/** Leaves out what belongs to a tenant whose deletion began since the events were read; one that begins later waits for us. */
async function withoutDeletedSince(
  tx: Transaction,
  events: readonly ProjectedEvent[],
): Promise<readonly ProjectedEvent[]> {
  await tx.query('SELECT pg_current_xact_id()')
  return withoutDeleted(tx, events)
}
