import { insertEvents } from '@ariftly/store'
import { createEventPartitions, isExpired } from '../event-partitions.ts'
import { readPlaces, type CommandContext } from './command.ts'
import { logEvents } from './log-events.ts'

/**
 * Reads the log from its start up to the projection's positions and inserts the events that the table lacks, but for those
 * that are older than what the table keeps. It moves no offset and touches no row that is there: rows older than the log are
 * their only copy. Readers keep an answer throughout, and the projector may go on meanwhile.
 */
export async function rebuild(context: CommandContext): Promise<number> {
  const { epoch, partitions: places } = await readPlaces(context)
  const partitions = createEventPartitions(context.pool)
  let read = 0
  let inserted = 0
  let expired = 0
  for (const place of places) {
    for await (const events of logEvents(context, place, epoch.epoch)) {
      const kept = events.filter(({ id }) => !isExpired(id, context.now()))
      await partitions.ensure(kept)
      const outcome = await insertEvents(context.pool, kept)
      read += events.length
      expired += events.length - kept.length
      inserted += outcome.inserted
    }
    context.print(`partition ${place.partition}: ${read} events read so far, ${inserted} inserted`)
  }
  if (expired > 0) context.print(`left out ${expired} events that are older than what the table keeps`)
  context.print(`read ${read}, inserted ${inserted}`)
  return 0
}
