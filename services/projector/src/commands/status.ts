import { scanLog } from '@ariftly/kafka'
import { readPlaces, type CommandContext, type Place } from './command.ts'

const COLUMNS = ['partition', 'log start', 'next', 'log end', 'lag records', 'lag seconds'] as const

/** Prints the epoch and, for each partition, how far the projection is and how old its oldest unread record is. */
export async function status(context: CommandContext): Promise<number> {
  const { epoch, partitions } = await readPlaces(context)
  context.print(`topic ${context.topic}  epoch ${epoch.epoch}  cluster ${epoch.clusterId}  topic id ${epoch.topicId}`)
  const lines = [[...COLUMNS]] as string[][]
  let lagRecords = 0
  for (const place of partitions) {
    const { partition, logStart, logEnd, position } = place
    const lag = Math.max(0, logEnd - position.nextOffset)
    lagRecords += lag
    const seconds = lag === 0 ? '0' : await lagSeconds(context, place)
    lines.push([partition, logStart, position.nextOffset, logEnd, lag].map(String).concat(seconds))
  }
  for (const line of lines)
    context.print(line.map((cell, index) => cell.padStart(COLUMNS[index]?.length ?? 0)).join('  '))
  context.print(`total lag ${lagRecords}`)
  const beyond = partitions.filter(({ position, logEnd }) => position.nextOffset > logEnd)
  for (const { partition } of beyond) context.print(`partition ${partition}: the log ends before our position`)
  return beyond.length === 0 ? 0 : 1
}

/** Age of the first record that is not projected. */
async function lagSeconds({ kafka, topic, now }: CommandContext, place: Place): Promise<string> {
  const from = Math.max(place.position.nextOffset, place.logStart)
  for await (const records of scanLog(kafka, {
    topic,
    partition: place.partition,
    from,
    to: place.logEnd,
    bytesMax: 1,
  })) {
    const [first] = records
    if (first) return ((now() - first.timestampMs) / 1_000).toFixed(1)
  }
  return '0'
}
