import { eventIdMs } from '@ariftly/events'
import { readEventsKeptFrom } from '@ariftly/store/events'
import { compareEvents, countEvents, type EventDifference, type OffsetRange } from './compare-events.ts'
import { readPlaces, type CommandContext } from './command.ts'
import { logEvents } from './log-events.ts'
import { createRefusedEvents } from './refused-events.ts'

const PRINTED_MAX = 100

/**
 * Compares log and table over what the log still holds and the projection has passed, and prints every difference:
 * - `missing`: an event of the log without a row,
 * - `differs`: a row that was made from this record, with other content,
 * - `extra`: rows of records that the log does not have.
 *
 * Exit code 1 when there are any. Missing events that are expired, or are dead letters because Postgres refused them, are
 * only counted.
 */
export async function verify(context: CommandContext): Promise<number> {
  const { epoch, partitions } = await readPlaces(context)
  const keptFromMs = await readEventsKeptFrom(context.pool)
  let differences = 0
  let read = 0
  let expired = 0
  let deadLetters = 0
  const refused = createRefusedEvents(context)
  function printDifference(partition: number, { kind, tenant, id, offset }: EventDifference): void {
    differences += 1
    if (differences <= PRINTED_MAX) context.print(`${kind} partition ${partition} offset ${offset} ${tenant} ${id}`)
    if (differences === PRINTED_MAX + 1) context.print('… further differences are only counted')
  }
  const compared: (OffsetRange & { readonly rowsOfLog: number })[] = []
  for (const place of partitions) {
    let from = place.logStart
    let rowsOfLog = 0
    // Rows are counted from `from` on, on both sides: what retention deleted before it was read cannot be counted in the log.
    function beginAt(logStart: number): void {
      from = logStart
      rowsOfLog = 0
    }
    for await (const events of logEvents(context, place, epoch.epoch, beginAt)) {
      read += events.length
      const { differing, fromHere } = await compareEvents(context.pool, events)
      rowsOfLog += fromHere
      for (const difference of differing) {
        const missing = difference.kind === 'missing'
        if (missing && eventIdMs(difference.id) < keptFromMs) expired += 1
        else if (missing && (await refused.has(place.partition, difference.offset))) deadLetters += 1
        else printDifference(place.partition, difference)
      }
    }
    compared.push({ partition: place.partition, from, to: place.position.nextOffset, rowsOfLog })
  }
  const counts = await countEvents(context.pool, { epoch: epoch.epoch, ranges: compared })
  for (const { partition, rowsOfLog } of compared) {
    // Less than 0: rows were removed after they were compared, with a deleted tenant or an expired week.
    const extra = Math.max(0, (counts.get(partition) ?? 0) - rowsOfLog)
    differences += extra
    if (extra > 0)
      context.print(`extra partition ${partition}: ${extra} rows are of records that the log does not have`)
  }
  if (expired > 0) context.print(`passed over ${expired} events that are older than what the table keeps`)
  if (deadLetters > 0)
    context.print(`passed over ${deadLetters} events that the store refused, and that are dead letters`)
  context.print(`${read} events compared, ${differences} differences`)
  return differences === 0 ? 0 : 1
}
